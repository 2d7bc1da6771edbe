"""Where a run writes what it measures: TensorBoard for curves, a table and its journal for everything else."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from actwin.errors import MissingExtraError
from actwin.training.metrics import Metrics
from actwin.training.metrics import read_metrics as read_metrics


class Board:
    """Writes scalars of a run to TensorBoard and to its folder.

    A disk that is full stops neither: rows wait in memory, and curves go on when there is room again.

    Args:
        out: Folder of the run; holds `metrics.parquet` and `metrics.jsonl`.
        logs: Folder of its curves.
        resumed: Car steps and training time [s] of the checkpoint that the run goes on from; what was measured after
            it is forgotten. None for a new run.

    Attributes:
        trouble: Why something could not be written, "" when all is.
    """

    def __init__(self, out: Path, logs: Path, resumed: tuple[int, float] | None = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("tensorboard", "train") from error
        self._new_writer: Any = partial(SummaryWriter, str(logs))
        self._writer: Any = self._new_writer(purge_step=None if resumed is None else resumed[0] + 1)
        self._metrics = Metrics(out)
        self.trouble = ""
        if resumed is not None:
            self._metrics.cut(*resumed)

    def write(self, step: int, seconds: float, scalars: Mapping[str, float]) -> None:
        """Writes one row.

        Args:
            step: Car steps so far.
            seconds: [s] Training time so far.
            scalars: Values by name, "group/name"; values that are not finite are left out.
        """
        known = {name: value for name, value in scalars.items() if math.isfinite(value)}
        try:
            self._metrics.write({"step": step, "seconds": round(seconds, 3)} | known)
            if self._writer is None:
                self._writer = self._new_writer()
            for name, value in known.items():
                self._writer.add_scalar(name, value, step)
            self.trouble = ""
        except OSError as error:
            self._lost(error)

    def settle(self) -> None:
        """Brings everything to the disk, to be called with each checkpoint."""
        try:
            self._metrics.settle()
            if self._writer is not None:
                self._writer.flush()
        except OSError as error:
            self._lost(error)

    def close(self) -> None:
        """Writes out what is buffered."""
        self.settle()
        self._metrics.close()
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()

    def _lost(self, error: OSError) -> None:
        self.trouble = f"metrics cannot be written ({error})"
        writer, self._writer = self._writer, None
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()
