"""What Assetto Corsa calls: start, one frame, end.

The interpreter inside the game is CPython 3.3, so this folder uses its grammar and its standard library only.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

import ac
import acsys
from actwin_app import app, log, settings, sockets

PARTS = {}
"""Parts to use instead of the game's own: `clock`, `read_page`, `open_mapping`, `root`, `config`."""

running = None


def acMain(ac_version):
    """Start the app.

    Args:
        ac_version: Version of the game's Python interface; unused.

    Returns:
        The app's name, by which the game knows its window.
    """
    global running
    journal = log.Log(ac)
    try:
        config = PARTS.get("config")
        if config is None:
            config = settings.read(os.environ.get("ACTWIN_APP_CONFIG") or os.path.join(HERE, "config.ini"), journal)
        module, problem = sockets.find(HERE, PARTS.get("root", os.getcwd()))
        if module is None:
            journal.say(problem)
        running = app.App(ac, acsys, module, config, journal, PARTS)
    except Exception:
        journal.failure("start")
    return "actwin"


def acUpdate(delta):
    """One rendered frame.

    Args:
        delta: [s] Since the frame before.
    """
    if running is not None:
        running.update(delta)


def acShutdown():
    """The session ends."""
    global running
    if running is not None:
        running.close()
        running = None
