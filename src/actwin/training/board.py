"""Where a run writes what it measures: TensorBoard for curves, one JSON object a line for everything else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actwin.errors import MissingExtraError


class Board:
    """Writes scalars of a run to `logs/` (TensorBoard) and `metrics.jsonl`, both appended to on resume.

    Args:
        out: Folder of the run.
    """

    def __init__(self, out: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("tensorboard", "train") from error
        self._writer: Any = SummaryWriter(str(out / "logs"))
        self._lines = (out / "metrics.jsonl").open("a", encoding="utf-8")

    def write(self, step: int, seconds: float, scalars: Mapping[str, float]) -> None:
        """Writes one line.

        Args:
            step: Car steps so far.
            seconds: [s] Training time so far.
            scalars: Values by name, "group/name"; values that are not finite are left out.
        """
        known = {name: value for name, value in scalars.items() if math.isfinite(value)}
        for name, value in known.items():
            self._writer.add_scalar(name, value, step)
        self._lines.write(json.dumps({"step": step, "seconds": round(seconds, 3)} | known) + "\n")
        self._lines.flush()

    def close(self) -> None:
        """Writes out what is buffered."""
        self._writer.close()
        self._lines.close()


def read_metrics(out: Path) -> list[dict[str, float]]:
    """The lines of `metrics.jsonl`; a line that a crash cut off is left out.

    Args:
        out: Folder of the run.
    """
    rows = []
    for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows
