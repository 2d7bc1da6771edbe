"""The app that runs inside Assetto Corsa."""
