"""Checking and repairing recorded telemetry: what is wrong, on which rows, by how much."""
