"""Records the game, or its emulator: `python scripts/record.py --seconds 60 --to csv` is `actwin record …`."""

from __future__ import annotations

import sys

from actwin.cli import main

if __name__ == "__main__":
    main(["record", *sys.argv[1:]])
