"""Every page with sessions, with nothing and with what somebody meant ill; no browser."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from actwin.dashboard import folders, page_live
from actwin.telemetry.store.folder import META, TABLE

PAGES = ("live", "laps", "compare", "corners", "patterns", "training")
SCRIPT = "<script>window.hurt=1</script><img src=x onerror=alert(1)>"


def run_page(name: str, **asked: str) -> AppTest:
    """A page, opened by an address that asks for something."""
    source = (
        "import streamlit as st\n"
        "from actwin.dashboard import pages\n"
        "st.cache_data.clear()\n"
        f"pages.page(pages.body({name!r}))()\n"
    )
    try:
        app = AppTest.from_string(source, default_timeout=120)
        for key, value in asked.items():
            app.query_params[key] = value
        return app.run()
    finally:
        page_live.feeds().close()


def words(app: AppTest) -> str:
    """All texts of a page."""
    kinds = ("markdown", "error", "warning", "info", "success", "code", "text", "subheader", "caption", "metric")
    found = [str(each.value) for kind in kinds for each in app.get(kind) if hasattr(each, "value")]
    return "\n".join([*found, *(each.proto.body for each in app.get("html"))])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_sessions(name, driven, place, tmp_path) -> None:
    place(sessions=driven)
    app = run_page(name)
    assert not app.exception
    assert not app.error, [each.value for each in app.error]
    if name in ("compare", "corners", "patterns"):
        assert app.get("bidi_component"), "no figure"


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_folder_says_what_to_do(name, place) -> None:
    place()
    app = run_page(name)
    assert not app.exception
    assert not app.error
    assert "actwin " in words(app), "no command to type"


def test_laps_tell_the_bests(driven, place) -> None:
    place(sessions=driven)
    app = run_page("laps")
    shown = {each.label: each.value for each in app.metric}
    assert shown["Best lap"] == "1:22.500"  # Grace's session is the newest
    assert shown["Counting laps"].startswith("2 of ")
    table = app.dataframe[0].value
    assert "1:24.500" in list(table["time"])


def test_another_session_gives_other_laps(driven, place) -> None:
    place(sessions=driven)
    app = run_page("laps")
    app.selectbox[0].select_index(1).run()
    assert {each.label: each.value for each in app.metric}["Best lap"] == "1:23.000"


def test_compare_takes_a_reference_and_laps_of_another_session(driven, place) -> None:
    place(sessions=driven)
    app = run_page("compare")
    guest = next(each for each in app.selectbox if each.label.startswith("Laps of another"))
    guest.select_index(1).run()  # nothing, then the other one
    chosen = app.multiselect[0]
    assert len(chosen.options) == 5
    for count in (3, 4, 5):  # one after the other, as they are clicked
        app.multiselect[0].set_value(chosen.options[:count]).run()
        assert len(app.multiselect[0].value) == count
    assert not app.exception
    assert not app.error
    gaps = app.dataframe[0].value
    assert len(gaps) == 5
    assert list(gaps["Gap"])[-1] == "+0.000"


@pytest.mark.slow
def test_names_with_scripts_stay_text(place, tmp_path) -> None:
    from tests_dashboard import write_driven

    root = tmp_path / "ill"
    write_driven(root, SCRIPT, track="monza", car=SCRIPT, notes=SCRIPT)
    place(sessions=root)
    for name in PAGES:
        app = run_page(name)
        assert not app.exception
        assert not app.error
        for each in app.get("html"):
            assert "<script>window" not in each.proto.body
            assert "onerror" not in each.proto.body
        for each in app.markdown:
            assert not each.allow_html or "window.hurt" not in each.value


def broken(root: Path, driven: Path) -> dict[str, Path]:
    """Session folders of every bad kind."""
    good = next(folder for folder in driven.iterdir() if (folder / TABLE).is_file())
    made = {
        name: root / name for name in ("not_parquet", "cut", "no_meta", "wrong_types", "huge", "deep_json", "empty")
    }
    for folder in made.values():
        shutil.copytree(good, folder)
    (made["not_parquet"] / TABLE).write_bytes(b"PAR1" + os.urandom(400) + b"PAR1")
    whole = (good / TABLE).read_bytes()
    (made["cut"] / TABLE).write_bytes(whole[: len(whole) // 2])
    (made["no_meta"] / META).write_bytes(b"\x00" * 100)
    table = pq.read_table(good / TABLE)
    ill = table.set_column(table.schema.get_field_index("vel"), "vel", pa.array([SCRIPT] * len(table)))
    pq.write_table(ill, made["wrong_types"] / TABLE)
    rows = pa.table({"time": pa.repeat(pa.scalar(0.0), folders.MOST_ROWS + 1)})
    pq.write_table(rows, made["huge"] / TABLE, compression="zstd")
    (made["deep_json"] / META).write_text("[" * 100_000, encoding="utf-8")
    pq.write_table(table.slice(0, 0), made["empty"] / TABLE)
    return made


@pytest.mark.slow
def test_broken_sessions_are_named_and_crash_nothing(driven, place, tmp_path) -> None:
    root = tmp_path / "broken"
    root.mkdir()
    made = broken(root, driven)
    place(sessions=root)
    listing = folders.list_sessions(root)
    assert len(listing.choices) + len(listing.refused) == len(made)
    for choice in listing.choices:
        for name in ("laps", "compare", "corners", "patterns"):
            app = run_page(name, session=choice.name)
            assert app.selectbox[0].value == choice.name
            assert not app.exception, (choice.name, name)
            assert "This part of the page failed" not in words(app), (choice.name, name)


def test_a_session_that_claims_too_many_rows_is_not_opened(driven, tmp_path) -> None:
    from actwin.errors import SessionError

    made = broken(tmp_path, driven)
    with pytest.raises(SessionError, match="at most"):
        folders.check_size(made["huge"])


def test_links_out_of_the_folder_are_refused(driven, tmp_path) -> None:
    root = tmp_path / "root"
    good = next(folder for folder in driven.iterdir())
    shutil.copytree(good, root / "inside")
    try:
        (root / "outside").symlink_to(good, target_is_directory=True)
        (root / "inside" / META).unlink()
        (root / "inside" / META).symlink_to(good / META)
    except OSError:
        pytest.skip("this system makes no links")
    listing = folders.list_sessions(root)
    assert not listing.choices
    assert set(listing.refused) == {"inside", "outside"}


def test_only_listed_names_can_be_chosen(driven) -> None:
    listing = folders.list_sessions(driven)
    assert listing.find("../" + driven.name) is None
    assert listing.find(str(driven)) is None
    assert listing.find(listing.choices[0].name) == listing.choices[0]


def test_training_shows_runs_and_passes_over_ill_ones(place, tmp_path) -> None:
    from tests_dashboard import write_run

    runs = tmp_path / "runs"
    write_run(runs)
    ill = write_run(runs, "ill")
    (ill / "metrics.jsonl").write_text(json.dumps({"step": SCRIPT, "seconds": [], "x" * 500: 1}) + "\n" * 50)
    bad = runs / "no_yaml"
    bad.mkdir()
    (bad / "config.yaml").write_text("!!python/object/apply:os.system ['echo hurt']")
    place(runs=runs)
    app = run_page("training")
    assert not app.exception
    assert "This part of the page failed" not in words(app)
    table = app.dataframe[0].value
    assert "first" in list(table["Run"])
    assert "no_yaml" not in list(table["Run"])
    assert list(table[table["Run"] == "first"]["Best lap"]) == ["1:00.000"]
