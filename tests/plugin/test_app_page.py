"""The protocol's page names everything that is spoken."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_session import Session

from actwin.telemetry.ac.app_frames import SHAPES


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "app_protocol.md").read_text(encoding="utf-8")


def test_every_name_that_is_read_is_explained(page: str) -> None:
    names = [name for name in SHAPES if "." not in name]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_setting_and_command_is_known_to_the_page_or_the_file(page: str, session: Session) -> None:
    settings = session.host.modules["settings"].defaults()
    config = (Path(session.host.modules["settings"].__file__).parents[1] / "config.ini").read_text(encoding="utf-8")
    assert [name for name in settings if f"\n{name} = {settings[name]}\n" not in config] == []
    ours = session.host.modules["ego"].RELEASED
    assert [name for name in ours if f"`{name}`" not in page] == []
