"""The content of the server: which URL has what. Pictures are numbered, never named, in URLs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast, get_args

from image_gender_classifier.outputs import xml
from image_gender_classifier.outputs.corrections import CorrectedGender, Correction
from image_gender_classifier.outputs.page import assets
from image_gender_classifier.outputs.page.data import (
    CHUNK,
    PageItem,
    PageSettings,
    encode_data,
    encode_xml_chunk,
)
from image_gender_classifier.outputs.picture_content import is_hash
from image_gender_classifier.outputs.settings import THUMBNAIL_SIDE
from image_gender_classifier.results import Preview
from image_gender_classifier.review.corrections import CorrectionFile
from image_gender_classifier.review.items import Reviewed, find_missing, make_title
from image_gender_classifier.review.previews import LARGE_SIDE

HTML, CSS, SCRIPT, JPEG, TEXT = (
    "text/html; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/jpeg",
    "text/plain; charset=utf-8",
)


class Response(NamedTuple):
    """A response of the server.

    Attributes:
        status: HTTP status.
        kind: Content type.
        body: Content.
        headers: Further headers.
    """

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


NOT_FOUND = Response(404, TEXT, b"not found")


class Site:
    """Answers the requests of the page.

    Args:
        folder: The folder of pictures.
        items: The pictures.
        corrections: The file with the corrections.
        draw: Draws a preview of a picture: its path and the longest side.
    """

    def __init__(
        self,
        folder: Path,
        items: Sequence[Reviewed],
        corrections: CorrectionFile,
        draw: Callable[[str, int], Preview],
    ) -> None:
        self._folder = folder
        self._items = items
        self._corrections = corrections
        self._draw = draw
        self._fixed = {
            "": Response(200, HTML, assets.make_html(".", assets.SERVER_POLICY)),
            assets.STYLE: Response(200, CSS, assets.read_asset(assets.STYLE)),
            **{name: Response(200, SCRIPT, assets.read_asset(name)) for name in assets.SCRIPTS},
        }

    def get(self, path: str) -> Response:
        """Answers a GET request; `path` is that below the token."""
        if path in self._fixed:
            return self._fixed[path]
        if path == "data.js":
            return self._get_data()
        folder, _, name = path.partition("/")
        if folder == "xml" and name.endswith(".js"):
            return self._get_xml(_parse_number(name.removesuffix(".js")))
        number = _parse_number(name)
        sides = {"thumbnails": THUMBNAIL_SIDE, "pictures": LARGE_SIDE}
        if folder not in sides or number is None or number >= len(self._items):
            return NOT_FOUND
        return _show(self._draw(self._items[number].prediction.file, sides[folder]))

    def post(self, path: str, body: bytes) -> Response:
        """Answers a POST request: adds, replaces or removes a correction.

        Raises:
            GenderClassifierError: The file of corrections cannot be read or written.
        """
        if path != "correction":
            return NOT_FOUND
        try:
            file, correction = self._parse_correction(body)
        except (ValueError, TypeError, KeyError, RecursionError):
            return Response(400, TEXT, b"not a correction")
        self._corrections.change(file, correction)
        return Response(200, TEXT, b"saved")

    def _get_data(self) -> Response:
        predictions = [item.prediction for item in self._items]
        missing = find_missing(self._folder, [prediction.file for prediction in predictions])
        items = [PageItem(each, missing=each.file in missing) for each in predictions]
        settings = PageSettings(make_title(self._folder), server=True)
        return Response(200, SCRIPT, encode_data(items, settings, self._corrections.read()))

    def _get_xml(self, chunk: int | None) -> Response:
        if chunk is None or chunk * CHUNK >= len(self._items):
            return NOT_FOUND
        items = self._items[chunk * CHUNK : (chunk + 1) * CHUNK]
        body = encode_xml_chunk(chunk, [item.read_xml() for item in items])
        return Response(200, SCRIPT, body)

    def _parse_correction(self, body: bytes) -> tuple[str, Correction | None]:
        """Returns the path of a picture and its correction.

        Raises:
            ValueError: The body is something else; also `TypeError` or `KeyError`.
        """
        given = json.loads(body)
        index, gender, face, picture = (given[k] for k in ("index", "gender", "face", "picture"))
        if not (isinstance(index, int) and 0 <= index < len(self._items)):
            raise ValueError(index)
        prediction = self._items[index].prediction
        if gender is None:
            return prediction.file, None
        if gender not in get_args(CorrectedGender) or not isinstance(face, int):
            raise ValueError(gender)
        if not isinstance(picture, str) or not is_hash(picture):
            raise ValueError(picture)
        box = None
        if gender != "no_face" and face >= 0:
            box = xml.round_box(prediction.faces[face]) if face < len(prediction.faces) else None
        return prediction.file, Correction(cast(CorrectedGender, gender), box, picture)


def _show(preview: Preview) -> Response:
    hashes = (("X-Picture", preview.picture), ("X-File", preview.file_hash))
    headers = [header for header in hashes if header[1]]
    if not preview.jpeg:
        text = (preview.message or "").encode("utf-8", "replace")
        return Response(200, TEXT, text, tuple(headers))  # browsers log other status as errors
    headers.append(("X-Size", f"{preview.width}x{preview.height}"))
    return Response(200, JPEG, preview.jpeg, tuple(headers))


def _parse_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
