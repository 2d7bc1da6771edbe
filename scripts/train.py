"""Trains a driver: `python scripts/train.py --config FILE --out checkpoints/` is `actwin train FILE --out …`."""

from __future__ import annotations

import argparse

from actwin.cli import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, help="YAML file of the run")
    parser.add_argument("--out", default="checkpoints", help="folder of the run: checkpoints, logs, metrics")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in the folder")
    parser.add_argument("settings", nargs="*", help="settings that differ, as key=value")
    asked = parser.parse_intermixed_args()
    main(["train", asked.config, *asked.settings, "--out", asked.out, *(["--resume"] if asked.resume else [])])
