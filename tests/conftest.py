"""What every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Small networks on few cores: a second thread costs more than it brings, and one thread adds up in one order.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of public recordings and geometry beside the checkout; the test is skipped where it is absent."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the public data set in ../shared/data, which is not part of this repository")
    return folder
