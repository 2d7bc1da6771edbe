"""Corners under the microscope: where they are, what each lap did in them, where the time is lost."""

from actwin.analysis.corner_losses import Loss, where_time_is_lost
from actwin.analysis.corner_points import CornerPoints, corner_points
from actwin.analysis.corner_spans import CornerSpan, find_corners, path_curvature
from actwin.analysis.corner_table import corner_consistency, corner_table

__all__ = [
    "CornerPoints",
    "CornerSpan",
    "Loss",
    "corner_consistency",
    "corner_points",
    "corner_table",
    "find_corners",
    "path_curvature",
    "where_time_is_lost",
]
