from __future__ import annotations

import pytest

from actwin.cli import main
from game_tree import contents, make_game


def run(capsys, *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_app_goes_in_and_out(capsys, tmp_path) -> None:
    game = make_game(tmp_path)
    before = contents(tmp_path)
    where = ("--ac", str(game.root), "--documents", str(game.documents))
    code, out, _ = run(capsys, "install-app", *where, "--telemetry-port", "3345")
    assert code == 0
    assert str(game.app_folder) in out
    code, out, _ = run(capsys, "install-app", *where, "--uninstall")
    assert code == 0
    assert "as it was before" in out
    assert contents(tmp_path) == before
    code, _, err = run(capsys, "install-app", *where, "--uninstall")
    assert code == 1
    assert "no app installed" in err


def test_no_game_is_one_line(capsys, tmp_path) -> None:
    code, _, err = run(capsys, "install-app", "--ac", str(tmp_path))
    assert (code, err.count("\n")) == (1, 1)
    assert "acs.exe" in err
