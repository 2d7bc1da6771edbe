"""The seat: one protocol over simulator, emulator and game."""
