"""Makes the screenshots of docs/review.md from the sample pictures.

    PYTHONPATH=tests .venv-test/bin/python -m review_screenshots docs

Needs Playwright, and Chromium or Chrome.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from image_gender_classifier.cli import program
from image_gender_classifier.review import program as review

SAMPLES = Path(__file__).resolve().parents[1] / "docs" / "samples"


def main(out: Path) -> None:
    """Writes `review-grid.jpg` and `review-large.jpg` to a folder."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for options in (["--min-face", "0.1"], ["--html", str(folder / "review.html")]):
            run = review.main if "--html" in options else program.main
            assert run(["-i", str(SAMPLES), "-o", name, *options]) == 0
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1000, "height": 470})
            page.goto((folder / "review.html").as_uri())
            page.wait_for_selector(".tile img")
            go_to_portrait(page)
            page.keyboard.press("f")
            page.wait_for_timeout(500)
            page.screenshot(path=out / "review-grid.jpg", quality=80)
            page.click("#theme")
            page.click("#theme")
            go_to_portrait(page)
            page.keyboard.press("Enter")
            page.wait_for_timeout(1500)
            page.screenshot(path=out / "review-large.jpg", quality=80)
            browser.close()


def go_to_portrait(page: Page) -> None:
    """Selects the fourth picture, `astronaut.jpg`."""
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
