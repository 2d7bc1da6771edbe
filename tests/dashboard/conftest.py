"""What the tests of the dashboard share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit", reason="needs the extra: pip install 'actwin[dashboard]'")
sys.path.insert(0, str(Path(__file__).parent))

from tests_dashboard import write_driven

from actwin.dashboard import settings


@pytest.fixture(scope="session")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two good sessions."""
    root = tmp_path_factory.mktemp("driven")
    write_driven(root, "Ada")
    write_driven(root, "Grace", [82.5, 84.5], hours=1.0)
    return root


@pytest.fixture
def place(tmp_path: Path) -> Callable[..., settings.Settings]:
    """`place(sessions=…)`: what the pages show."""
    before = settings.current()

    def put(**folders: Any) -> settings.Settings:
        defaults = {"sessions": tmp_path / "none", "runs": tmp_path / "runs", "configs": tmp_path / "configs"}
        made = settings.Settings(**(defaults | {"source": "udp:127.0.0.1:9"} | folders))
        settings.configure(made)
        return made

    yield put
    settings.configure(before)
