"""The columns of a session follow from the channel table and lose nothing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from recorded import drive

from actwin.errors import SessionError
from actwin.telemetry.channels import CONTROL_CHANNELS, CONTROLS, FRAME, FRAME_CHANNELS, GAME, GAME_CHANNELS
from actwin.telemetry.store.schema import (
    BASE,
    COLUMNS,
    DOCUMENTED,
    META_KEY,
    QUALITY,
    ROW,
    TIME,
    absent,
    check_schema,
    missing_columns,
    raw_batch,
    source_field,
    stream_schema_with,
    to_columns,
    to_numpy,
    to_records,
    with_nulls,
)


def rows(count: int) -> np.ndarray:
    block = np.zeros(count, ROW)
    block["frame"], block["game"], block["sent"] = drive(count)
    block[TIME] = np.arange(count) * 0.003
    return block


def test_every_channel_has_its_columns_once() -> None:
    names = [name for c in (*FRAME_CHANNELS, *GAME_CHANNELS) for name in c.columns]
    names += [f"sent_{name}" for c in CONTROL_CHANNELS for name in c.columns]
    assert [column.name for column in COLUMNS] == names
    assert len(set(BASE.names)) == len(BASE.names)
    assert BASE.names == [TIME, *names, QUALITY]


def test_documents_names_are_columns() -> None:
    assert set(DOCUMENTED) <= set(BASE.names)


def test_every_field_says_unit_and_meaning() -> None:
    for field in BASE:
        assert field.metadata[b"unit"]
        assert field.metadata[b"meaning"]
    assert BASE.field("vel").metadata[b"unit"] == b"m/s"


def test_rows_to_columns_to_records_is_identity() -> None:
    block = rows(57)
    batch = raw_batch(block, stream_schema_with("{}"))
    table = pa.Table.from_batches([batch])
    assert np.array_equal(to_numpy(table.column(TIME)), block[TIME])
    for part in ("frame", "game", "sent"):
        assert np.array_equal(to_records(table, part), block[part])
    assert not to_numpy(table.column(QUALITY)).any()


def test_a_part_of_a_block_has_its_own_rows_only() -> None:
    block = rows(20)
    table = pa.Table.from_batches([raw_batch(block[:7], BASE)])
    assert np.array_equal(to_records(table, "frame"), block["frame"][:7])


def test_the_slow_way_gives_the_same_columns() -> None:
    block = rows(9)
    arrays = to_columns(block[TIME], block["frame"], block["game"], block["sent"])
    fast = raw_batch(block, BASE)
    assert all(slow.equals(column) for slow, column in zip(arrays, fast.columns, strict=False))


def test_unknown_is_null_and_comes_back_as_nothing() -> None:
    block = rows(4)
    block["frame"]["speed"][2] = np.nan
    block["sent"][1] = absent("sent", 1)[0]
    batch = with_nulls(raw_batch(block, BASE), missing_columns(["tyres_out", "load", "no such channel"]))
    table = pa.Table.from_batches([batch])
    assert table.column("vel").is_null().to_pylist() == [False, False, True, False]
    assert table.column("tyres_out").null_count == 4
    assert table.column("load_fl").null_count == 4
    assert table.column("sent_throttle").is_null().to_pylist() == [False, True, False, False]
    assert table.column("sent_gear").is_null().to_pylist() == [False, True, False, False]
    frames = to_records(table, "frame")
    assert np.isnan(frames["speed"][2])
    assert not frames["tyres_out"].any()
    assert np.isnan(frames["load"]).all()
    known = [name for name in FRAME.names or () if name not in {"speed", "tyres_out", "load"}]
    assert all(np.array_equal(frames[name], block["frame"][name]) for name in known)


@pytest.mark.parametrize(("part", "dtype"), [("frame", FRAME), ("game", GAME), ("sent", CONTROLS)])
def test_absent_records_say_nothing(part, dtype) -> None:
    records = absent(part, 2)
    assert records.dtype == dtype
    for name in dtype.names:
        assert not records[name].any() if dtype[name].base.kind == "i" else np.isnan(records[name]).all()


def test_a_table_without_some_columns_is_readable() -> None:
    table = pa.table({"vel": pa.array([1.0, 2.0], pa.float32()), "load_rl": pa.array([5.0, 6.0], pa.float32())})
    frames = to_records(table, "frame")
    assert frames["speed"].tolist() == [1.0, 2.0]
    assert frames["load"][:, 2].tolist() == [5.0, 6.0]
    assert np.isnan(frames["load"][:, 0]).all()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([1.5], np.float32), pa.float64()),
        (np.array([True]), pa.int64()),
        (np.array([7], np.uint16), pa.int64()),
        (np.array(["a"]), pa.string()),
        (np.array(["a"], object), pa.string()),
    ],
)
def test_source_columns_keep_numbers_and_text(values, kind) -> None:
    field = source_field("source_x", values, "km/h")
    assert field.type == kind
    assert field.metadata[b"unit"] == b"km/h"


def test_source_columns_need_prefix_and_kind() -> None:
    with pytest.raises(ValueError, match="source_"):
        source_field("vel", np.zeros(1))
    with pytest.raises(ValueError, match="complex"):
        source_field("source_x", np.zeros(1, complex))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (pa.schema([("vel", pa.float32())]), "no column 'time'"),
        (pa.schema([(TIME, pa.float64()), ("vel", pa.string())]), "'vel' holds string, not float"),
        (pa.schema([(TIME, pa.float64()), ("vle", pa.float32())]), "'vle' is unknown"),
    ],
)
def test_foreign_files_are_refused(schema, words) -> None:
    with pytest.raises(SessionError, match=words):
        check_schema(schema, "file")


def test_schema_carries_the_meta() -> None:
    assert stream_schema_with('{"a": 1}').metadata == {META_KEY: b'{"a": 1}'}
