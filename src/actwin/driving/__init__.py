"""Who drives: the line follower and trained policies."""
