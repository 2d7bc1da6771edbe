"""Which recorded drives demonstrate, and whether they fit the task."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actwin.cockpit.completion import Completion
from actwin.content.car import Car
from actwin.content.library import load_car, load_track
from actwin.content.track import Track
from actwin.env.task import Task
from actwin.errors import ConfigError, ContentError, UnknownNameError
from actwin.telemetry.channels import FRAME_CHANNELS
from actwin.telemetry.store.folder import is_session
from actwin.telemetry.store.listing import find_session, scan
from actwin.telemetry.store.session import Session
from actwin.telemetry.store.tape import Tape, tape_of_file, tape_of_session
from actwin.training.imitation_config import ImitationConfig

FILES: Final = (".csv", ".ld")
"""Endings of recordings of other programs."""
POSE: Final = ("x", "y", "yaw")
STEERING: Final = ("steer", "steer_angle")
MOTION: Final = ("vx", "vy", "yaw_rate", "wheel_speed")
"""From which slips follow where a source does not tell them."""
JUDGED: Final = ("speed", "ax")
"""Channels that rewards are worked out from, beside the place on the road."""


def chosen(config: ImitationConfig, task: Task) -> list[Tape]:
    """The drives that the settings name, each once, as far as their drivers are wanted.

    Raises:
        UnknownNameError, SessionError: There is no such session, or it cannot be read.
        ConfigError: A pattern that nothing fits, a drive on another track or of another car, or no driver that is
            wanted.
    """
    tapes = [_tape(place) for place in _places(config)]
    for tape in tapes:
        _require_same(tape, "track", tape.track, task.track.name, config.any_track)
        _require_same(tape, "car", tape.car, task.car.identity.name, config.any_car)
    wanted = [tape for tape in tapes if not config.drivers or tape.driver in config.drivers]
    if not wanted:
        drivers = ", ".join(sorted({tape.driver or "somebody without a name" for tape in tapes}))
        raise ConfigError(
            f"imitation.drivers: no drive is by {', '.join(config.drivers)}; there are drives by {drivers}."
        )
    return wanted


def _places(config: ImitationConfig) -> list[Path]:
    """Folders of sessions and files, in the order in which they are named."""
    places: dict[Path, Path] = {}
    for name in config.sessions:
        found = _fitting(name, Path(config.folder)) if any(mark in name for mark in "*?[") else [_named(name, config)]
        places |= {place.resolve(): place for place in found}
    return list(places.values())


def _fitting(pattern: str, folder: Path) -> list[Path]:
    """What fits a pattern, from here and in the folder of sessions."""
    anchor = Path(pattern).anchor
    here, part = Path(anchor), Path(pattern).relative_to(anchor).as_posix()
    found = {*here.glob(part), *(() if anchor else folder.glob(part))}
    fitting = sorted(place for place in found if is_session(place) or _is_file(place))
    if not fitting:
        known = [session.name for session in scan(folder).sessions]
        there = f"there are {', '.join(known[:5])}" if known else "it holds none; record one with: actwin record"
        raise ConfigError(f"imitation.sessions: no recorded drive fits '{pattern}' in {folder.as_posix()}: {there}.")
    return fitting


def _named(name: str, config: ImitationConfig) -> Path:
    path = Path(name)
    return path if path.suffix.lower() in FILES else find_session(name, config.folder).folder


def _is_file(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in FILES


def _tape(place: Path) -> Tape:
    return tape_of_session(Session.open(place)) if is_session(place) else tape_of_file(place)


def _require_same(tape: Tape, kind: str, theirs: str, ours: str, allowed: bool) -> None:
    """Refuses a drive of something else; one that does not say is believed."""
    if allowed or not theirs or _known_name(kind, theirs) == ours:
        return
    raise ConfigError(
        f"{tape.name}: was recorded with the {kind} '{theirs}', but env.{kind} is '{ours}'. Leave it out of "
        f"imitation.sessions, train for env.{kind}={theirs}, or use it all the same with imitation.any_{kind}=true."
    )


def _known_name(kind: str, name: str) -> str:
    """Our name of a track or car that a game or a person may call otherwise."""
    try:
        return load_track(name).name if kind == "track" else load_car(name).identity.name
    except (UnknownNameError, ContentError):
        return name


class Channels:
    """What a drive tells of what a task needs.

    Args:
        tape: The drive.
        task: The task.
        rewards: Whether rewards are wanted, too.

    Attributes:
        completion: Fills what can be derived; None without a position in the world.
        needed: Channels of FRAME whose numbers a row must have.

    Raises:
        ConfigError: The task shows what the drive does not tell, or it does not tell what the driver did.
    """

    def __init__(self, tape: Tape, task: Task, rewards: bool) -> None:
        names = {channel.name for channel in FRAME_CHANNELS}
        self._tape, self._task = tape, task
        self.completion = self._completion(task.track, task.car, names)
        able = set(tape.told & names)
        if self.completion is not None:
            able = names - self.completion.lacking
        elif able & set(STEERING):
            able |= set(STEERING)
        self._require_controls(able)
        shown = self._shown(able)
        if rewards:
            self._require_what_is_judged(able)
            shown |= set(JUDGED) & tape.told
        self.tells_validity = "lap_valid" in able
        self.needed = (shown | {*POSE, *STEERING, "speed", "throttle", "brake"}) & tape.told
        if self.completion is not None and self.completion.derived & {"slip_ratio", "slip_angle", "grip_use"}:
            self.needed |= set(MOTION) & tape.told

    def _completion(self, track: Track, car: Car, names: set[str]) -> Completion | None:
        if not self._tape.told >= set(POSE):
            return None
        return Completion(track, car, names - self._tape.told, self._task.config.period)

    def _require_controls(self, able: set[str]) -> None:
        lacking = sorted({"steer", "throttle", "brake"} - able)
        if lacking:
            raise ConfigError(
                f"{self._tape.name}: does not tell {', '.join(lacking)}, so what the driver did is not known. Leave it "
                "out of imitation.sessions."
            )
        if self._task.actions.gears and "gear" not in able:
            raise ConfigError(
                f"{self._tape.name}: does not tell the gear, which the driver is to learn. Set "
                "env.action.gear=automatic, or leave the drive out of imitation.sessions."
            )

    def _shown(self, able: set[str]) -> set[str]:
        """Channels that the task shows."""
        plain, lacking, left = set[str](), set[str](), list[str]()
        for feature in self._task.layout.features:
            if feature.source in ("channel", "code"):
                needs = {feature.column}
            else:
                needs = set() if feature.source == "controls" else {*POSE, "speed"}
            plain |= needs
            lacking |= needs - able
            left += [] if needs - able else [feature.name]
        if lacking:
            raise ConfigError(
                f"{self._tape.name}: does not tell {', '.join(sorted(lacking))}, which the task shows. Show what it "
                f"tells with env.observation.features=[{','.join(left)}], or leave the drive out of imitation.sessions."
            )
        return plain

    def _require_what_is_judged(self, able: set[str]) -> None:
        lacking = sorted({*POSE, "speed"} - able)
        if lacking:
            raise ConfigError(
                f"{self._tape.name}: does not tell {', '.join(lacking)}, without which nobody can say what the drive "
                "was worth. Learn from it with agent.type=ppo, which clones it only, or leave it out."
            )
