"""`actwin video`: a drive as a film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actwin.cli.options import SessionsOption
from actwin.cli.terminal import console

if TYPE_CHECKING:
    from actwin.driving.footage import Footage

EXAMPLES = (
    "Examples: actwin video last · actwin video last:best --out lap.mp4 · "
    "actwin video runs/demo/laps/rl_driver.npz:2 --fps 60"
)


def video(
    drive: Annotated[
        str,
        typer.Argument(
            help="A session (name, folder, last) or a rollout (.npz); with :NUMBER or :best one lap of it.",
            metavar="SESSION[:LAP]",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The .mp4 file.", show_default="named after the drive")
    ] = None,
    fps: Annotated[int, typer.Option(min=10, max=120, help="\\[Hz] Pictures a second.")] = 30,
    track: Annotated[
        str | None, typer.Option("--track", "-t", help="The road, where the session's own is not in the library.")
    ] = None,
    folder: SessionsOption = None,
) -> None:
    """Film a drive from above, with its instruments. Needs: pip install "actwin\\[video]"."""
    from actwin.driving.film import require_encoder
    from actwin.driving.footage import find_footage
    from actwin.telemetry.store.folder import DEFAULT

    path = out or Path(f"{_stem(drive)}.mp4")
    require_encoder(path)
    console().print(f"Written: {shoot(find_footage(drive, track, folder or DEFAULT), path, fps)}", soft_wrap=True)


def shoot(footage: Footage, path: Path, fps: int = 30) -> Path:
    """Films and shows how far it is.

    Args:
        footage: The drive.
        path: The .mp4 file.
        fps: [Hz] Pictures a second.
    """
    from actwin.driving.film import film

    with console(stderr=True).status("Filming", spinner="line") as status:
        return film(footage, path, fps=fps, on_progress=lambda share: status.update(f"Filming {share:.0%}"))


def _stem(drive: str) -> str:
    name, mark, which = drive.rpartition(":")
    if not mark or not (which == "best" or which.isdecimal()):
        name, which = drive, ""
    return "_".join(filter(None, (Path(name).stem or "drive", which)))
