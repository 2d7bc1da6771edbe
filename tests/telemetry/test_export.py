"""Exports hold what the session holds, under the documents' names."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from recorded import drive

from actwin.errors import SessionError, UnknownNameError
from actwin.telemetry.store.export import choose_columns, export
from actwin.telemetry.store.meta import SessionMeta
from actwin.telemetry.store.schema import DOCUMENTED
from actwin.telemetry.store.session import Extra, Session, write_session


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    frames, game, controls = drive(5000)
    frames["speed"][1], frames["rpm"][2], frames["throttle"][3] = np.nan, np.inf, -np.inf
    frames["brake"][:4] = np.float32(0.1), np.float32(1.0 / 3.0), np.float32(1e-30), np.float32(123456789.0)
    extra = {"source_note": Extra(np.array(['say "a, b"\nü'] * 5000)), "source_x": Extra(np.arange(5000) / 7, "km/h")}
    meta = SessionMeta(car="car", track="track", driver="Ä", settings={"rain": None})
    return write_session(
        tmp_path_factory.mktemp("sessions"), meta, np.arange(5000) * 0.003, frames, game, controls, extra=extra
    )


def test_documents_variables_come_first(session) -> None:
    columns = choose_columns(session)
    assert columns[: 1 + len(DOCUMENTED)] == ("time", *DOCUMENTED)
    assert {"acceleration_lateral", "acceleration_longitudinal", "x", "y", "sent_steer"} <= set(columns)
    assert choose_columns(session, "all") == session.columns
    assert choose_columns(session, " vel , time") == ("vel", "time")


def test_what_was_not_sent_is_left_out(tmp_path) -> None:
    frames, _, _ = drive(3)
    bare = write_session(tmp_path, SessionMeta(), np.arange(3.0), frames)
    assert not any(name.startswith("sent_") for name in choose_columns(bare))


def test_csv_reads_back_bit_for_bit(session, tmp_path) -> None:
    path = export(session, "csv", tmp_path / "a" / "b.csv", "all")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == session.columns
    for name in ("brake", "load_fl", "source_x", "time"):
        values = session.column(name)
        assert np.array_equal(np.array([row[name] for row in rows], values.dtype), values)
    assert [row["gear"] for row in rows] == [str(gear) for gear in session.frames["gear"]]
    assert rows[1]["vel"] == ""
    assert rows[7]["source_note"] == 'say "a, b"\nü'


def test_json_is_strict_and_reads_back_bit_for_bit(session, tmp_path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    path = export(session, "json", tmp_path / "b.json", "all")
    read = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert read["meta"]["driver"] == "Ä"
    assert read["units"]["vel"] == "m/s"
    assert len(read["rows"]) == 5000
    assert tuple(read["rows"][0]) == session.columns
    assert np.array_equal(np.float32([row["brake"] for row in read["rows"]]), session.frames["brake"])
    assert [row["gear"] for row in read["rows"]] == session.frames["gear"].tolist()
    assert [read["rows"][i][name] for i, name in ((1, "vel"), (2, "rpm"), (3, "throttle"))] == [None, None, None]
    assert read["rows"][0]["source_note"] == 'say "a, b"\nü'


@pytest.mark.parametrize("columns", ["", "all", "time,vel"])
def test_parquet_keeps_units_and_meta(session, tmp_path, columns) -> None:
    path = export(session, "parquet", tmp_path / "b.parquet", columns)
    names = list(choose_columns(session, columns))
    table = pq.read_table(path)
    assert table.column_names == names
    assert table.equals(session.table(names))
    assert table.schema.field("vel").metadata[b"unit"] == b"m/s"
    assert json.loads(pq.read_metadata(path).metadata[b"actwin"])["frames"] == 5000


def test_json_of_an_empty_session(tmp_path) -> None:
    frames, _, _ = drive(0)
    empty = write_session(tmp_path, SessionMeta(), np.zeros(0), frames)
    assert json.loads(export(empty, "json", tmp_path / "e.json").read_text(encoding="utf-8"))["rows"] == []
    assert export(empty, "csv", tmp_path / "e.csv").read_text(encoding="utf-8").count("\n") == 1


def test_the_file_is_named_after_the_session(session, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(session, "csv") == Path(f"{session.name}.csv")


def test_what_does_not_fit_is_told(session, tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean vel"):
        export(session, "csv", tmp_path / "x.csv", "time,vell")
    with pytest.raises(UnknownNameError, match="format 'xls'"):
        export(session, "xls", tmp_path / "x.xls")
    with pytest.raises(SessionError, match="--out"):
        export(session, "csv", tmp_path)
