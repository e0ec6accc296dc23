"""Folders to review, the server, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reviews import HOSTILE, RUN, Page, Review, run_server, watch, write_xml

from image_gender_classifier.results import Box, Face, Prediction
from image_gender_classifier.review.corrections import CorrectionFile
from image_gender_classifier.review.items import read_items
from image_gender_classifier.review.previewer import Previewer
from image_gender_classifier.review.serving import ReviewServer
from image_gender_classifier.review.site import Site

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def make_review(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Review]:
    """Makes folders with five pictures: two faces, one face, none, unreadable, a hostile name."""

    def make() -> Review:
        root = tmp_path_factory.mktemp("review")
        pictures, output = root / "pictures", root / "xml"
        (pictures / "sub").mkdir(parents=True)
        output.mkdir()
        for name in ("astronaut", "mona_lisa", "rocket"):
            shutil.copy(samples / f"{name}.jpg", pictures)
        shutil.copy(samples / "aksel_andersson.jpg", pictures / HOSTILE)
        (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
        face = Face(Box(164, 67, 120, 120), "cnn", "unknown", 0.7, 0.9)
        other = Face(Box(300, 200, 90, 90), "cnn", None, None, 0.4)
        predictions = [
            Prediction("astronaut.jpg", "uncertain", "unknown", 0.7, (face, other), RUN),
            Prediction(
                *("mona_lisa.jpg", "classified", "female", 0.96),
                (Face(Box(104, 88, 103, 103), "lbp", "female", 0.96),), RUN,
            ),
            Prediction("rocket.jpg", "no_face", "unknown", run=RUN),
            Prediction("broken.jpg", "unreadable", "unknown", run=RUN, message="corrupt <b>"),
            Prediction(
                *(HOSTILE, "classified", "male", 0.99),
                (Face(Box(131, 80, 154, 154), "cnn", "male", 0.99),), RUN,
            ),
        ]  # fmt: skip
        for number, prediction in enumerate(predictions):
            write_xml(output, prediction, str(number))
        return Review(pictures, output, output / "corrections.csv")

    return make


@pytest.fixture
def review(make_review: Callable[[], Review]) -> Review:
    return make_review()


@pytest.fixture
def server(review: Review) -> Iterator[ReviewServer]:
    """The server of `review`, with real worker processes, in a thread of this process."""
    with Previewer(review.pictures, 1) as previewer:
        items = read_items(review.output)
        site = Site(review.pictures, items, CorrectionFile(review.corrections), previewer.draw)
        with run_server(ReviewServer(0, site, print)) as started:
            yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The installed Chromium or Chrome, driven by Playwright; skips where one is missing."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        # Without a sandbox, as tests may run as root in a container.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Page]]:
    """Opens a URL in a context of its own; fails if the page has problems at the end."""
    contexts: list[Any] = []
    opened: list[Page] = []

    def open_url(url: str, width: int = 1280, height: int = 800) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(60_000)
        contexts.append(context)
        new = Page(context.new_page(), [])
        opened.append(new)
        watch(new)
        new.page.goto(url)
        new.page.wait_for_selector(".tile")
        return new

    yield open_url
    problems = [problem for page in opened for problem in page.problems]
    for context in contexts:
        context.close()
    assert problems == []
