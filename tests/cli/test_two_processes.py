"""The emulator in one process, its readers and driver in others, as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ACTWIN = (sys.executable, "-c", "from actwin.cli import main; main()")
ENVIRONMENT = {**os.environ, "NUMBA_NUM_THREADS": "1", "PYTHONUTF8": "1"}


def actwin(*words: str) -> dict:
    done = subprocess.run([*ACTWIN, *words], capture_output=True, timeout=120, env=ENVIRONMENT, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def served(tmp_path):
    """Folder of a running emulator's memory."""
    words = ("serve", "--track", "oval", "--car", "ks_mazda_miata", "--driver", "none", "--folder", str(tmp_path))
    words += ("--without", "udp", "--without", "app", "--seconds", "100", "--json")
    with subprocess.Popen([*ACTWIN, *words], stdout=subprocess.PIPE, env=ENVIRONMENT, encoding="utf-8") as server:
        try:
            assert json.loads(server.stdout.readline())["track"] == "oval"
            yield tmp_path
        finally:
            server.terminate()
            server.stdout.read()


@pytest.mark.slow
def test_the_expert_drives_the_emulator(served, tmp_path) -> None:
    place = f"memory:{served}"
    words = ("--source", place, "--actuator", f"custom_ai:{served}", "--start", "grid", "--seconds", "3")
    driven = actwin("drive", "expert", *words, "--json")
    assert (driven["track"], driven["car"], driven["ended"], driven["failed"]) == (
        "oval",
        "ks_mazda_miata",
        "time",
        False,
    )
    assert driven["periods"] > 0
    assert driven["sections"]["from telemetry to controls sent"]["n"] >= driven["periods"]
    seen = actwin("watch", "--source", place, "--once", "--json")
    assert seen["health"]["status"] == "live"
    assert seen["distance_driven"] > 1.0
    assert seen["throttle"] == 0.0
