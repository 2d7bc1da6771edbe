"""Text on the wire: valid JSON and valid Python at once; hostile text is refused, never run."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import json
import math
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwin.errors import SourceError
from actwin.telemetry.ac import app_messages
from actwin.telemetry.ac.literal import MAX_DEPTH, Completeness, parse, parse_literal
from actwin.twin.emulator.app_host import APP_FOLDER


def app_module(name: str) -> ModuleType:
    """One of the app's modules that needs no neighbour."""
    spec = importlib.util.spec_from_file_location(f"in_game_{name}", APP_FOLDER / "actwin_app" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wire = app_module("wire")

SCALARS = st.one_of(st.integers(-(2**53), 2**53), st.floats(width=32), st.text(max_size=20), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=10), VALUES, max_size=8))
def test_messages_are_json_and_python_at_once(message: dict[str, Any]) -> None:
    text = wire.encode(message).decode("utf-8")
    assert json.loads(text) == ast.literal_eval(text)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False).filter(lambda value: abs(value) < 1e29))
def test_single_precision_survives(value: float) -> None:
    assert np.float32(json.loads(wire.encode([value]))[0]) == np.float32(value)


@pytest.mark.parametrize("unknown", [None, math.nan, math.inf, -math.inf, b"bytes", object(), [1.0, math.nan]])
def test_the_unknown_is_absent(unknown: Any) -> None:
    assert json.loads(wire.encode({"a": 1, "b": unknown})) == {"a": 1}


CONTROLS = {"steer": 0.25, "acc": -1.0, "brake": 1, "enable_gear_shift": False, "shift_up": True, "server_steps": 7}


@pytest.mark.parametrize("spelling", [json.dumps, str])
def test_controls_are_read_as_json_and_as_python(spelling: Any) -> None:
    """Clients of the plugin send either, since it evaluates what it gets."""
    assert wire.parse_controls(spelling(CONTROLS).encode()) == {key: float(value) for key, value in CONTROLS.items()}


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "1", '{"steer": }', '{"steer": 1', '{"steer": 1,}', '{"steer": NaN}', '{"steer": 1e999}',
        '{"steer": "1"}', '{"steer": [1]}', '{"steer": {"a": 1}}', '{"steer": 1} x', '{"steer": 1e40}',
        '{"steer": __import__("os")}', "{'steer': exec('1')}", '{"steer": 1e}', '{"steer": --1}', '{"steer": 1.2.3}',
        "[" * 900, "{" * 900, '{"' + 900 * "a" + '": 1}', '{"stéer": 1}', '{"steer": 1' + " " * 1024 + "}",
    ],
)  # fmt: skip
def test_other_controls_are_refused(text: str) -> None:
    assert wire.parse_controls(text.encode()) is None


@given(st.binary(max_size=1200) | st.text(max_size=300).map(str.encode))
def test_no_bytes_upset_the_parsers(data: bytes) -> None:
    values = wire.parse_controls(data)
    assert values is None or all(math.isfinite(value) for value in values.values())
    assert app_messages.telemetry(data) is None
    for reader in (lambda: parse(data.decode("utf-8", "replace")), lambda: app_messages.OpponentStream().feed(data)):
        with contextlib.suppress(SourceError):
            reader()


@given(VALUES)
def test_literals_come_back(value: Any) -> None:
    """`repr` of plain objects, as the plugin's get_config answers."""
    assert repr(parse_literal(repr(value))) == repr(value)


@given(st.tuples(st.integers(), st.text(max_size=5)), st.binary(max_size=3))
def test_tuples_and_bytes(pair: tuple[int, str], data: bytes) -> None:
    assert parse_literal(repr(pair)) == pair or abs(pair[0]) >= 10**40
    assert parse_literal("(1)") == 1
    assert parse_literal("(1,)") == (1,)
    with pytest.raises(SourceError):
        parse_literal(repr(data))


