"""Drives laps with a trained driver: `python scripts/eval.py --checkpoint FILE` is `actwin evaluate FILE`."""

from __future__ import annotations

import argparse

from actwin.cli import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="checkpoint, or the folder of a run")
    parser.add_argument("--episodes", default="10", help="starts: from the grid, flying, then from around the lap")
    parser.add_argument("--laps", default="1", help="full laps from each start")
    parser.add_argument("--save-rollouts", help="folder for the drives, as recorded sessions")
    asked = parser.parse_args()
    keep = ["--save-rollouts", asked.save_rollouts] if asked.save_rollouts else []
    main(["evaluate", asked.checkpoint, "--episodes", asked.episodes, "--laps", asked.laps, *keep])
