"""Trains several drivers at once: `python scripts/launch_training.py CONFIG --seeds 0,1,2` is `actwin launch …`."""

from __future__ import annotations

import sys

from actwin.cli import main

if __name__ == "__main__":
    main(["launch", *sys.argv[1:]])
