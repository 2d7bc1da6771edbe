"""The documents agree with the code and with each other."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
SET_UP = 'pip install -e ".[dev]" -c constraints.txt'


def read(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_channel_page_is_current() -> None:
    """Run `python docs/channels.py` after a change of the channel table."""
    spec = importlib.util.spec_from_file_location("channel_page", REPOSITORY / "docs" / "channels.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert read("docs/channels.md") == module.page()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert missing == []


def test_quick_start_is_what_ci_runs() -> None:
    assert f"{SET_UP} && actwin demo" in read("README.md")
    assert f"{SET_UP} && pytest" in read("README.md")
    assert f"\n{SET_UP} && pytest\n" in read(".ci/run")


def test_versions_are_exact_and_complete() -> None:
    pins = [line for line in read("constraints.txt").splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins), "no ranges, markers or local versions"
    pinned = {pin.split("==")[0].lower() for pin in pins}
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    names = {re.split(r"[\s\[<>=~!;]", requirement)[0].lower() for requirement in wanted} - {project["name"]}
    assert names - pinned == set()


def test_requirements_install_the_same() -> None:
    assert "-e .[dev]" in read("requirements.txt").splitlines()
    assert "-c constraints.txt" in read("requirements.txt").splitlines()
