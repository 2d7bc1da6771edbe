"""`actwin evaluate`: laps with trained drivers, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actwin.cli.options import JsonOption
from actwin.cli.terminal import console, table

if TYPE_CHECKING:
    from actwin.training.drives import Drive
    from actwin.training.race import Entrant, Plan, Race

EXAMPLES = (
    "Examples: actwin evaluate runs/demo · actwin evaluate runs/seed_* --rows episodes · "
    "actwin evaluate runs/monza --episodes 32 --starts random --laps 10 · "
    "actwin evaluate runs/a policy.onnx --format markdown · "
    "actwin evaluate runs/monza/last.pt --save-rollouts sessions --video lap.mp4"
)
EPISODES = 10


class Format(StrEnum):
    """How tables are written."""

    TABLE = "table"
    CSV = "csv"
    MARKDOWN = "markdown"


class Rows(StrEnum):
    """What has a row of its own."""

    DRIVERS = "drivers"
    EPISODES = "episodes"
    LAPS = "laps"


def evaluate(
    runs: Annotated[
        list[str],
        typer.Argument(help="Folders of runs, checkpoints, or exported policies.", metavar="RUN_OR_CHECKPOINT..."),
    ],
    episodes: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Starts: one of each fixed kind, then random ones.", show_default="10"),
    ] = None,
    starts: Annotated[
        str, typer.Option(help="Kinds of start, with commas: grid, flying, pit_out, random.")
    ] = "grid,flying,random",
    laps: Annotated[int, typer.Option(min=1, max=1000, help="Full laps from each start.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the random starts; every driver gets the same.")] = 0,
    track: Annotated[str | None, typer.Option("--track", "-t", help="Another track than that of the training.")] = None,
    expert: Annotated[bool, typer.Option("--expert/--no-expert", help="Let the scripted expert drive, too.")] = True,
    save: Annotated[
        Path | None, typer.Option("--save-rollouts", "--save", help="Keep every drive as a session in this folder.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--save-results", help="Write all figures to this JSON file, too.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Film the drive with the fastest lap of a trained driver into this .mp4 file.")
    ] = None,
    rows: Annotated[
        Rows | None, typer.Option(help="What to list.", show_default="drivers, of one driver its episodes, too")
    ] = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to list it.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Drive laps with trained drivers, without exploration, and compare them."""
    from actwin.training.race import Plan, hold_races

    kinds = tuple(word.strip() for word in starts.split(",") if word.strip())
    count = episodes or (EPISODES if "random" in kinds else max(len(set(kinds)), 1))
    plan = Plan(kinds, count, laps, seed)
    keeper = _Keeper(plan, save, video)
    races = hold_races(runs, plan, track, expert=expert, keep=keeper)
    if results is not None:
        _write(results, _json(races, plan) + "\n")
    if as_json:
        typer.echo(_json(races, plan))
    elif form is Format.CSV:
        typer.echo(_csv(races, rows or Rows.DRIVERS), nl=False)
    else:
        _show(races, plan, rows, form)
    keeper.film()


class _Keeper:
    """Saves drives as sessions while they come, and remembers the one to be filmed.

    Args:
        plan: What is driven.
        folder: For sessions; None saves none.
        video: File; None films nothing.
    """

    def __init__(self, plan: Plan, folder: Path | None, video: Path | None) -> None:
        if video is not None:
            from actwin.driving.film import require_encoder

            require_encoder(video)
        self._plan, self._folder, self._video = plan, folder, video
        self._star: Drive | None = None

    def __call__(self, entrant: Entrant, number: int, drive: Drive) -> None:
        """Gets every drive."""
        from actwin.training.rollouts import save_rollout

        if self._folder is not None:
            session = save_rollout(self._folder, entrant, number, drive, self._plan)
            console(stderr=True).print(f"Session {session.folder}", soft_wrap=True)
        if entrant.checkpoint is not None and (self._star is None or drive.best < self._star.best):
            self._star = drive

    def film(self) -> None:
        """Makes the video."""
        if self._video is None or self._star is None or self._star.rollout is None:
            return
        from actwin.cli.video import shoot
        from actwin.driving.footage import of_rollout

        made = shoot(of_rollout(self._star.rollout, self._star.sent), self._video)
        console(stderr=True).print(f"Video {made}", soft_wrap=True)


def _json(races: Sequence[Race], plan: Plan) -> str:
    from actwin.cli.evaluation_tables import everything

    return json.dumps(everything(races, plan), allow_nan=False, indent=2)


def _write(path: Path, text: str) -> None:
    from actwin.errors import ConfigError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: the results cannot be written ({error}). Choose another file.") from error


def _csv(races: Sequence[Race], rows: Rows) -> str:
    from actwin.cli import evaluation_tables as tables
    from actwin.training.comparison import compare

    found: list[dict[str, Any]] = []
    for race in races:
        if rows is Rows.DRIVERS:
            found += tables.driver_values(race, compare(race))
        else:
            found += tables.episode_values(race) if rows is Rows.EPISODES else tables.lap_values(race)
    return tables.comma_separated(found)


def _show(races: Sequence[Race], plan: Plan, rows: Rows | None, form: Format) -> None:
    from actwin.cli import evaluation_tables as tables
    from actwin.training.comparison import compare

    for race in races:
        alone = sum(entry.entrant.checkpoint is not None for entry in race.entries) == 1
        sheets: list[tables.Sheet] = []
        if rows is Rows.LAPS:
            sheets += tables.lap_sheets(race)
        if rows is Rows.EPISODES or (rows is None and alone):
            sheets += tables.episode_sheets(race)
        if rows in (None, Rows.DRIVERS):
            sheets += tables.driver_sheets(compare(race))
        if form is Format.MARKDOWN:
            typer.echo(f"{race.title}\n\n{tables.markdown(sheets)}\n\n{tables.legend(race, plan)}\n")
            continue
        console().print(race.title, style="bold")
        for heads, lines in sheets:
            out = table(*heads, numbers=tuple(range(1, len(heads))))
            for line in lines:
                out.add_row(*line)
            console().print(out)
        console().print(tables.legend(race, plan), style="dim")
