"""MoTeC logs: what is written is what the documented bytes say, what is read is what was written, damage is refused."""

from __future__ import annotations

import struct
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actwin.errors import SessionError
from actwin.telemetry.store.motec import CHANNEL, EVENT, HEAD, VEHICLE, VENUE, LdChannel, LdHead, parse_ld, read_ld
from actwin.telemetry.store.motec_laps import read_ldx, write_ldx
from actwin.telemetry.store.motec_writer import write_ld

STARTED = datetime(2026, 7, 5, 14, 3, 9)


def channel(name: str = "Ground Speed", unit: str = "km/h", rate: int = 20, count: int = 50) -> LdChannel:
    values = np.linspace(-3.5, 240.25, count).astype(np.float32).astype(np.float64)
    return LdChannel(name, unit, rate, values, name[:6])


def head() -> LdHead:
    return LdHead(
        STARTED,
        "Ada",
        "dallara_f317",
        "monza",
        "wet",
        "Test day",
        "2",
        "a long comment",
        "id 7",
        "formula",
        "none",
        570,
    )


@pytest.fixture
def log(tmp_path) -> bytes:
    return write_ld(tmp_path / "log.ld", head(), [channel(), channel("Engine RPM", "rpm", 50, 7)]).read_bytes()


def test_layouts_have_the_documented_sizes() -> None:
    assert [layout.itemsize for layout in (HEAD, EVENT, VENUE, VEHICLE, CHANNEL)] == [1762, 1154, 1100, 260, 84]


def test_what_is_written_is_read_back(tmp_path) -> None:
    channels = [channel(), channel("Tire Temp Core FL", "C", 1, 3), channel("Nothing", "", 5, 0)]
    file = read_ld(write_ld(tmp_path / "log.ld", head(), channels))
    assert file.head == head()
    assert file.skipped == ()
    for read, written in zip(file.channels, channels, strict=True):
        assert (read.name, read.unit, read.rate, read.short_name) == (
            written.name, written.unit, written.rate, written.short_name,
        )  # fmt: skip
        np.testing.assert_array_equal(read.values, written.values)


def test_bytes_stand_where_the_format_has_them(log) -> None:
    def u32(at: int) -> int:
        return int(struct.unpack_from("<I", log, at)[0])

    def u16(at: int) -> int:
        return int(struct.unpack_from("<H", log, at)[0])

    assert u32(0) == 0x40
    assert [u16(64), u16(66), u16(68), u16(82), u16(84)] == [1, 0x4240, 0x000F, 420, 0xADB0]
    assert log[74:82] == b"ADL\0\0\0\0\0"
    assert u32(1502) == 0xD20822
    assert u32(86) == 2
    assert log[94:104] == b"05/07/2026"
    assert log[126:134] == b"14:03:09"
    assert log[158:162] == b"Ada\0"
    assert log[222:235] == b"dallara_f317\0"
    assert log[350:356] == b"monza\0"
    event = u32(36)
    assert event == 1762
    assert log[event : event + 9] == b"Test day\0"
    venue = u16(event + 1152)
    assert log[venue : venue + 6] == b"monza\0"
    vehicle = u16(venue + 1098)
    assert u32(vehicle + 192) == 570
    first = u32(8)
    second = u32(first + 4)
    assert (u32(first), u32(second), u32(second + 4)) == (0, first, 0)
    assert second - first == 124
    assert u32(12) == u32(first + 8)
    assert (u16(first + 16), u16(first + 18), u16(first + 20), u16(first + 22)) == (0x2EE1, 7, 4, 20)
    assert struct.unpack_from("<hhhh", log, first + 24) == (0, 1, 1, 0)
    assert log[first + 32 : first + 45] == b"Ground Speed\0"
    assert log[first + 72 : first + 77] == b"km/h\0"
    assert struct.unpack_from("<f", log, u32(second + 8)) == (-3.5,)
    assert len(log) == u32(second + 8) + 4 * 7


