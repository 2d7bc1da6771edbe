"""Layout and text of the game's records."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import ac_tables
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actwin.errors import SourceError
from actwin.telemetry.ac import custom_ai, pages, remote_packets
from actwin.telemetry.ac.pages import (
    GRAPHICS,
    OLDEST,
    PHYSICS,
    STATIC,
    STATIC_SHORT,
    absent_fields,
    folder_text,
    page,
    printable_text,
    static_layout,
    static_page,
    text,
    version_of,
    write_text,
)

HEADER = Path(__file__).with_name("ac_interfaces.h")
LAYOUTS = {
    name: getattr(module, name)
    for module in (pages, custom_ai, remote_packets)
    for name in ac_tables.SIZES
    if hasattr(module, name)
}
every_record = pytest.mark.parametrize("record", ac_tables.SIZES)


def layout_of(dtype: np.dtype[Any]) -> dict[str, tuple[int, int]]:
    assert dtype.fields is not None
    return {name: (field[1], field[0].itemsize) for name, field in dtype.fields.items()}


@every_record
def test_fields_lie_where_the_documents_say(record: str) -> None:
    assert LAYOUTS[record].itemsize == ac_tables.SIZES[record]
    assert layout_of(LAYOUTS[record]) == ac_tables.fields(record)


def test_fields_lie_where_a_c_compiler_puts_them(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler here; the same layouts are compared with the documented tables")
    lines = [
        f'printf("{record} {field} %zu %zu\\n", offsetof({record}, {field}), sizeof((({record} *)0)->{field}));'
        for record in ac_tables.SIZES
        for field in ac_tables.fields(record)
    ] + [f'printf("{record} - 0 %zu\\n", sizeof({record}));' for record in ac_tables.SIZES]
    source = tmp_path / "offsets.c"
    head = f'#include <stddef.h>\n#include <stdio.h>\n#include "{HEADER.as_posix()}"\n'
    source.write_text(f"{head}int main(void) {{\n{chr(10).join(lines)}\nreturn 0;\n}}\n", encoding="utf-8")
    program = tmp_path / "offsets"
    subprocess.run([compiler, "-Wall", "-Werror", str(source), "-o", str(program)], check=True, timeout=60)
    told = subprocess.run([str(program)], check=True, capture_output=True, text=True, timeout=10).stdout
    found: dict[str, dict[str, tuple[int, int]]] = {record: {} for record in ac_tables.SIZES}
    for record, field, offset, size in (line.split() for line in told.splitlines()):
        if field == "-":
            assert LAYOUTS[record].itemsize == int(size), record
        else:
            found[record][field] = (int(offset), int(size))
    for record, fields in found.items():
        assert layout_of(LAYOUTS[record]) == fields


def test_the_short_static_page_moves_what_follows() -> None:
    """`ersMaxJ` at 556 in the layout of some programs."""
    assert layout_of(STATIC_SHORT)["ersMaxJ"][0] == 556
    assert layout_of(STATIC_SHORT)["trackConfiguration"] == (524, 30)


@pytest.mark.parametrize("layout", [PHYSICS, GRAPHICS, STATIC], ids=["physics", "graphics", "static"])
def test_pages_of_any_length_in_use(layout: np.dtype[Any]) -> None:
    data = np.random.default_rng(1).bytes(layout.itemsize)
    exact = page(data, layout)
    assert exact.tobytes() == data
    assert page(data + bytes(2048 - len(data)), layout).tobytes() == data
    oldest = page(data[: OLDEST[layout]], layout).tobytes()
    assert oldest == data[: OLDEST[layout]] + bytes(layout.itemsize - OLDEST[layout])
    for wrong in (b"", data[: OLDEST[layout] - 1], bytes(1 << 20)):
        with pytest.raises(SourceError, match="is not Assetto Corsa's"):
            page(wrong, layout)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0%"), max_size=60))
def test_text_survives_as_far_as_it_fits(words: str) -> None:
    field = np.full(33, 0xFFFF, "<u2")
    write_text(field, words)
    found = text(field)
    assert words.startswith(found)
    assert len(words.encode("utf-16-le")) > 62 or found == words
    assert field[-1] == 0


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=60), st.booleans())
def test_any_bytes_are_some_text(units: list[int], folder: bool) -> None:
    words = folder_text(units) if folder else printable_text(units)
    assert all(letter.isprintable() for letter in words)
    assert not folder or (not set(words) & set("\\/:") and words.strip(".") == words.strip(".").strip())
    assert not folder or words not in (".", "..")


def test_text_of_the_handshake_ends_at_the_percent_sign() -> None:
    field = np.frombuffer("ks_monza66%\u7231junk\0".encode("utf-16-le"), "<u2")
    assert text(field) == "ks_monza66"
    write_text(longer := np.zeros(50, "<u2"), "monza", "%")
    assert longer[:7].tolist() == [*map(ord, "monza%"), 0]


@pytest.mark.parametrize(("layout", "name"), [(STATIC, "full"), (STATIC_SHORT, "short")])
def test_both_static_layouts_are_recognised(layout: np.dtype[Any], name: str) -> None:
    static = np.zeros(1, layout)
    for field, words in (
        ("carModel", "bmw_z4_gt3"),
        ("track", "monza"),
        ("trackConfiguration", "junior"),
        ("carSkin", "05_red"),
    ):
        write_text(static[field][0], words)
    static["pitWindowEnd"], static["trackSPlineLength"] = 7, 5758.66
    assert static_layout(static.tobytes()) is layout
    found = static_page(static.tobytes() + bytes(2048 - layout.itemsize))
    assert found.dtype == STATIC
    assert [text(found[field][0]) for field in ("carModel", "trackConfiguration", "carSkin")] == [
        "bmw_z4_gt3",
        "junior",
        "05_red",
    ]
    assert found["pitWindowEnd"][0] == 7


@settings(max_examples=200)
@given(st.binary(min_size=464, max_size=2100))
def test_a_static_page_of_any_bytes_is_read(data: bytes) -> None:
    assert static_page(data).dtype == STATIC


def test_versions() -> None:
    assert version_of("1.16.4") == (1, 16, 4)
    assert version_of("1.16.4b") == (1, 16)
    assert version_of("") == version_of("²") == ()
    assert absent_fields("1.16.4") == absent_fields("") == frozenset()
    assert "localVelocity" in absent_fields("1.11")
    assert "localVelocity" not in absent_fields("1.12")
    assert {"clutch", "airTemp", "turboBoost"} <= absent_fields("1.4")
    known = {*(PHYSICS.names or ()), *(GRAPHICS.names or ())}
    assert absent_fields("0.1") <= known
