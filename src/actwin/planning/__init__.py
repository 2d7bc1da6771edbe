"""Paths and speeds over distance: racing line, speed profile."""
