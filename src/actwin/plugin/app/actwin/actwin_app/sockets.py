"""Finding Python's socket module, whose binary part the game does not ship."""

import importlib
import os
import sys


def find(app_folder, game_folder):
    """Import `socket`, with the help of folders that may hold `_socket.pyd` for the game's Python 3.3.

    Args:
        app_folder: This app's folder; `stdlib64` (or `stdlib` in the 32-bit game) is looked for in it.
        game_folder: Root of the game; other apps put their libraries into `system/x64/DLLs`.

    Returns:
        The module and an empty text, or None and what to do about it.
    """
    problem = ""
    wide = sys.maxsize > 2**32
    own = os.path.join(app_folder, "stdlib64" if wide else "stdlib")
    shared = os.path.join(game_folder, "system", "x64" if wide else "x86", "DLLs")
    for folder in ("", own, shared):
        if folder:
            if not os.path.isdir(folder):
                continue
            sys.path.insert(0, folder)
            importlib.invalidate_caches()
        try:
            return importlib.import_module("socket"), ""
        except ImportError as error:
            problem = str(error)
    return None, (
        "Python's socket module is missing (%s), so no telemetry is sent. "
        "Put _socket.pyd of CPython 3.3 (64 bit) into %s and restart the session." % (problem, own)
    )


def listener(socket, kind, address):
    """A non-blocking socket bound to an address that nobody else can share.

    Args:
        socket: The module.
        kind: `"udp"` or `"tcp"`.
        address: Host and port.

    Raises:
        OSError: The address is taken or not this computer's.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    try:
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            made.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        elif kind == "tcp":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        if kind == "tcp":
            made.listen(8)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
