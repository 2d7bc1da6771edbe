"""The folder of a run: what it was made with, where its checkpoints lie."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch

from actwin.agents.device import DeviceName, chosen_device, device_label
from actwin.agents.run_files import BEST as BEST
from actwin.agents.run_files import LAST as LAST
from actwin.agents.run_files import checkpoint_path as checkpoint_path

_MALLOPT_TRIM_THRESHOLD: Final = -1
_MALLOPT_MMAP_THRESHOLD: Final = -3
_PACKAGES: Final = ("actwin", "torch", "numpy", "numba", "gymnasium", "pydantic")


def versions() -> dict[str, str]:
    """What made a run: Python, the packages that matter, and `git`, the commit of the sources, where they have one."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = ""
    commit = git_commit(Path(__file__).parents[1])
    return found | ({"git": commit} if commit else {})


@cache
def git_commit(sources: Path) -> str:
    """The commit that a checkout's sources are of, with "-dirty" where they differ; "" for any other folder.

    Args:
        sources: The package's folder. A package installed below somebody else's checkout is not part of that.
    """

    def git(*words: str) -> str:
        command = ["git", *words]
        return subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=10, check=True).stdout

    try:
        git("ls-files", "--error-unmatch", "__init__.py")
        return git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*").strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def numerics(device: DeviceName) -> dict[str, Any]:
    """What decides the last bits of a result on one machine.

    Args:
        device: Setting of the run.
    """
    return {
        "device": device_label(chosen_device(device)),
        "threads": torch.get_num_threads(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


@contextmanager
def one_thread() -> Iterator[None]:
    """Lets networks compute in one thread: with a few cars, waiting for a second one costs more than it brings."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def prepare_torch(threads: int) -> None:
    """Sets the process up for training.

    "Medium" precision sends single-precision products to oneDNN. On CPUs without matrix units the result is as
    exact as before and on AMD up to twice as fast; with them (AMX) the factors really are rounded to bfloat16, so the
    setting is kept in the checkpoint. On graphics cards it means TF32: factors are rounded to eleven binary digits.

    Args:
        threads: Of the learner; 0 means every physical core up to eight, more do not help networks of this size.
    """
    torch.set_float32_matmul_precision("medium")
    torch.set_num_threads(threads or min(physical_cores(), 8))
    _keep_freed_memory()


def physical_cores() -> int:
    """Cores of this machine, each counted once however many threads it runs."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    logical = os.cpu_count() or 1
    return int(known.get("num_physical_cores") or (logical if logical <= 2 else logical // 2))


def _keep_freed_memory() -> None:
    """Lets glibc hand freed tensors out again instead of returning them to the system, where it is glibc.

    An update frees and takes megabytes thousands of times; faulting the pages in again was a third of its time.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MALLOPT_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_MALLOPT_TRIM_THRESHOLD, (1 << 31) - 1)
