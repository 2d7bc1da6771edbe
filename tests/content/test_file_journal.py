from __future__ import annotations

import json

import pytest

import actwin.content.file_journal as journal_module
from actwin.content.file_journal import Change, FileJournal, Value, write_atomically
from actwin.errors import ContentError
from game_tree import contents, write

INI = b"[OTHER]\r\nKEEP=1 ; mine\r\n[OURS]\r\nON=0\r\n"
CHANGES = [
    Change("root", "apps/new/main.py", b"print()"),
    Change("root", "apps/old.txt", b"ours"),
    Change("user", "cfg/python.ini", [Value("OURS", "ON", "1"), Value("NEW", "X", "2")]),
    Change("user", "cfg/made/new.ini", [Value("A", "B", "C")]),
]


@pytest.fixture
def place(tmp_path):
    write(tmp_path / "root" / "apps" / "old.txt", b"theirs")
    write(tmp_path / "user" / "cfg" / "python.ini", INI)
    return tmp_path


def journal(folder) -> FileJournal:
    return FileJournal(folder / "root" / "journal", {"root": folder / "root", "user": folder / "user"})


def test_changes_are_made_and_taken_back_to_the_byte(place) -> None:
    before = contents(place)
    assert len(journal(place).apply(CHANGES)) == 4
    assert (place / "root" / "apps" / "old.txt").read_bytes() == b"ours"
    assert b"ON=1" in (place / "user" / "cfg" / "python.ini").read_bytes()
    assert journal(place).applied
    (place / "root" / "apps" / "new" / "__pycache__").mkdir()
    assert journal(place).undo() == []
    assert contents(place) == before
    assert not (place / "root" / "apps" / "new").exists()
    assert not (place / "user" / "cfg" / "made").exists()
    assert journal(place).undo() == []


def test_what_others_changed_since_stays(place) -> None:
    journal(place).apply(CHANGES)
    ini = place / "user" / "cfg" / "python.ini"
    write(ini, ini.read_bytes().replace(b"KEEP=1", b"KEEP=5") + b"[LATER]\r\nY=1\r\n")
    write(place / "root" / "apps" / "new" / "main.py", b"edited")
    (kept,) = journal(place).undo()
    assert kept.read_bytes() == b"edited"
    assert ini.read_bytes() == INI.replace(b"KEEP=1", b"KEEP=5") + b"\r\n[LATER]\r\nY=1\r\n"
    assert not (place / "root" / "apps" / "new").exists()


def test_a_value_the_user_set_again_is_theirs(place) -> None:
    journal(place).apply(CHANGES)
    ini = place / "user" / "cfg" / "python.ini"
    write(ini, ini.read_bytes().replace(b"ON=1", b"ON=7"))
    journal(place).undo()
    assert b"ON=7" in ini.read_bytes()
    assert b"NEW" not in ini.read_bytes()


@pytest.mark.parametrize("writes", range(9))
def test_an_interruption_at_any_write_is_taken_back(place, monkeypatch, writes) -> None:
    """As if the power failed: nothing is cleaned up in the process that was writing."""
    before, left = contents(place), [writes]

    def fails(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write_atomically(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "write_atomically", fails)
        try:
            journal(place).apply(CHANGES)
        except KeyboardInterrupt:
            pass
        else:
            assert writes == 8
    journal(place).undo()
    assert contents(place) == before


@pytest.mark.parametrize("writes", range(8))
def test_a_file_that_cannot_be_written_leaves_all_as_it_was(place, monkeypatch, writes) -> None:
    before, left = contents(place), [writes]

    def fails(path, content):
        left[0] -= 1
        if left[0] == -1:
            raise PermissionError(13, "in use")
        write_atomically(path, content)

    monkeypatch.setattr(journal_module, "write_atomically", fails)
    with pytest.raises(ContentError, match="Close the game"):
        journal(place).apply(CHANGES)
    assert contents(place) == before
    assert not journal(place).applied


@pytest.mark.parametrize("path", ["../../outside", "/etc/passwd", "C:/x", "a\\..\\b"])
def test_a_manifest_that_leads_elsewhere_is_refused(place, path) -> None:
    journal(place).apply(CHANGES)
    manifest = place / "root" / "journal" / "manifest.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    data["entries"][0]["path"] = path
    write(manifest, json.dumps(data).encode())
    with pytest.raises(ContentError, match="not a readable list"):
        journal(place).undo()


def test_nothing_to_change_is_nothing_to_take_back(place) -> None:
    assert journal(place).apply([Change("user", "cfg/python.ini", [Value("ours", "on", "0")])]) == []
    journal(place).undo()
    assert not (place / "root" / "journal").exists()
