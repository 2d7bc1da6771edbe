"""Pictures of every page of a running dashboard, on a laptop and on a phone, with what the browser complains about.

Run: actwin dashboard --no-browser &
     python tools/dashboard_pictures.py docs/pictures
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PAGES = ("live", "laps", "compare", "corners", "patterns", "training")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync")  # fmt: skip


def find_browser() -> str | None:
    """Path of a browser that Playwright can drive."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


BUSY = """() => [...document.querySelectorAll('.aw-root')].filter((e) => !e.dataset.draws).length
  + document.querySelectorAll('[data-testid="stSkeleton"], [data-testid="stSpinner"]').length
  + document.querySelectorAll('[data-testid="stApp"][data-test-script-state="running"]').length"""
"""Figures that were not drawn yet, and parts of the page that are not there."""


def settle(page: Page, seconds: float = 90.0) -> None:
    """Waits until Streamlit has run the page and every figure is drawn."""
    page.wait_for_selector(".aw-head", timeout=1000 * seconds)
    end, calm = time.monotonic() + seconds, 0
    while time.monotonic() < end and calm < 5:
        calm = calm + 1 if page.evaluate(BUSY) == 0 else 0
        page.wait_for_timeout(250)


def take(address: str, out: Path, widths: list[int], pages: list[str], whole: bool, session: str) -> None:
    """Takes the pictures.

    Args:
        address: Of the dashboard.
        out: Folder for `dashboard_PAGE.png`, with the width in the name on a phone.
        widths: [px] Of the window.
        pages: Which.
        whole: The whole page instead of one screen.
        session: Name of the session to show; empty for the newest.
    """
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        for width in widths:
            page = browser.new_page(viewport={"width": width, "height": 900 if width > 700 else 860})
            page.set_default_timeout(120_000)
            page.on(
                "console", lambda said: print(said.type, said.text[:300]) if said.type in ("error", "warning") else None
            )
            page.on("response", lambda got: print(got.status, got.url) if got.status >= 400 else None)
            page.on("pageerror", lambda error: print("pageerror", str(error)[:300]))
            for name in pages:
                begin = time.monotonic()
                page.goto(f"{address}/{'' if name == PAGES[0] else name}{f'?session={session}' if session else ''}")
                settle(page)
                print(f"{name} at {width}: {time.monotonic() - begin:.1f} s")
                path = out / f"dashboard_{name}{'' if width > 700 else f'_{width}'}.png"
                if whole:
                    height = page.evaluate(
                        "() => document.querySelector('[data-testid=\"stMainBlockContainer\"]').scrollHeight + 80"
                    )
                    page.set_viewport_size({"width": width, "height": min(int(height), 6000)})
                    page.wait_for_timeout(800)
                page.screenshot(path=path)
                page.set_viewport_size({"width": width, "height": 900 if width > 700 else 860})
                Image.open(path).convert("RGB").quantize(192).save(path, optimize=True)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--address", default="http://127.0.0.1:8501")
    parser.add_argument("--widths", type=int, nargs="+", default=[1440, 400])
    parser.add_argument("--pages", nargs="+", default=list(PAGES))
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--session", default="")
    chosen = parser.parse_args()
    take(chosen.address, chosen.out, chosen.widths, chosen.pages, chosen.whole, chosen.session)
