"""A program for Windows under Wine, read from Linux: what the bridge to Proton amounts to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import ac_tables
import numpy as np
import pytest

from actwin.errors import SourceError
from actwin.telemetry.ac.memory import SharedMemorySource
from actwin.telemetry.ac.page_writer import BRIDGE_SIZE
from actwin.telemetry.ac.pages import GRAPHICS_NAME, PHYSICS_NAME, STATIC_NAME

HERE = Path(__file__).parent
COMPILER = shutil.which("x86_64-w64-mingw32-gcc")
WINE = next((path for name in ("wine64", "wine", "/usr/lib/wine/wine64") if (path := shutil.which(name))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (COMPILER and WINE and sys.platform == "linux"), reason="needs Wine and MinGW (64 bit)"),
]


class Windows:
    """A Wine prefix of its own, in which C programs run.

    Args:
        folder: To keep it in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "WINEPREFIX": str(folder / "prefix"), "WINEDEBUG": "-all", "DISPLAY": ""}

    def start(self, source: str, *words: str) -> subprocess.Popen[str]:
        """Compiles a C program and starts it."""
        program, code = self.folder / "program.exe", self.folder / "program.c"
        code.write_text(source, encoding="utf-8")
        command = [str(COMPILER), "-Wall", "-Werror", f"-I{HERE}", str(code), "-o", str(program)]
        subprocess.run(command, check=True, timeout=60)
        return subprocess.Popen(
            [str(WINE), str(program), *words],
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def shut_down(self) -> None:
        """Ends what Wine leaves running in this prefix."""
        server = next(
            (path for name in ("wineserver", "/usr/lib/wine/wineserver64") if (path := shutil.which(name))), None
        )
        if server is not None:
            subprocess.run([server, "-k"], env=self.environment, check=False, timeout=30)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Windows]:
    made = Windows(tmp_path_factory.mktemp("windows"))
    yield made
    made.shut_down()


def test_pages_come_out_of_the_prefix(tmp_path: Path, windows: Windows) -> None:
    folder = tmp_path / "shm"
    folder.mkdir()
    for name in (PHYSICS_NAME, GRAPHICS_NAME, STATIC_NAME):
        (folder / name).write_bytes(bytes(BRIDGE_SIZE))
    source = (HERE / "ac_fake_game.c").read_text(encoding="utf-8")
    game = windows.start(source, f"Z:{folder}".replace("/", "\\"), "400")
    try:
        with SharedMemorySource(folder) as reader:
            try:
                info = reader.connect(timeout=90.0)
            except SourceError as error:
                game.kill()
                pytest.fail(f"{error} The program said: {game.communicate()[0]}")
            assert (info.car, info.track, info.layout, info.driver) == ("ks_porsche_911_gt3_r_2016", "imola", "", "Åsa")
            assert (info.max_rpm, info.track_length) == (9250.0, 4889.5)
            steps = []
            for _ in range(100):
                sample = reader.read(1.0)
                assert sample is not None
                frame = sample.frame[0]
                steps.append(int(frame["packet_id"]))
                assert frame["speed"] == frame["vx"] == 10.0
                assert frame["steer"] == -0.25
                assert abs(frame["x"] - 0.03 * frame["packet_id"]) < 0.07
            assert (np.diff(steps) > 0).all()
        told = game.communicate(timeout=60)[0]
        assert (game.returncode, told.split()) == (0, ["ended"])
    finally:
        game.kill()
        game.wait()


def test_windows_compilers_agree_on_the_layout(windows: Windows) -> None:
    lines = [
        f'printf("{record} {field} %d %d\\n", (int)offsetof({record}, {field}), (int)sizeof((({record} *)0)->{field}));'
        for record in ac_tables.SIZES
        for field in ac_tables.fields(record)
    ]
    head = '#include <stddef.h>\n#include <stdio.h>\n#include "ac_interfaces.h"\n'
    program = windows.start(f"{head}int main(void) {{\n{chr(10).join(lines)}\nreturn 0;\n}}\n")
    try:
        told = program.communicate(timeout=90)[0]
    finally:
        program.kill()
        program.wait()
    found = {(record, field): (int(at), int(size)) for record, field, at, size in map(str.split, told.splitlines())}
    assert found == {(r, f): place for r in ac_tables.SIZES for f, place in ac_tables.fields(r).items()}
