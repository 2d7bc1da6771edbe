"""What is read from a car and sent to it."""
