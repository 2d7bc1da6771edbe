from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from actwin.content.game import (
    Game,
    app_on,
    find,
    find_game,
    place,
    python_apps_on,
    shaders_patch,
    version_numbers,
    wine_prefix,
)  # fmt: skip
from actwin.content.steam import steam_folders
from actwin.errors import ContentError
from game_tree import make_game, write


def proton_library(folder):
    """A Steam library with the game and its Proton prefix."""
    root = folder / "steamapps" / "common" / "assettocorsa"
    write(root / "acs.exe")
    (root / "content").mkdir()
    user = folder / "steamapps" / "compatdata" / "244210" / "pfx" / "drive_c" / "users" / "steamuser"
    documents = user / "Documents" / "Assetto Corsa"
    documents.mkdir(parents=True)
    return root, documents


@pytest.mark.skipif(sys.platform == "win32", reason="Wine prefixes are Linux's")
def test_the_game_is_found_through_steam_with_its_proton_prefix(tmp_path) -> None:
    root, documents = proton_library(tmp_path)
    game = find_game(steam=[tmp_path])
    assert (game.root, game.documents) == (root, documents)
    assert game.prefix == documents.parents[4]
    assert find_game(root) == game


@pytest.mark.skipif(sys.platform == "win32", reason="Wine prefixes are Linux's")
def test_a_game_inside_a_wine_prefix_belongs_to_it(tmp_path) -> None:
    game = make_game(tmp_path / "pfx" / "drive_c" / "Games")
    (tmp_path / "pfx" / "drive_c" / "users" / "Public").mkdir(parents=True)
    (tmp_path / "pfx" / "drive_c" / "users" / "ann").mkdir()
    assert wine_prefix(game.root) == tmp_path / "pfx"
    expected = tmp_path / "pfx" / "drive_c" / "users" / "ann" / "Documents" / "Assetto Corsa"
    assert find_game(game.root).documents == expected


def test_no_game_says_what_to_do(tmp_path, monkeypatch) -> None:
    with pytest.raises(ContentError, match="actwin serve"):
        find_game(steam=[])
    with pytest.raises(ContentError, match=r"no acs\.exe"):
        find_game(tmp_path)
    game = make_game(tmp_path)
    assert find_game(game.root, documents=game.documents).documents == game.documents
    monkeypatch.setattr("actwin.content.game.documents_folder", lambda: None)
    with pytest.raises(ContentError, match="--documents"):
        find_game(game.root)


def test_windows_tells_where_documents_are(tmp_path, monkeypatch) -> None:
    game = make_game(tmp_path)
    monkeypatch.setattr("actwin.content.game.documents_folder", lambda: tmp_path / "Documents")
    assert find_game(game.root).documents == game.documents


def test_the_registry_tells_where_steam_is_on_windows(tmp_path, monkeypatch) -> None:
    (tmp_path / "Steam").mkdir()
    texts = {r"Software\Valve\Steam": str(tmp_path / "Steam")}
    monkeypatch.setattr("actwin.content.steam.sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr("actwin.content.steam.registry_text", lambda path, name: texts.get(path))
    assert steam_folders() == [tmp_path / "Steam"]


def test_names_are_found_in_any_case(tmp_path) -> None:
    game = make_game(tmp_path)
    assert find(game.root, "CONTENT", "Cars") == game.root / "Content" / "cars"
    assert find(game.root, "content", "tracks") is None
    assert place(game.root, "APPS", "python", "actwin") == game.root / "apps" / "Python" / "actwin"
    assert game.app_folder == game.root / "apps" / "Python" / "actwin"


def test_the_shaders_patch_is_read_as_content_manager_reads_it(tmp_path) -> None:
    game = make_game(tmp_path)
    patch = shaders_patch(game)
    assert patch is not None
    assert (patch.version, patch.active, patch.custom_ai, patch.knows_custom_ai) == ("0.2.8", True, None, True)
    write(game.root / "extension" / "config" / "new_behaviour.ini", b"[CUSTOM_AI]\nENABLED=1 ; on\n")
    assert shaders_patch(game).custom_ai is True
    write(game.settings / "extension" / "new_behaviour.ini", b"[CUSTOM_AI]\nENABLED=0\n")
    assert shaders_patch(game).custom_ai is False
    write(game.settings / "extension" / "general.ini", b"[BASIC]\nENABLED=0\n")
    assert shaders_patch(game).active is False
    assert shaders_patch(make_game(tmp_path / "plain", patch=False)) is None


def test_apps_are_on_or_off(tmp_path) -> None:
    game = make_game(tmp_path)
    assert python_apps_on(game) is True
    assert app_on(game) is False
    write(game.settings / "Python.ini", b"[actwin]\nACTIVE=1\n")
    assert app_on(game) is True
    nowhere = Game(tmp_path / "no", tmp_path / "where")
    assert python_apps_on(nowhere) is None
    assert app_on(nowhere) is False


@pytest.mark.parametrize(
    ("text", "numbers"), [("0.1.79", (0, 1, 79)), ("0.2.3-preview211", (0, 2, 3)), ("", ()), ("x", ())]
)
def test_versions(text, numbers) -> None:
    assert version_numbers(text) == numbers
