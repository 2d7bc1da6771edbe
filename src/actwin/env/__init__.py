"""What the driver sees and is paid for: features, rewards, actions, tasks, Gymnasium classes."""
