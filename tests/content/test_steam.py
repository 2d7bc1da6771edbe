from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actwin.content.steam import app_folders, libraries, parse_vdf, read_vdf, steam_folders
from game_tree import write

NEW = '"libraryfolders"\n{{\n  "0" {{ "path" "{0}" "apps" {{ "244210" "1" }} }}\n  "1" {{ "path" "{1}" }}\n}}\n'
OLD = '"LibraryFolders"\n{{\n  "TimeNextStatsReport" "1"\n  "1" "{1}"\n}}\n'


def test_keyvalues_nest_and_keep_backslashes() -> None:
    text = '"Root" // comment\n{ "Path" "D:\\\\Steam \\"x\\"" bare word "inner" { "A" "1" } }'
    assert parse_vdf(text) == {"root": {"path": 'D:\\Steam "x"', "bare": "word", "inner": {"a": "1"}}}


@given(st.text(st.sampled_from('{}"a\\/ \n'), max_size=60))
def test_anything_can_be_parsed(text) -> None:
    assert isinstance(parse_vdf(text), dict)


def test_deep_nesting_ends() -> None:
    assert "a" in parse_vdf('"a" {' * 100_000)


@pytest.mark.parametrize("layout", [NEW, OLD])
def test_games_are_found_in_every_library(tmp_path, layout) -> None:
    steam, other = tmp_path / "Steam", tmp_path / "other"
    other.mkdir()
    write(steam / "steamapps" / "libraryfolders.vdf", layout.format(steam.as_posix(), other.as_posix()).encode())
    write(other / "steamapps" / "appmanifest_244210.acf", b'"AppState" { "installdir" "odd name" }')
    game = other / "steamapps" / "common" / "odd name"
    game.mkdir(parents=True)
    assert libraries(steam) == [steam, other]
    assert list(app_folders(244210, "assettocorsa", [steam])) == [game]


def test_without_a_manifest_the_usual_folder_is_tried(tmp_path) -> None:
    game = tmp_path / "steamapps" / "common" / "assettocorsa"
    game.mkdir(parents=True)
    assert list(app_folders(244210, "assettocorsa", [tmp_path])) == [game]


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows the registry tells where Steam is")
def test_steam_on_linux_is_found_once_through_its_links(tmp_path) -> None:
    real = tmp_path / ".local" / "share" / "Steam"
    real.mkdir(parents=True)
    (tmp_path / ".steam").mkdir()
    (tmp_path / ".steam" / "steam").symlink_to(real)
    assert steam_folders(tmp_path) == [real]


def test_a_missing_file_is_empty(tmp_path) -> None:
    assert read_vdf(tmp_path / "nothing.vdf") == {}
