"""Splits HEIC and AVIF files into the parts that a person sees, for `picture_content`.

Such a file is a tree of boxes (ISO/IEC 14496-12 and 23008-12). The box `meta` lists items: coded
pictures, tiles, transparency, thumbnails, and metadata such as EXIF and XMP. Programs that edit
metadata move items and change offsets, so each item that is no metadata is described without them:
its type, its properties (size, decoder configuration, rotation, cropping), its references, then its
data. ICC profiles are left out, because `decoding` ignores them; an EXIF orientation too, because
only the properties `irot` and `imir` turn such a picture.

The parser accepts arbitrary bytes: the only exception is `UnreadablePicture`, also for files of
unknown structure. Steps and the size of the parts are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.outputs.item_boxes import Box, Cursor, list_boxes, read_once
from image_gender_classifier.outputs.item_locations import read_locations

_UNKNOWN = "unknown structure of items"

_METADATA = frozenset((b"Exif", b"mime", b"uri "))  # types of items
_ICC_PROFILES = frozenset((b"prof", b"rICC"))  # types of colours; others say how to compute RGB
# Boxes without pixels of the picture: unused bytes, other metadata, Samsung's data and video.
_FREE = frozenset((b"free", b"skip"))
_BESIDE = _FREE | {b"mdat", b"uuid", b"wide", b"mpvd", b"sefd"}
_MAX_TABLE = 2**18  # bytes of a list of items, references or properties; real ones have 10 KB


@dataclass(frozen=True)
class _Item:
    """An entry of the list of items.

    Attributes:
        kind: Type of four letters.
        hidden: Whether the item is only a part of others.
    """

    kind: bytes
    hidden: bool


def split(data: bytes) -> Iterator[bytes | memoryview]:
    """Yields the parts of a HEIC or AVIF file that a person sees.

    Args:
        data: The whole file.

    Raises:
        UnreadablePicture: The file is corrupt, truncated or of unknown structure. It is raised
            before the first part.
    """
    top = read_once(data, Box(b"", 0, len(data)), (b"ftyp", b"meta"), _BESIDE)
    meta = _require(top, b"meta")
    Cursor.of_full_box(data, meta, versions=(0,))
    known = (b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"idat", b"grpl", b"dinf")
    boxes = read_once(data, Box(b"meta", meta.start + 4, meta.end), known, _FREE)
    handler = _require(boxes, b"hdlr")
    if data[handler.start + 8 : handler.start + 12] != b"pict":
        raise UnreadablePicture(_UNKNOWN)
    items = _read_items(data, _table(boxes, b"iinf"))
    seen = sorted(number for number, item in items.items() if item.kind not in _METADATA)
    # Metadata items may come before others, so that ids are replaced by places.
    places = {number: place for place, number in enumerate(seen)}
    primary = _read_primary(data, _table(boxes, b"pitm"))
    extents = read_locations(data, _table(boxes, b"iloc"), boxes.get(b"idat"), frozenset(places))
    references = _read_references(data, boxes, items, places)
    properties, used = _read_properties(data, _require(boxes, b"iprp"))
    if primary not in places or not (extents.keys() | used.keys()) <= items.keys():
        raise UnreadablePicture(_UNKNOWN)
    if any(index > len(properties) for uses in used.values() for index, _ in uses):
        raise UnreadablePicture(_UNKNOWN)
    yield from _describe_file(data, top, boxes, (places[primary], len(seen)))
    first_used: dict[int, int] = {}  # numbers of the properties that were yielded, by index
    for number in seen:
        item, parts = items[number], extents.get(number, ())
        uses, new = [], []
        for index, essential in used.get(number, ()):
            found = properties[index - 1]
            if _is_icc_profile(data, found):
                continue
            if index not in first_used:
                first_used[index] = len(first_used)
                new.append(memoryview(data)[found.start : found.end])
            uses.append((first_used[index], essential, found.kind, found.end - found.start))
        size = sum(map(len, parts))
        described = (item.kind, item.hidden, size, uses, references.get(number, []))
        yield repr(described).encode()
        yield from new
        yield from parts


def _describe_file(
    data: bytes, top: dict[bytes, Box], boxes: dict[bytes, Box], numbers: tuple[int, int]
) -> Iterator[bytes | memoryview]:
    """Yields the brands, the groups of items, and numbers that describe the file."""
    found = [_require(top, b"ftyp"), *filter(None, [boxes.get(b"grpl")])]
    yield repr((numbers, [box.end - box.start for box in found])).encode()
    for box in found:
        yield memoryview(data)[box.start : box.end]


def _require(boxes: dict[bytes, Box], kind: bytes) -> Box:
    """Returns the box of a type; raises `UnreadablePicture` if there is none."""
    if kind not in boxes:
        raise UnreadablePicture(_UNKNOWN)
    return boxes[kind]


def _table(boxes: dict[bytes, Box], kind: bytes) -> Box:
    """Returns the box of a type; raises `UnreadablePicture` if it is missing or too large."""
    box = _require(boxes, kind)
    if box.end - box.start > _MAX_TABLE:
        raise UnreadablePicture(_UNKNOWN)
    return box


def _read_primary(data: bytes, box: Box) -> int:
    """Returns the id of the item that is the picture itself (box `pitm`)."""
    cursor = Cursor.of_full_box(data, box, versions=(0, 1))
    return cursor.take(4 if cursor.version else 2)


def _read_items(data: bytes, box: Box) -> dict[int, _Item]:
    """Returns the items by their ids (box `iinf`)."""
    cursor = Cursor.of_full_box(data, box, versions=(0, 1))
    count = cursor.take(4 if cursor.version else 2)
    items: dict[int, _Item] = {}
    for entry in list_boxes(data, Box(b"iinf", cursor.at, box.end)):
        fields = Cursor.of_full_box(data, entry, versions=(2, 3))
        number = fields.take(4 if fields.version == 3 else 2)
        protection, kind = fields.take(2), fields.take_bytes(4)
        if entry.kind != b"infe" or number in items or protection:
            raise UnreadablePicture(_UNKNOWN)
        items[number] = _Item(kind, bool(fields.flags & 1))
    if len(items) != count:
        raise UnreadablePicture(_UNKNOWN)
    return items


def _read_references(
    data: bytes, boxes: dict[bytes, Box], items: dict[int, _Item], places: dict[int, int]
) -> dict[int, list[tuple[bytes, list[int]]]]:
    """Returns the references of each item that is no metadata (box `iref`), sorted by type.

    Args:
        data: The whole file.
        boxes: The boxes in `meta`.
        items: All items by their ids.
        places: Places of the items that are no metadata, by their ids; references name these.
    """
    found: dict[int, list[tuple[bytes, list[int]]]] = {}
    if b"iref" not in boxes:
        return found
    box = _table(boxes, b"iref")
    cursor = Cursor.of_full_box(data, box, versions=(0, 1))
    size = 4 if cursor.version else 2
    for entry in list_boxes(data, Box(b"iref", cursor.at, box.end)):
        fields = Cursor(data, entry.start, entry.end)
        number, count = fields.take(size), fields.take(2)
        targets = [fields.take(size) for _ in range(count)]
        if number in places:
            if not all(target in places for target in targets):
                raise UnreadablePicture(_UNKNOWN)
            seen = (entry.kind, [places[target] for target in targets])
            found.setdefault(number, []).append(seen)
        elif number not in items:
            raise UnreadablePicture(_UNKNOWN)
    for each in found.values():
        each.sort(key=lambda reference: reference[0])
    return found


def _read_properties(data: bytes, box: Box) -> tuple[list[Box], dict[int, list[tuple[int, bool]]]]:
    """Returns the properties, and which of them items have (box `iprp`).

    Returns:
        The properties; and for each id of an item the numbers of its properties, from 1, and
        whether they are essential.
    """
    properties: list[Box] | None = None
    used: dict[int, list[tuple[int, bool]]] = {}
    left = _MAX_TABLE
    for part in list_boxes(data, box):
        if part.kind == b"ipco" and properties is None:
            properties = list(list_boxes(data, part))
        elif part.kind == b"ipma" and (left := left - (part.end - part.start)) >= 0:
            _read_uses(Cursor.of_full_box(data, part, versions=(0, 1)), used)
        else:
            raise UnreadablePicture(_UNKNOWN)
    if properties is None:
        raise UnreadablePicture(_UNKNOWN)
    return properties, used


def _read_uses(cursor: Cursor, used: dict[int, list[tuple[int, bool]]]) -> None:
    """Adds the properties of items (box `ipma`) to `used`; see `_read_properties`."""
    size = 2 if cursor.flags & 1 else 1
    essential = 0x80 << 8 * (size - 1)
    for _ in range(cursor.take(4)):
        number = cursor.take(4 if cursor.version else 2)
        if number in used:
            raise UnreadablePicture(_UNKNOWN)
        uses = [cursor.take(size) for _ in range(cursor.take(1))]
        # The number 0 is no property.
        used[number] = [(use & ~essential, use >= essential) for use in uses if use & ~essential]


def _is_icc_profile(data: bytes, box: Box) -> bool:
    """Returns whether a property is an ICC colour profile."""
    return box.kind == b"colr" and data[box.start : box.start + 4] in _ICC_PROFILES
