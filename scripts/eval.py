"""Drives laps with trained drivers: `python scripts/eval.py --checkpoint FILE …` is `actwin evaluate FILE …`."""

from __future__ import annotations

import argparse

from actwin.cli import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, epilog="Other options are those of `actwin evaluate --help`.")
    parser.add_argument("--checkpoint", required=True, nargs="+", help="checkpoints, or folders of runs")
    asked, options = parser.parse_known_args()
    main(["evaluate", *asked.checkpoint, *options])
