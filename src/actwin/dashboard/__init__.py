"""Pages for the user."""
