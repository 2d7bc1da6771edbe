from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwin.content.ini_edit import read_value, with_value, without_value

GAME = b"\xef\xbb\xbf[HEADER]\r\nNAME=\xfcmlaut ; note\r\n\r\n[actwin]\r\nActive = 0 // off\r\nOTHER=1\r\n[LAST]\r\nX=1"

names = st.text(st.sampled_from("ABCdef_019"), min_size=1, max_size=8)
values = st.text(st.sampled_from("ABCdef019.-"), min_size=1, max_size=8)
files = st.lists(
    st.one_of(
        names.map(lambda name: f"[{name}]"),
        st.tuples(names, values).map("=".join),
        st.sampled_from(["", "; comment", "junk", "=", "[", "\xe4\xff=\x85"]),
    ),
    max_size=12,
)


def test_only_the_value_changes() -> None:
    assert with_value(GAME, "ACTWIN", "ACTIVE", "1") == GAME.replace(b"Active = 0", b"Active = 1")
    assert with_value(GAME, "header", "name", "x") == GAME.replace(b"\xfcmlaut", b"x")


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [("header", "NAME", "\xfcmlaut"), ("ACTWIN", "active", "0"), ("LAST", "X", "1"), ("LAST", "Y", None)],
)
def test_values_are_read_whatever_the_case(section, key, value) -> None:
    assert read_value(GAME, section, key) == value


def test_new_keys_and_sections_are_added_in_the_files_own_line_ends() -> None:
    assert with_value(GAME, "actwin", "NEW", "2") == GAME.replace(b"OTHER=1\r\n", b"OTHER=1\r\nNEW=2\r\n")
    assert with_value(GAME, "new", "KEY", "2") == GAME + b"\r\n\r\n[new]\r\nKEY=2\r\n"
    assert with_value(b"[A]\nX=1\n", "A", "Y", "2") == b"[A]\nX=1\nY=2\n"
    assert with_value(b"", "A", "Y", "2") == b"[A]\r\nY=2\r\n"


def test_the_last_of_repeated_keys_counts_and_all_are_set() -> None:
    twice = b"[A]\nX=1\nX=2\n"
    assert read_value(twice, "A", "X") == "2"
    assert with_value(twice, "A", "X", "3") == b"[A]\nX=3\nX=3\n"


@given(files, names, names, values, st.sampled_from(["\n", "\r\n"]))
def test_what_is_set_is_read_and_can_be_taken_out(lines, section, key, value, newline) -> None:
    data = newline.join(lines).encode("latin-1")
    changed = with_value(data, section, key, value)
    assert read_value(changed, section, key) == value
    assert read_value(without_value(changed, section, key), section, key) is None
    assert with_value(changed, section, key, value) == changed
