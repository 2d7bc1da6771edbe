"""Running the in-game app's own code outside the game, on a `FakeAc`."""

from __future__ import annotations

import importlib.util
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import actwin.plugin
from actwin.errors import ConfigError, SourceError
from actwin.telemetry.ac.custom_ai import CAR_CONTROLS, controls_name
from actwin.twin.emulator.fake_ac import FakeAc

APP_FOLDER: Final = Path(actwin.plugin.__file__).parent / "app" / "actwin"
"""The app as it is copied into the game."""
PORTS: Final = ("ego", "opponents", "management")

_PACKAGE: Final = "actwin_app"
_loading = threading.Lock()


class AppHost:
    """One instance of the app; several can live side by side.

    ```
    fake = FakeAc(info, car)
    with AppHost(fake, ports=(0, 0, 0)) as host:
        fake.update(frames, games)
        host.update(0.02)                      # one rendered frame
        host.controls                          # CAR_CONTROLS[1], or None while no client drives
    ```

    Args:
        fake: The game that the app sees.
        ports: Of telemetry (UDP), opponents and management (TCP); 0 takes a free one.
        host: Address that the app listens on.
        settings: More of the app's settings, by their name in config.ini.
        root: Folder that stands for the game's, with `content/`; None for one without content.
        clock: The app's clock, in seconds.
        folder: The app's code.

    Attributes:
        fake: As given.
        addresses: Host and port of each server, by the names in `PORTS`.
        modules: The app's modules, by their names in its package.

    Raises:
        ConfigError: A setting that the app does not have or take.
        SourceError: A port is taken.
    """

    def __init__(
        self,
        fake: FakeAc,
        ports: tuple[int, int, int] = (2345, 2346, 2347),
        host: str = "127.0.0.1",
        settings: Mapping[str, object] | None = None,
        root: Path | None = None,
        clock: Callable[[], float] = time.perf_counter,
        folder: Path = APP_FOLDER,
    ) -> None:
        self.fake = fake
        self._mappings: dict[str, bytearray] = {}
        self._entry, self.modules = _load(folder, fake)
        wanted: dict[str, object] = {
            **{f"{_prefix(name)}_server_port": port for name, port in zip(PORTS, ports, strict=True)},
            **{f"{_prefix(name)}_server_host_name": host for name in PORTS},
            **(settings or {}),
        }
        config, problems = self.modules["settings"].check({name: str(value) for name, value in wanted.items()})
        if problems:
            raise ConfigError(f"The app's settings do not fit: {' '.join(problems)}")
        self._entry.PARTS.update(
            clock=clock,
            read_page=fake.read_page,
            open_mapping=self._open_mapping,
            root=str(root) if root is not None else str(folder / "no content"),
            config=config,
        )
        self._entry.acMain("1.16")
        running = self._entry.running
        if running is None or len(running.servers) < len(PORTS):
            said = " ".join(line for line in self.fake.journal if "cannot be opened" in line or "failed" in line)
            self.close()
            raise SourceError(f"The in-game app could not start. {said} Choose other ports, or end what uses these.")
        self.addresses: dict[str, tuple[str, int]] = {name: running.servers[name].address for name in PORTS}

    @property
    def ports(self) -> tuple[int, int, int]:
        """Ports of telemetry, opponents and management, as bound."""
        ego, opponents, management = (self.addresses[name][1] for name in PORTS)
        return ego, opponents, management

    @property
    def controls(self) -> npt.NDArray[Any] | None:
        """CAR_CONTROLS[1] that the app wrote last, None before a client drove for the first time."""
        written = self._mappings.get(controls_name(0))
        return None if written is None else np.frombuffer(written, CAR_CONTROLS)

    @property
    def driven(self) -> bool:
        """Whether a client drives at this moment; after its silence the app sends neutral controls."""
        running = self._entry.running
        return running is not None and "ego" in running.servers and running.servers["ego"].driver is not None

    @property
    def clients(self) -> int:
        """Clients that get telemetry."""
        running = self._entry.running
        return len(running.servers["ego"].clients) if running is not None and "ego" in running.servers else 0

    def update(self, delta: float) -> None:
        """One rendered frame.

        Args:
            delta: [s] Since the frame before.
        """
        self._entry.acUpdate(delta)

    def close(self) -> None:
        """The session ends; harmless when repeated."""
        self._entry.acShutdown()

    def __enter__(self) -> AppHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_mapping(self, name: str, size: int) -> bytearray:
        return self._mappings.setdefault(name, bytearray(size))


def _prefix(name: str) -> str:
    """How the app's settings name a server."""
    return "simulation_management" if name == "management" else name


def _load(folder: Path, fake: FakeAc) -> tuple[Any, dict[str, Any]]:
    """The app's entry module and the modules of its package, which nobody else shares."""
    entry_path = folder / "actwin.py"
    if not entry_path.is_file():
        raise SourceError(f"{folder} does not hold the in-game app. Reinstall actwin.")
    stand_ins: dict[str, ModuleType] = {"ac": fake.ac, "acsys": fake.acsys}
    with _loading:
        kept = {name: module for name, module in sys.modules.items() if _of_app(name) or name in stand_ins}
        path = list(sys.path)
        for name in kept:
            del sys.modules[name]
        sys.modules.update(stand_ins)
        try:
            spec = importlib.util.spec_from_file_location(f"{_PACKAGE}_entry", entry_path)
            assert spec is not None
            assert spec.loader is not None
            entry = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(entry)
            modules = {name.partition(".")[2]: module for name, module in sys.modules.items() if _of_app(name)}
        finally:
            sys.path[:] = path
            for name in [name for name in sys.modules if _of_app(name) or name in stand_ins]:
                del sys.modules[name]
            sys.modules.update(kept)
    return entry, modules


def _of_app(name: str) -> bool:
    """Whether a module belongs to the app."""
    return name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
