"""What the driver is paid for."""
TERMS = ("progress", "time", "track_limits", "lane_position", "heading", "smoothness", "hard_braking", "slip", "lap_bonus", "collision", "stall", "failure")
