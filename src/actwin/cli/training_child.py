"""The process of a run that was started from a page: trains as `actwin train` does, until a file asks it to end."""

from __future__ import annotations

import _thread
import sys
import threading
import time
from pathlib import Path
from typing import Final

from actwin.training.folder import STOP

LOOK: Final = 0.5
"""[s] Between looks for it."""


def main(arguments: list[str]) -> None:
    """Trains.

    Args:
        arguments: As `actwin train` takes them; `--out FOLDER` must be among them.
    """
    folder = Path(arguments[arguments.index("--out") + 1])
    threading.Thread(target=_watch, args=(folder / STOP,), name="stop request", daemon=True).start()
    from actwin.cli import main as actwin

    actwin(["train", *arguments])


def _watch(request: Path) -> None:
    while not request.exists():
        time.sleep(LOOK)
    request.unlink(missing_ok=True)
    _thread.interrupt_main()


if __name__ == "__main__":
    main(sys.argv[1:])
