"""Numbers and pictures about laps."""
