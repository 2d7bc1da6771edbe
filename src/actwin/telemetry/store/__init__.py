"""Recorded sessions: written while driving, read as columns, queried with SQL, exported."""
