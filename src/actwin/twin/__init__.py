"""Vehicle physics by chapter, and the simulator of N cars."""
