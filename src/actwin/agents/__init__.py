"""Learning agents in torch; they know spaces, never cars."""
