"""What is installed: the game, our app in it, the Custom Shaders Patch, torch."""

from __future__ import annotations

import importlib
import platform
from importlib.metadata import PackageNotFoundError, version

import actwin
from actwin.content.app_install import MODULES, SOCKET_MODULE, installed_version
from actwin.content.game import Game, app_on, find, python_apps_on, shaders_patch
from actwin.driving.health_check import Check

INSTALL: str = "Run: actwin install-app"


def check_actwin() -> Check:
    """This package and its interpreter."""
    words = f"actwin {actwin.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("actwin", True, words)


def check_game(game: Game) -> Check:
    """The game was found; it must have been started once, so that its settings exist."""
    where = f"{game.root}, settings in {game.documents}" + (f", prefix {game.prefix}" if game.prefix else "")
    if find(game.settings, "gameplay.ini") or find(game.settings, "python.ini"):
        return Check("game", True, where)
    return Check("game", False, f"{where}; it was never started.", "Start Assetto Corsa once.")


def check_app(game: Game) -> Check:
    """Our app is in the game, of this version, and switched on."""
    have, ours = installed_version(game.app_folder), installed_version()
    if have is None:
        return Check("in-game app", False, "It is not installed.", INSTALL)
    if have != ours:
        return Check("in-game app", False, f"It is version {have}; this actwin has {ours}.", INSTALL)
    if python_apps_on(game) is False:
        return Check("in-game app", False, f"Version {have}, but the game's Python apps are off.", INSTALL)
    if not app_on(game):
        cure = "Switch actwin on in the game under Options, General, UI modules; or run: actwin install-app"
        return Check("in-game app", False, f"Version {have}, but it is switched off.", cure)
    return Check("in-game app", True, f"Version {have}, switched on.")


def check_app_sockets(game: Game) -> Check:
    """Python's socket module for the game's interpreter; whether the game brings it is not certain."""
    if find(game.app_folder, MODULES, SOCKET_MODULE):
        return Check("app's sockets", True, f"{SOCKET_MODULE} is with the app.")
    cure = (
        "If the game's py_log.txt says that Python's socket module is missing: "
        f"actwin install-app --modules FOLDER, with {SOCKET_MODULE} of CPython 3.3 (64 bit) in it"
    )
    return Check("app's sockets", None, f"{SOCKET_MODULE} is not with the app; the game may bring its own.", cure)


def check_shaders_patch(game: Game) -> Check:
    """The Custom Shaders Patch with Custom AI, by which a car is driven without a virtual controller."""
    patch = shaders_patch(game)
    name = "Custom Shaders Patch"
    if patch is None:
        return Check(name, False, "It is not installed.", "Install it with Content Manager, 0.1.78 or newer.")
    told = patch.version or "of unknown version"
    if not patch.active:
        return Check(name, False, f"{told}, but it is switched off.", "Switch it on in Content Manager.")
    if not patch.knows_custom_ai:
        return Check(name, False, f"{told} has no Custom AI.", "Update it to 0.1.78 or newer.")
    if not patch.custom_ai:
        return Check(name, False, f"{told}, Custom AI is switched off.", INSTALL)
    return Check(name, True, f"{told}, Custom AI is switched on.")


def check_torch() -> Check:
    """torch and a graphics card for training; driving needs only the first."""
    try:
        torch_version = version("torch")
        torch = importlib.import_module("torch")
    except (PackageNotFoundError, ImportError) as error:
        cure = 'pip install "actwin[train]"'
        return Check("torch", None, f"torch cannot be used ({error}); scripted drivers work without it.", cure)
    if torch.cuda.is_available():
        return Check("torch", True, f"{torch_version}, {torch.cuda.get_device_name(0)}")
    return Check("torch", True, f"{torch_version}, no graphics card that it can use; training runs on the processor.")
