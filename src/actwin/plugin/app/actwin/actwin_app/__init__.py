"""Parts of the in-game app; they import nothing but Python 3.3's standard library."""

VERSION = "1.0.0"
