"""What only Windows knows: the registry's texts and the user's Documents folder.

Nothing here was seen on Windows by the tests; they replace these two functions. On other systems both know nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

DOCUMENTS: Final = "FDD39AD0-238F-46AF-ADB4-6C85480369C7"
"""Identifier of the known folder Documents (Microsoft, "KNOWNFOLDERID")."""


def registry_text(path: str, name: str) -> str | None:
    """A text value of the registry, of the user or else of the machine; None where there is none.

    Args:
        path: Key below the root, with backslashes.
        name: Of the value.
    """
    if sys.platform != "win32":
        return None
    import winreg

    for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        try:
            with winreg.OpenKey(root, path) as key:
                value, kind = winreg.QueryValueEx(key, name)
        except OSError:
            continue
        if kind in (winreg.REG_SZ, winreg.REG_EXPAND_SZ) and value:
            return str(value)
    return None


def documents_folder() -> Path | None:
    """The user's Documents folder wherever it was moved to, OneDrive included; None on other systems."""
    if sys.platform != "win32":
        return None
    import ctypes
    import uuid
    from ctypes import wintypes

    identifier = (ctypes.c_ubyte * 16).from_buffer_copy(uuid.UUID(DOCUMENTS).bytes_le)
    found = wintypes.LPWSTR()
    try:
        failed = ctypes.windll.shell32.SHGetKnownFolderPath(ctypes.byref(identifier), 0, None, ctypes.byref(found))
        return Path(found.value) if not failed and found.value else None
    finally:
        ctypes.windll.ole32.CoTaskMemFree(found)
