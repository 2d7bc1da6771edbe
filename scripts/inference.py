"""Drives a car in real time: `python scripts/inference.py CHECKPOINT --source memory` is `actwin drive …`."""

from __future__ import annotations

import sys

from actwin.cli import main

if __name__ == "__main__":
    main(["drive", *sys.argv[1:]])
