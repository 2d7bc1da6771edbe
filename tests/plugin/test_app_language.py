"""The app must run in CPython 3.3 with nothing but its standard library."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actwin.twin.emulator.app_host import APP_FOLDER

FILES = sorted(APP_FOLDER.rglob("*.py"))
OLDEST_GRAMMAR = (3, 4)
"""Oldest that the parser can be asked for; vermin knows the step from 3.3."""

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@every_file
def test_grammar_is_old_enough(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=OLDEST_GRAMMAR)
    for node in ast.walk(tree):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.NamedExpr | ast.AsyncFunctionDef), node.lineno
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            assert node.returns is None, node.lineno
            assert all(argument is None or argument.annotation is None for argument in arguments), node.lineno
    # A comma after *args in a call came with 3.5, in a definition with 3.6.
    assert not re.search(r"\*\w+,\s*\)", text)


def test_vermin_finds_nothing_newer() -> None:
    pytest.importorskip("vermin")
    code = "import sys, vermin; sys.exit(vermin.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "-t=3.3", "--no-tips", "--violations", str(APP_FOLDER)],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr


@every_file
def test_only_the_standard_library_and_the_game_are_imported(path: Path) -> None:
    allowed = sys.stdlib_module_names | {"ac", "acsys", "actwin_app"}
    absent = {"select", "selectors", "ctypes", "ssl", "threading", "multiprocessing", "pickle"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            assert name.split(".")[0] in allowed - absent, f"{path.name}:{node.lineno} imports {name}"


def test_the_folder_is_what_the_game_expects() -> None:
    """apps/python/NAME/NAME.py with three functions."""
    tree = ast.parse((APP_FOLDER / f"{APP_FOLDER.name}.py").read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"acMain", "acUpdate", "acShutdown"} <= functions


def run_bare_game(python: list[str], **options: Any) -> None:
    script = Path(__file__).with_name("bare_game.py")
    done = subprocess.run(
        [*python, "-B", "-W", "error", str(script), str(APP_FOLDER)],
        capture_output=True, check=False, encoding="utf-8", **options,
    )  # fmt: skip
    assert done.stdout.strip() == "ok", done.stdout + done.stderr


@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5", "3.6"])
def test_runs_in_an_old_interpreter(version: str) -> None:
    """The oldest interpreters at hand run the app for a few frames."""
    python = shutil.which(f"python{version}")
    environment = {**os.environ, "PYENV_VERSION": version}  # where pyenv holds the interpreters
    quiet = subprocess.DEVNULL
    if python is None or subprocess.run([python, "-c", ""], env=environment, check=False, stderr=quiet).returncode:
        pytest.skip(f"no Python {version} here")
    run_bare_game([python], env=environment)


def test_runs_in_this_interpreter() -> None:
    """On Windows through the game's named mappings."""
    run_bare_game([sys.executable])


PUBLIC = """
log console newApp setSize addLabel setPosition setText getCarState getCarsCount getCarName getDriverName getTrackName
getTrackConfiguration getTrackLength getWindSpeed getWindDirection getLastSplits isCarInPit isCarInPitlane
ext_resetCar ext_patchVersion
"""
"""Functions of the game and, with ext_, of the patch that public documents and stubs name."""


def test_only_public_functions_of_the_game_are_called() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    used = set(re.findall(r"\b(?:self\._)?ac\.(\w+)", text)) | set(
        re.findall(r"getattr\((?:self\._)?ac, \"(\w+)", text)
    )
    assert used <= set(PUBLIC.split())
    assert {"getCarState", "ext_resetCar"} <= used
