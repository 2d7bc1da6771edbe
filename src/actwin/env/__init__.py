"""What the driver sees and is paid for: features, rewards, actions, tasks, Gymnasium classes."""

from actwin.env.registration import register

register()