def hand_made(stride: int, kind: int, size: int, raw: bytes, scaling=(0, 1, 1, 0), rate: int = 10) -> bytes:
    """A log of two channels with the same samples, put together byte by byte."""
    first, data = 1762, 1762 + 2 * stride
    content = bytearray(data) + raw
    struct.pack_into("<I4xII", content, 0, 0x40, first, data)
    for number, name in enumerate((b"One", b"Two")):
        at = first + number * stride
        follow = at + stride if number == 0 else 0
        start, count = data + number * (len(raw) // 2), len(raw) // 2 // size
        struct.pack_into("<IIII", content, at, 0, follow, start, count)
        struct.pack_into("<HHHHhhhh", content, at + 16, 0, kind, size, rate, *scaling)
        content[at + 32 : at + 35] = name
    return bytes(content)


@pytest.mark.parametrize("stride", [116, 124])
@pytest.mark.parametrize(
    ("kind", "size", "code"), [(7, 4, "<f4"), (7, 2, "<f2"), (0, 2, "<i2"), (3, 2, "<i2"), (3, 4, "<i4"), (5, 4, "<i4")]
)
def test_both_strides_and_every_sample_type(stride, kind, size, code) -> None:
    values = np.array([0, 1, -2, 100, 30_000])
    file = parse_ld(hand_made(stride, kind, size, np.tile(values, 2).astype(code).tobytes()))
    assert [c.name for c in file.channels] == ["One", "Two"]
    for read in file.channels:
        np.testing.assert_array_equal(read.values, values.astype(code))


def test_samples_are_scaled_as_documented() -> None:
    raw = np.array([100, -250], "<i2")
    file = parse_ld(hand_made(116, 3, 2, raw.tobytes(), scaling=(3, 6, 10, -1)))
    np.testing.assert_allclose([c.values[0] for c in file.channels], (raw / 10 * 10 + 3) * 6)


def test_an_unknown_sample_type_loses_only_its_channel() -> None:
    content = bytearray(hand_made(124, 7, 4, bytes(16)))
    struct.pack_into("<H", content, 1762 + 18, 99)
    file = parse_ld(bytes(content))
    assert [c.name for c in file.channels] == ["Two"]
    assert "One" in file.skipped[0]


@pytest.mark.parametrize(
    ("at", "code", "value", "hint"),
    [
        (0, "<I", 7, "begins with 0x7"),
        (8, "<I", 0xFFFF_FFF0, "header of channel 1"),
        (1762 + 4, "<I", 1762, "circle"),
        (1762 + 124 + 4, "<I", 1762, "circle"),
        (1762 + 4, "<I", 10**9, "header of channel 2"),
        (1762 + 8, "<I", 10**9, "data of channel 'One'"),
        (1762 + 12, "<I", 0xFFFF_FFFF, "claim"),
        (1762 + 22, "<H", 0, "0 Hz"),
        (1762 + 28, "<h", 0, "scale 0"),
        (1762 + 30, "<h", -32768, "decimal places"),
    ],
)
def test_damage_is_refused_with_its_place(at, code, value, hint) -> None:
    content = bytearray(hand_made(124, 7, 4, bytes(16)))
    struct.pack_into(code, content, at, value)
    with pytest.raises(SessionError, match=hint):
        parse_ld(bytes(content))


def test_channels_may_not_all_claim_the_same_samples() -> None:
    """Four thousand headers that point to one block would unfold a small file to gigabytes."""
    raw = bytes(400)
    content = bytearray(hand_made(124, 7, 4, raw * 30))
    struct.pack_into("<I", content, 1762 + 12, len(raw) * 30 // 4)
    struct.pack_into("<I", content, 1762 + 124 + 8, 1762 + 248)
    struct.pack_into("<I", content, 1762 + 124 + 12, len(raw) * 30 // 4)
    with pytest.raises(SessionError, match="claim"):
        parse_ld(bytes(content))


def test_a_block_outside_the_file_is_an_absent_one(log) -> None:
    content = bytearray(log)
    struct.pack_into("<I", content, 36, 10**9)
    file = parse_ld(bytes(content))
    assert file.head.event == ""
    assert file.head.driver == "Ada"
    assert len(file.channels) == 2


def test_every_truncation_is_refused_or_read(log) -> None:
    for size in range(0, len(log), 37):
        with pytest.raises(SessionError):
            parse_ld(log[:size])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_no_change_of_bytes_escapes_the_checks(data) -> None:
    content = bytearray(hand_made(data.draw(st.sampled_from([116, 124])), 7, 4, bytes(64)))
    for _ in range(data.draw(st.integers(1, 12))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        file = parse_ld(bytes(content))
    except SessionError:
        return
    assert sum(len(c.values) for c in file.channels) <= len(content)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=4000))
def test_arbitrary_bytes_are_refused(content) -> None:
    with pytest.raises(SessionError):
        parse_ld(content if content[:4] != b"@\0\0\0" else b"")


def test_texts_are_cut_to_their_fields(tmp_path) -> None:
    long = LdHead(STARTED, "ü" * 100, "v" * 100, "Nürburgring → Nordschleife")
    file = read_ld(write_ld(tmp_path / "log.ld", long, [channel("n" * 50, "u" * 50)]))
    assert file.head.driver == "ü" * 63
    assert file.head.venue == "Nürburgring ? Nordschleife"
    assert (file.channels[0].name, file.channels[0].unit) == ("n" * 31, "u" * 11)


@pytest.mark.parametrize("channels", [[], [channel(rate=0)], [channel(rate=70_000)], [channel()] * 5000])
def test_what_cannot_be_written_is_refused(tmp_path, channels) -> None:
    with pytest.raises(SessionError):
        write_ld(tmp_path / "log.ld", LdHead(), channels)
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(SessionError, match="cannot be read"):
        read_ld(tmp_path / "absent.ld")
    with pytest.raises(SessionError, match="cannot be written"):
        write_ld(tmp_path / "absent" / "log.ld", LdHead(), [channel()])


def test_the_sample_of_a_real_logger(shared_data) -> None:
    path = shared_data / "telemetry" / "motec_adl_sample.ld"
    file = read_ld(path)
    assert (file.head.venue, file.head.started) == ("Calder", datetime(2005, 11, 23, 9, 53))
    assert len(file.channels) == 78
    assert file.skipped == ()
    assert sum(2 * len(c.values) for c in file.channels) + file_start(path) == path.stat().st_size
    named = {c.name: c for c in file.channels}
    assert named["Engine RPM"].values.max() == 6846.0
    assert {len(c.values) / c.rate for c in file.channels} == {454.0}


def file_start(path) -> int:
    return int(struct.unpack_from("<I", path.read_bytes(), 12)[0])


def test_a_real_log_survives_writing(shared_data, tmp_path) -> None:
    file = read_ld(shared_data / "telemetry" / "motec_adl_sample.ld")
    again = read_ld(write_ld(tmp_path / "again.ld", file.head, file.channels))
    assert again.head == file.head
    for read, written in zip(again.channels, file.channels, strict=True):
        assert read.name == written.name[:31]
        np.testing.assert_array_equal(read.values, written.values.astype(np.float32))


# Lap beacons


def test_beacons_are_read_back(tmp_path) -> None:
    beacons = [12.5, 102.25, 190.125]
    path = write_ldx(tmp_path / "log.ldx", beacons)
    assert read_ldx(path) == beacons
    text = path.read_text(encoding="ascii")
    assert 'Name="Manual.1" Flags="77" Time="12500000.000000"' in text
    assert '<String Id="Fastest Time" Value="1:27.875" />' in text
    assert '<String Id="Fastest Lap" Value="3" />' in text
    assert '<String Id="Total Laps" Value="4" />' in text


def test_a_log_without_a_whole_lap_has_no_fastest_one(tmp_path) -> None:
    assert "Fastest" not in write_ldx(tmp_path / "log.ldx", [5.0]).read_text(encoding="ascii")
    assert read_ldx(write_ldx(tmp_path / "log.ldx", [])) == []


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "not valid XML"),
        (b"<LDXFile><Marker", "not valid XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><LDXFile>&b;</LDXFile>', "document type"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a []><a/>'.encode("utf-16"), "document type"),
        (b'<?xml version="1.0" encoding="no-such-code"?><a/>', "not valid XML"),
        (b" " * (2 << 20), "larger"),
    ],
)
def test_hostile_lap_files_are_refused(tmp_path, content, hint) -> None:
    path = tmp_path / "log.ldx"
    path.write_bytes(content)
    with pytest.raises(SessionError, match=hint):
        read_ldx(path)


def test_beacons_that_are_no_times_are_left_out(tmp_path) -> None:
    path = tmp_path / "log.ldx"
    marks = "".join(
        f'<Marker ClassName="BCN" Time="{time}"/>' for time in ("nan", "1e300", "-5", "x", "2e6", "1e6", "1e6")
    )
    path.write_text(f"<LDXFile>{marks}<Marker ClassName='OTHER' Time='3'/></LDXFile>", encoding="utf-8")
    assert read_ldx(path) == [1.0, 2.0]


@pytest.mark.filterwarnings("ignore")  # it leaves its file open
def test_an_independent_reader_agrees(tmp_path) -> None:
    """Reads with whatever other implementation is installed."""
    other = pytest.importorskip("ldparser", reason="needs the independent reader ldparser, which is on no index")
    channels = [channel(), channel("Engine RPM", "rpm", 50, 7)]
    data = other.ldData.fromfile(str(write_ld(tmp_path / "log.ld", head(), channels)))
    assert list(data) == [c.name for c in channels]
    for written in channels:
        np.testing.assert_allclose(data[written.name].data, written.values)
        assert data[written.name].freq == written.rate
    assert (data.head.driver, data.head.venue, data.head.datetime) == ("Ada", "monza", STARTED)
