"""Folders to review and pages in a browser, for the tests of `review`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from image_gender_classifier.outputs.xml import encode_prediction
from image_gender_classifier.results import Prediction
from image_gender_classifier.review.serving import ReviewServer

RUN = "0123456789ab"
HOSTILE = "sub/<img src=x onerror=document.title='hacked'>'\"&.jpg"


class Review(NamedTuple):
    """Folders to review.

    Attributes:
        pictures: The folder of pictures.
        output: The folder of XML files.
        corrections: The file of corrections, which does not exist yet.
    """

    pictures: Path
    output: Path
    corrections: Path


def write_xml(output: Path, prediction: Prediction, name: str) -> None:
    (output / f"{name}.xml").write_bytes(encode_prediction(prediction))


@contextmanager
def run_server(server: ReviewServer) -> Iterator[ReviewServer]:
    """Runs a server in a thread of this process."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Page(NamedTuple):
    """An open page.

    Attributes:
        page: The page of Playwright.
        problems: Errors and warnings of the console, exceptions, and requests to other places.
    """

    page: Any
    problems: list[str]


def watch(opened: Page) -> None:
    """Collects the problems of a page."""
    page, problems = opened
    page.on(
        "console",
        lambda message: (
            problems.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "http://127.0.0.1:", "blob:", "data:"))
            else problems.append(request.url)
        ),
    )
