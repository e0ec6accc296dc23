"""Encodes the data of the page as JavaScript files, which a browser also loads without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from image_gender_classifier.outputs import corrections as table
from image_gender_classifier.outputs import reviewed, xml
from image_gender_classifier.outputs.corrections import Correction
from image_gender_classifier.outputs.escaping import escape_name, escape_text
from image_gender_classifier.outputs.settings import Facts
from image_gender_classifier.results import Face, Gender, Prediction, Status

CHUNK = 200
"""Number of XML files in one JavaScript file."""

_STATUSES, _GENDERS = get_args(Status), get_args(Gender)


class PageItem(NamedTuple):
    """A picture on the page.

    Attributes:
        prediction: Its prediction.
        width: Width of the upright picture in pixels; 0 if it is not known.
        height: Its height.
        picture: Name of its content, which its thumbnail has too; empty if it is not known. On a
            page with editing, `picture_content.content_hash`.
        message: Why it cannot be shown, if its prediction does not say so.
        missing: Whether the folder lacks the picture, because it was renamed or deleted.
        file_hash: Hash of all bytes of its file, as corrections of version 0.2.0 have it; empty if
            it is not known.
    """

    prediction: Prediction
    width: int = 0
    height: int = 0
    picture: str = ""
    message: str | None = None
    missing: bool = False
    file_hash: str = ""


class PageSettings(NamedTuple):
    """The settings of the page: all that it shows besides the pictures.

    Attributes:
        title: Heading of the page.
        editing: Whether pictures can be corrected.
        server: Whether a server provides thumbnails and pictures, and keeps corrections.
        pictures: URL of the folder of pictures, with a final slash; None if it has none.
        run: Settings of the run that the page reports on; empty if it reports on none.
    """

    title: str
    editing: bool = True
    server: bool = False
    pictures: str | None = None
    run: Facts = ()


def encode_data(
    items: Sequence[PageItem], settings: PageSettings, corrections: Mapping[str, Correction]
) -> bytes:
    """Returns `data.js`: the pictures and the corrections.

    Args:
        items: The pictures, sorted by the bytes of their paths.
        settings: Settings of the page.
        corrections: The corrections by path of the picture, as `Prediction.file`; those of other
            pictures, and of pictures that have changed, are kept when the page saves corrections:
            the pictures may have other names now.
    """
    from image_gender_classifier.manifest.cache_key import cache_key

    rows = [_encode_item(item) for item in items]
    places = {item.prediction.file: place for place, item in enumerate(items)}
    known, others = [], []
    for file, correction in corrections.items():
        place = places.get(file)
        if place is None or not _is_current(correction, items[place]):
            others.append([escape_name(file), table.encode_row(file, correction).decode()])
        else:
            known.append([place, correction.gender, find_face(items[place].prediction, correction)])
            if not rows[place][6]:  # a server tells whether the picture has changed
                rows[place][6] = correction.picture
    content = _dump(rows)
    data = {
        "title": escape_text(settings.title),
        "page": cache_key(content, _dump(known))[:16],
        "editing": settings.editing,
        "server": settings.server,
        "pictures": settings.pictures,
        "run": [[escape_text(text) for text in fact] for fact in settings.run],
        "chunk": CHUNK,
        "corrections": known,
        "csvHeader": table.HEADER.decode(),
        "csvOthers": others,
    }
    # The rows come last, so that a person can read the rest of the file.
    return f'"use strict";\nconst REVIEW = {_dump(data)[:-1]},"items":{content}}};\n'.encode()


def encode_xml_chunk(number: int, texts: Sequence[str]) -> bytes:
    """Returns `xml/NUMBER.js`: the XML files of `CHUNK` pictures."""
    return f"receiveXml({number},{_dump(texts)});\n".encode()


def find_face(prediction: Prediction, correction: Correction) -> int:
    """Returns the index of a correction's face among those of a prediction; -1 if it has none.

    The main face stands for a face that is not among them.
    """
    if not prediction.faces:
        return -1
    box = correction.box
    return (None if box is None else reviewed.find_face(prediction.faces, box)) or 0


def _is_current(correction: Correction, item: PageItem) -> bool:
    """Returns whether the picture is the one that was corrected, as far as that is known."""
    known = item.picture and correction.picture
    return not known or correction.picture in (item.picture, item.file_hash)


def _encode_item(item: PageItem) -> list[object]:
    prediction = item.prediction
    message = prediction.message or item.message
    return [
        escape_name(prediction.file),
        _STATUSES.index(prediction.status),
        _GENDERS.index(prediction.gender),
        _round_probability(prediction.confidence),
        item.width,
        item.height,
        item.picture,
        [_encode_face(face) for face in prediction.faces],
        None if message is None else escape_text(message),
        *([int(item.missing), item.file_hash] if item.missing or item.file_hash else []),
    ]


def _encode_face(face: Face) -> list[object]:
    gender = None if face.gender is None else _GENDERS.index(face.gender)
    confidence, score = _round_probability(face.confidence), _round_probability(face.score)
    return [*xml.round_box(face), gender, confidence, face.detector, score]


def _round_probability(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 3)


def _dump(value: object) -> str:
    """Returns JSON in ASCII, which is JavaScript too, without `</script>`."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
