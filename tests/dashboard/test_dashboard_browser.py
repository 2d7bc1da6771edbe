"""The running dashboard in a real browser: pages without complaints, choices that change figures."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from tests_dashboard import write_driven, write_run

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
BROWSER = next((path for name in ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
                if (path := shutil.which(name))), None)  # fmt: skip
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium, Chrome or Edge on this machine"),
]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 400, "height": 860}
SCRIPT = "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
BUSY = """() => [...document.querySelectorAll('.aw-root')].filter((e) => !e.dataset.draws).length
  + document.querySelectorAll('[data-testid="stSkeleton"], [data-testid="stSpinner"]').length"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard that runs, with sessions, one of them hostile, and a run."""
    root = tmp_path_factory.mktemp("served")
    sessions, runs = root / "sessions", root / "runs"
    write_driven(sessions, SCRIPT, car=SCRIPT)
    write_driven(sessions, "Ada", [84.0, 83.0, 85.0], hours=1.0)
    write_run(runs)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "actwin.cli", "dashboard", "--port", str(port), "--sessions", str(sessions),
               "--runs", str(runs), "--source", "udp:127.0.0.1:9", "--no-browser"]  # fmt: skip
    log = (root / "log").open("wb")
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        place = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 90.0
        while True:
            try:
                urllib.request.urlopen(f"{place}/_stcore/health", timeout=5.0).read()
                break
            except OSError:
                if time.monotonic() > end or server.poll() is not None:
                    pytest.fail((root / "log").read_text(errors="replace")[-2000:])
                time.sleep(0.3)
        yield place
    finally:
        server.terminate()
        server.wait(30.0)
        log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A browser that keeps what it fetched once."""
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield started.new_context(viewport=WIDE)
        started.close()


@pytest.fixture
def page(browser) -> Iterator[object]:
    """A page that collects what the browser complains about in `page.complaints`."""
    shown = browser.new_page()
    shown.set_default_timeout(90_000)
    shown.complaints = []

    def note(said) -> None:
        if said.type == "error":
            shown.complaints.append(said.text)

    shown.on("console", note)
    shown.on("pageerror", lambda error: shown.complaints.append(str(error)))
    shown.on("request", lambda asked: shown.complaints.append(asked.url) if not local(asked.url) else None)
    yield shown
    shown.close()


def local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def settle(page) -> None:
    page.wait_for_selector(".aw-head")
    end, calm = time.monotonic() + 90.0, 0
    while time.monotonic() < end and calm < 3:
        calm = calm + 1 if page.evaluate(BUSY) == 0 else 0
        page.wait_for_timeout(200)


@pytest.mark.parametrize("name", ["", "laps", "compare", "corners", "patterns", "training"])
def test_a_page_is_shown_without_complaints(page, address, name) -> None:
    """On a desk and on a phone; then with a session whose names hold scripts, which stay text."""
    assert page.goto(f"{address}/{name}").ok
    settle(page)
    if name:
        page.wait_for_selector(".aw-root .main-svg")
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)
        page.wait_for_timeout(300)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size["width"]
    if name not in ("", "training"):
        page.get_by_role("combobox").first.click()
        page.get_by_test_id("stSelectboxVirtualDropdown").get_by_text("script").first.click()
        page.wait_for_timeout(400)
        settle(page)
    assert page.evaluate("() => window.hurt") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator('[data-testid="stException"]').count() == 0
    assert page.locator("text=This part of the page failed").count() == 0
    assert page.complaints == []


def test_gauges_of_a_played_session_move(page, address) -> None:
    page.goto(address)
    settle(page)
    page.get_by_role("combobox").first.click()
    page.get_by_test_id("stSelectboxVirtualDropdown").get_by_text("A recorded session").click()
    ticks = "() => Number(document.querySelector('.aw-cockpit')?.dataset.ticks || 0)"
    page.wait_for_function(f"() => ({ticks})() > 5")
    assert page.locator(".aw-track .me").count() == 1
    assert "samples/s" in page.locator(".aw-facts").inner_text()
    page.set_viewport_size(NARROW)
    page.wait_for_function(f"() => ({ticks})() > {page.evaluate(ticks)} + 5")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 400
    assert page.complaints == []


def test_choices_change_the_comparison(page, address) -> None:
    page.goto(f"{address}/compare")
    settle(page)
    lines = "() => document.querySelector('.aw-traces').data.length"
    draws = "() => Number(document.querySelector('.aw-root').dataset.draws)"
    maps = "() => Number(document.querySelector('.aw-map').dataset.draws)"
    before, drawn, map_before = page.evaluate(lines), page.evaluate(draws), page.evaluate(maps)
    page.get_by_text("Engine", exact=True).click()
    page.wait_for_function(f"() => ({lines})() > {before}")
    assert page.evaluate(maps) == map_before, "the map did not change"
    page.get_by_text("Pedals", exact=True).click()
    page.wait_for_function(f"() => ({draws})() > {drawn} + 1")
    assert page.evaluate(maps) == map_before + 1
    names = page.evaluate("() => document.querySelector('.aw-map').data.map((line) => line.name)")
    assert "brake" in names
    assert page.complaints == []


def test_the_map_follows_the_cursor(page, address) -> None:
    page.goto(f"{address}/compare")
    settle(page)
    place = page.locator(".aw-traces").bounding_box()
    page.wait_for_selector(".aw-readout th")
    page.mouse.move(place["x"] + 0.5 * place["width"], place["y"] + 200.0)
    away = "const head = document.querySelector('.aw-readout th'); return head && !head.textContent.includes('at 0 m');"
    page.wait_for_function(f"() => {{ {away} }}")
    shown = page.evaluate(
        "() => { const map = document.querySelector('.aw-map');"
        " return map.layout.meta.cursor.map((i) => map.data[i].visible); }"
    )
    assert all(shown)
