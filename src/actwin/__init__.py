"""A digital twin of Assetto Corsa's cars and tracks, and drivers trained in it."""

__version__ = "0.1.0"
