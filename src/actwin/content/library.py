"""The bundled tracks and cars, by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from actwin.content.car import Car
from actwin.content.cars import read_car
from actwin.content.closed_form import oval, skid_pad
from actwin.content.track import Track
from actwin.content.track_files import read_track
from actwin.errors import ContentError, UnknownNameError

DATA: Final = Path(__file__).parent / "data"

CLOSED_FORM: Final[dict[str, Callable[[], Track]]] = {"oval": oval, "skid_pad": skid_pad}

TRACK_ALIASES: Final = {
    "autodromo_nazionale_monza": "monza",
    "spa_francorchamps": "spa",
    "catalunya": "barcelona",
    "ks_barcelona": "barcelona",
    "spielberg": "red_bull_ring",
    "ks_red_bull_ring": "red_bull_ring",
    "austria": "red_bull_ring",
    "hungaroring": "budapest",
    "hungary": "budapest",
    "interlagos": "sao_paulo",
    "saopaulo": "sao_paulo",
}
"""Other names of bundled tracks, written as `normalised` writes them."""


def normalised(name: str) -> str:
    """A name in lower case without accents, spaces and hyphens turned into underscores."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return plain.strip().lower().replace(" ", "_").replace("-", "_")


def track_names() -> list[str]:
    """Names of the bundled tracks, sorted."""
    return sorted([path.stem for path in (DATA / "tracks").glob("*.toml")] + list(CLOSED_FORM))


def car_names() -> list[str]:
    """Names of the bundled cars, sorted."""
    return sorted(path.stem for path in (DATA / "cars").glob("*.toml"))


def load_track(name_or_path: str | Path) -> Track:
    """A track by name, alias, or path of a compact track file or of a survey, which is fitted on the spot.

    Args:
        name_or_path: "monza", "Interlagos", "my_track.toml", "survey.csv", "fast_lane.ai".

    Raises:
        UnknownNameError: No bundled track has this name.
        ContentError: The file cannot be used.
    """
    path = _as_path(name_or_path, (".toml", ".csv", ".ai"))
    if path is None:
        return _bundled_track(_resolve("track", str(name_or_path), track_names(), TRACK_ALIASES))
    if path.suffix.lower() in (".csv", ".ai"):
        from actwin.content.track_fit import fit_track  # needed only here, and slow to import

        return fit_track(path)
    return read_track(path)


def load_car(name_or_path: str | Path) -> Car:
    """A car by name, alias or path of a car file.

    Args:
        name_or_path: "formula_alpha_2022", "FormulaAlpha2022", "my_car.toml".

    Raises:
        UnknownNameError: No bundled car has this name.
        ContentError: The file cannot be used.
    """
    path = _as_path(name_or_path, (".toml",))
    if path is None:
        return _bundled_car(_resolve("car", str(name_or_path), car_names(), _car_aliases()))
    return read_car(path)


@lru_cache(maxsize=32)
def _bundled_track(name: str) -> Track:
    return CLOSED_FORM[name]() if name in CLOSED_FORM else read_track(DATA / "tracks" / f"{name}.toml")


@lru_cache(maxsize=32)
def _bundled_car(name: str) -> Car:
    return read_car(DATA / "cars" / f"{name}.toml")


@lru_cache(maxsize=1)
def _car_aliases() -> dict[str, str]:
    """Other names of the bundled cars, as their own files give them."""
    return {normalised(alias): name for name in car_names() for alias in _bundled_car(name).identity.aliases}


def _as_path(name_or_path: str | Path, suffixes: tuple[str, ...]) -> Path | None:
    """The path that is meant, None when it is a name."""
    path = Path(name_or_path)
    if not isinstance(name_or_path, Path) and len(path.parts) < 2 and path.suffix.lower() not in suffixes:
        return None
    if not path.is_file():
        raise ContentError(path, "", "there is no such file.", "Check the path, or give the name of a bundled one.")
    return path


def _resolve(kind: str, name: str, known: Iterable[str], aliases: dict[str, str]) -> str:
    """The bundled name that a name, in any spelling, stands for."""
    wanted = normalised(name)
    compact = {one.replace("_", ""): one for one in known}
    wanted = aliases.get(wanted, wanted)
    if wanted.replace("_", "") in compact:
        return compact[wanted.replace("_", "")]
    raise UnknownNameError(kind, name, known)
