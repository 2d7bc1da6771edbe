"""The two calls of Windows that Python's `mmap` lacks."""

from __future__ import annotations

import sys

FILE_MAP_READ = 0x0004


def open_file_mapping(name: str) -> int:
    """Handle of an existing named file mapping; 0 when there is none, and on other platforms.

    Windows' `OpenFileMappingW`.

    Args:
        name: With its prefix, such as `Local\\acpmf_physics`.
    """
    if sys.platform != "win32":
        return 0
    import ctypes
    from ctypes import wintypes

    call = ctypes.WinDLL("kernel32", use_last_error=True).OpenFileMappingW
    call.argtypes, call.restype = (wintypes.DWORD, wintypes.BOOL, wintypes.LPCWSTR), wintypes.HANDLE
    return int(call(FILE_MAP_READ, False, name) or 0)


def close_handle(handle: int) -> None:
    """Gives a handle back. Windows' `CloseHandle`."""
    if sys.platform == "win32":
        import ctypes
        from ctypes import wintypes

        call = ctypes.WinDLL("kernel32", use_last_error=True).CloseHandle
        call.argtypes, call.restype = (wintypes.HANDLE,), wintypes.BOOL
        call(handle)
