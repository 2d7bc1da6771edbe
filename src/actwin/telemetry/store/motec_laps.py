"""Lap beacons beside a MoTeC log (`.ldx`, XML)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as Xml
from xml.parsers import expat

from actwin.errors import SessionError
from actwin.units import lap_time_text

SIZE_LIMIT: Final = 1 << 20
BEACON_LIMIT: Final = 10_000
LATEST: Final = 1e7
"""[s] Time of a beacon that can be one; a third of a year."""
MICROSECONDS: Final = 1e6
"""A beacon's time is in millionths of a second."""
_BEACON: Final = "BCN"


def write_ldx(path: str | Path, beacons: Sequence[float]) -> Path:
    """Writes the lap beacons of a log.

    Lap k ends at beacon k, so the first lap is the one during which logging began and the last one has no end. The
    fastest lap is the shortest one between two beacons.

    Args:
        path: As the log's, with the ending `.ldx`, so that i2 finds it.
        beacons: [s] Times at which the line was crossed, from the first sample of the log, rising.

    Returns:
        The file.

    Raises:
        SessionError: The file cannot be written.
    """
    root = Xml.Element("LDXFile", Locale="English_United Kingdom.1252", DefaultLocale="C", Version="1.5")
    layers = Xml.SubElement(root, "Layers")
    layer = Xml.SubElement(layers, "Layer")
    group = Xml.SubElement(Xml.SubElement(layer, "MarkerBlock"), "MarkerGroup", Name="Beacons", Index="3")
    for number, time in enumerate(beacons, start=1):
        told = {"Version": "100", "ClassName": _BEACON, "Name": f"Manual.{number}", "Flags": "77"}
        Xml.SubElement(group, "Marker", told, Time=f"{round(time * MICROSECONDS)}.000000")
    Xml.SubElement(layer, "RangeBlock")
    details = Xml.SubElement(layers, "Details")
    for name, value in _details(beacons).items():
        Xml.SubElement(details, "String", Id=name, Value=value)
    Xml.indent(root, " ")
    path = Path(path)
    made = path.with_name(f".{path.name}.new")
    try:
        made.write_bytes(
            b'<?xml version="1.0"?>\n' + Xml.tostring(root, encoding="us-ascii", xml_declaration=False) + b"\n"
        )
        made.replace(path)
    except OSError as error:
        made.unlink(missing_ok=True)
        raise SessionError(f"{path}: cannot be written ({error.strerror}). Choose another place.") from error
    return path


def _details(beacons: Sequence[float]) -> dict[str, str]:
    """What i2 shows before it opens the log."""
    told = {"Total Laps": str(len(beacons) + 1)}
    laps = [(end - begin, number) for number, (begin, end) in enumerate(pairwise(beacons), start=2)]
    if laps:
        fastest, number = min(laps)
        told |= {"Fastest Time": lap_time_text(fastest), "Fastest Lap": str(number)}
    return told


def read_ldx(path: str | Path) -> list[float]:
    """Reads the lap beacons of a log.

    Args:
        path: A `.ldx` file of at most `SIZE_LIMIT` bytes.

    Returns:
        [s] Times at which the line was crossed, from the first sample of the log, rising.

    Raises:
        SessionError: The file cannot be read, or is not such a file.
    """
    path = Path(path)
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise SessionError(f"{path}: is larger than {SIZE_LIMIT} bytes. It is no file of lap beacons.")
        content = path.read_bytes()
    except OSError as error:
        raise SessionError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    return sorted(set(_beacons(content, path)))[:BEACON_LIMIT]


def _beacons(content: bytes, path: Path) -> list[float]:
    """[s] The beacons of a lap file, in its order."""
    times: list[float] = []

    def begin(name: str, told: dict[str, str]) -> None:
        if name == "Marker" and told.get("ClassName") == _BEACON:
            time = _seconds(told.get("Time", ""))
            times.extend([] if time is None else [time])

    def refuse(*_: object) -> None:
        # It could define entities that unfold to gigabytes; lap files have none.
        raise SessionError(f"{path}: has a document type definition. It is no file of lap beacons.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise SessionError(f"{path}: is not valid XML ({error}). Export the log again.") from error
    return times


def _seconds(text: str) -> float | None:
    """[s] A beacon's time, None when it is no usable one."""
    try:
        time = float(text)
    except ValueError:
        return None
    return time / MICROSECONDS if 0.0 <= time <= LATEST * MICROSECONDS else None