@pytest.mark.parametrize(
    "text", ["open('x')", "[1, 2", "{1: 2", "{[1]: 2}", "1 2", "'a", "1 + 1", "[1 2]", "nope", "", "\\", "{'a' 1}"]
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(SourceError):
        parse_literal(text)


def test_deep_and_long_texts_are_refused() -> None:
    parse_literal("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for text in ("[" * 10_000, "(" * 10_000, "{1:" * 10_000, "'" * 9_000_001):
        with pytest.raises(SourceError):
            parse(text)


@given(st.dictionaries(st.text(max_size=6), st.text(max_size=6) | st.lists(st.integers(), max_size=3)), st.data())
def test_an_answer_is_whole_at_its_last_byte(value: dict[str, Any], data: st.DataObject) -> None:
    """However TCP cuts it, in both languages."""
    for text in (json.dumps(value), repr(value)):
        rest, whole = text.encode(), Completeness()
        while rest:
            size = data.draw(st.integers(1, len(rest)))
            assert not whole.complete
            whole.feed(rest[:size])
            rest = rest[size:]
        assert whole.complete


CARS = [{"id": 1, "world_position": [1.0, 2.0, 3.0], "speedKMH": 99.5, "yaw": 0.1}, {"id": 2}]


@pytest.mark.parametrize("spelling", [json.dumps, str])
@given(count=st.integers(0, 12), cuts=st.lists(st.integers(1, 60), min_size=1, max_size=8), rounds=st.integers(1, 3))
def test_the_stream_of_opponents_may_be_cut_anywhere(spelling: Any, count: int, cuts: list[int], rounds: int) -> None:
    cars = [{**CARS[0], "id": number} for number in range(count)]
    body = spelling(cars)
    rest = str(count).encode() + rounds * f"{len(body)}HEADER-END{body}".encode()
    stream, found = app_messages.OpponentStream(), []
    while rest:
        size = cuts[len(rest) % len(cuts)]
        found += stream.feed(rest[:size])
        rest = rest[size:]
    assert stream.count == count
    assert len(found) == rounds
    assert [car["id"] for car in found[-1]] == list(range(count))


@pytest.mark.parametrize("data", [b"x", b"1" * 40, b"5HEADER-ENDabcde", b"99999999999HEADER-END", b"\xff" * 20])
def test_other_streams_are_refused(data: bytes) -> None:
    with pytest.raises(SourceError):
        app_messages.OpponentStream().feed(40 * data)


def test_telemetry_needs_its_names() -> None:
    names = dict.fromkeys(app_messages.REQUIRED, 1.0)
    assert app_messages.telemetry(json.dumps(names).encode()) == names
    assert app_messages.telemetry(str({**names, "done": False, "extra": None}).encode()) == {**names, "done": 0}
    assert app_messages.telemetry(json.dumps({**names, "rate": math.nan, "list": [1, 2]}).encode()) == {
        **names, "list": (1, 2),
    }  # fmt: skip
    for wrong in ({"speed": "1"}, {"speed": 1e31}, {"a": {"b": 1}}, {"b" * 99: 1}, {"a": "b" * 2000}):
        assert app_messages.telemetry(json.dumps({**names, **wrong}).encode()) is None


def test_a_road_is_rows_of_finite_numbers() -> None:
    found = app_messages.road({"left_lane": [[1, 2], [3, 4]], "speed_arr": [5, 6.5], "none": []})
    assert found["left_lane"].shape == (2, 2)
    assert found["speed_arr"].tolist() == [5.0, 6.5]
    for wrong in (
        [],
        {"a": 1},
        {"a": [[1, 2, 3]]},
        {"a": [[1], [2, 3]]},
        {"a": ["x"]},
        {"a": [math.nan]},
        {"a": [None]},
    ):
        with pytest.raises(SourceError):
            app_messages.road(wrong)


def test_the_app_runs_no_foreign_text() -> None:
    for path in APP_FOLDER.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        assert not names & {"eval", "exec", "compile", "__import__"}
    assert "in_game_wire" not in sys.modules
