"""The app must run in CPython 3.3 with nothing but its standard library."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

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


OLD_PYTHON = r"""
import json, socket, sys, types
ac, acsys = types.ModuleType("ac"), types.ModuleType("acsys")
class Any(object):
    def __getattr__(self, name): return name
acsys.CS = acsys.WHEELS = Any()
vectors = {"WorldPosition": 3, "LocalVelocity": 3, "Velocity": 3, "LocalAngularVelocity": 3, "AccG": 3, "SlipAngle": 4}
ac.getCarState = lambda car, state, wheel=0: (0.5,) * vectors[state] if state in vectors else 0.25
for name in ("log", "console", "newApp", "setSize", "addLabel", "setPosition", "setText", "getWindSpeed"):
    setattr(ac, name, lambda *args: 0)
for name, value in (("CarName", "car"), ("TrackName", "track"), ("TrackConfiguration", -1), ("CarsCount", 1)):
    setattr(ac, "get" + name, lambda *args, value=value: value)
sys.modules["ac"], sys.modules["acsys"] = ac, acsys
sys.path.insert(0, sys.argv[1])
import actwin
from actwin_app import settings
config = settings.defaults()
for name in ("ego", "opponents", "simulation_management"):
    config[name + "_server_port"] = 0
actwin.PARTS.update(config=config, read_page=lambda name, size: bytes(size), root=sys.argv[1])
assert actwin.acMain("1.16") == "actwin"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
client.sendto(b"connect", actwin.running.servers["ego"].address)
for _ in range(8):
    actwin.acUpdate(0.02)
assert client.recv(65536) == b"identified"
message = json.loads(client.recv(65536).decode())
assert message["speed"] == 0.25 and message["steps"] == 1, message
client.sendto(b'{"steer": 0.5, "acc": 1, "brake": -1}', actwin.running.servers["ego"].address)
actwin.acUpdate(0.02)
assert actwin.running.servers["ego"].driver.controls["steer"] == 0.5
actwin.acShutdown()
client.close()
print("ok")
"""


@pytest.mark.parametrize("version", ["3.3", "3.4", "3.5", "3.6"])
def test_runs_in_an_old_interpreter(version: str) -> None:
    """The oldest interpreters at hand run the app for a few frames."""
    python = shutil.which(f"python{version}")
    environment = {**os.environ, "PYENV_VERSION": version}  # where pyenv holds the interpreters
    quiet = subprocess.DEVNULL
    if python is None or subprocess.run([python, "-c", ""], env=environment, check=False, stderr=quiet).returncode:
        pytest.skip(f"no Python {version} here")
    done = subprocess.run(
        [python, "-B", "-W", "error", "-c", OLD_PYTHON, str(APP_FOLDER)],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env=environment,
    )
    assert done.stdout.strip() == "ok", done.stdout + done.stderr


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
