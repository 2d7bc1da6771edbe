"""Tracks and cars: file formats, readers and the bundled library."""
