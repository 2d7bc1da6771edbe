"""Configuration, training loops, evaluation."""
