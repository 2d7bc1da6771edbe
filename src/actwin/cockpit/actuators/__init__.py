"""Ways to move the controls of a car in the game."""
