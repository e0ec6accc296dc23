"""Decodes the formats that Pillow reads: the first page or frame, opaque and 8-bit RGB.

Pillow is imported only for a picture that needs it. Each plugin is opened directly: `Image.open`
would load all of them, and compare sizes with a limit that the whole process shares.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import formats, icons
from image_gender_classifier.imaging.alpha import to_opaque_rgb
from image_gender_classifier.imaging.formats import Format
from image_gender_classifier.imaging.headers import TRUNCATED, Header
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.imaging.plugins import PLUGINS, load_plugin
from image_gender_classifier.imaging.shortage import blaming_the_culprit
from image_gender_classifier.imaging.tiff_tags import ORIENTATION, read_tags
from image_gender_classifier.system import logs

_END_OF_CODESTREAM = b"\xff\xd9"  # of JPEG 2000
_BLOCK = 2**20  # pixels converted at a time, to limit memory
_LARGE_TILE = 2**22  # pixels of a TIFF tile, which the decoder holds as a whole
# TIFF tags.
_BITS, _PHOTOMETRIC, _SAMPLES, _PLANES = 258, 262, 277, 284
_TILE_WIDTH, _TILE_HEIGHT, _SAMPLE_FORMAT = 322, 323, 339
_SEPARATE, _FLOAT = 2, 3  # values of the tags
_BOMB = "the picture has more pixels than the limit (--max-pixels); save a smaller version"
# Of run-length encoded BMPs: offset and values of the compression, and a header size without it.
_BMP_COMPRESSION, _BMP_RUN_LENGTHS, _BMP_SHORT_HEADER = 30, (1, 2), 12
_MAX_RUN_BYTES, _MAX_RUN_PIXELS, _RUN_RESERVE = 2**21, 2**24, 2**16
_REASON_LENGTH = 100  # characters
_ADDRESS = re.compile(r"<[^<>]* object at 0x[0-9a-f]+>")


_one_at_a_time = threading.Lock()


class Decoded(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: H x W x 3, uint8, RGB, C-contiguous.
        orientation: EXIF orientation that is still to apply, 1 (upright) to 8.
    """

    pixels: NDArray[np.uint8]
    orientation: int


def decode(data: bytes, kind: Format, limits: Limits) -> Decoded:
    """Decodes a picture whose size is within the limits.

    Args:
        data: The whole file.
        kind: Its format.
        limits: The limits, checked before a pixel is decoded.

    Raises:
        UnreadablePicture: The picture is corrupt, too large, of an unsupported kind, or needs a
            package that is not installed.
        Unfinished: There is not enough memory.
    """
    with _one_at_a_time, _process_settings(limits) as caught:
        picture, kind = _open(data, kind, limits)
        pixels = picture.width * picture.height * _memory_factor(data, kind)
        with blaming_the_culprit(pixels, limits):
            with _failures(kind):
                picture.load()
            decoded = Decoded(_to_rgb(picture, data, kind), _orientation(picture, kind))
    for warning in caught:
        logs.info("Pillow warns of a %s file: %s", kind.name, _one_line(warning.message))
    return decoded


@contextmanager
def _process_settings(limits: Limits) -> Iterator[list[warnings.WarningMessage]]:
    """Changes settings of the whole process for a while; one thread at a time may do so.

    Warnings are recorded, and a limit of the user's replaces Pillow's lower one. Libtiff reads
    uncompressed TIFFs too: Pillow's own code makes noise of planes with 16 bits. A host program may
    want truncated pictures, whose missing part is black.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            from PIL import Image, ImageFile, TiffImagePlugin
        except ImportError:  # named where the format is known
            yield caught
            return
        pixels, libtiff = Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF
        truncated = ImageFile.LOAD_TRUNCATED_IMAGES
        if pixels is not None and limits.pixels is not None:
            Image.MAX_IMAGE_PIXELS = max(pixels, limits.pixels)
        TiffImagePlugin.READ_LIBTIFF = True
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield caught
        finally:
            Image.MAX_IMAGE_PIXELS, TiffImagePlugin.READ_LIBTIFF = pixels, libtiff
            ImageFile.LOAD_TRUNCATED_IMAGES = truncated


def _open(data: bytes, kind: Format, limits: Limits) -> tuple[Any, Format]:
    """Opens a picture within the limits; the format changes for an icon in PNG format."""
    from io import BytesIO

    stated = 0
    if kind is formats.ICO:  # Pillow decodes it on opening
        icon = icons.largest(data)
        if icon is None:
            raise UnreadablePicture(_undecodable(kind))
        data, kind = icon.data, formats.PNG if icon.is_png else kind
        limits.check_size(Header(kind, icon.width, icon.height))
        stated = icon.width * icon.height
    if kind is formats.JPEG_2000 and _END_OF_CODESTREAM not in data:  # all pixels may be missing
        raise UnreadablePicture(TRUNCATED)
    image_file = load_plugin(kind)
    details = _kind_of_tiff(data) if kind is formats.TIFF else ""
    with blaming_the_culprit(stated, limits), _failures(kind, details):
        picture = image_file(BytesIO(data))
    width, height = picture.size
    if width < 1 or height < 1:
        raise UnreadablePicture(_undecodable(kind, "no pixels"))
    factor = _memory_factor(data, kind)
    limits.check_size(Header(kind, width, height, memory_factor=factor))
    if kind is formats.TIFF:
        _check_tiles(data, width, height)
    if kind is formats.BMP:
        _check_run_lengths(data, width, height)
    return picture, kind


@contextmanager
def _failures(kind: Format, details: str = "") -> Iterator[None]:
    """Turns Pillow's exceptions for corrupt files, which are of many types, into a message."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        if type(error).__name__ == "DecompressionBombError":
            raise UnreadablePicture(_BOMB) from None
        raise UnreadablePicture(_undecodable(kind, details + _one_line(error))) from None


def _undecodable(kind: Format, reason: str = "") -> str:
    why = f" ({reason})" if reason else ""
    return f"corrupt, truncated or unsupported {kind.name}{why}; copy it again or save it as PNG"


def _one_line(error: Any) -> str:
    """The text of an exception or a warning, the same in each run."""
    return " ".join(_ADDRESS.sub("the file", str(error)).split())[:_REASON_LENGTH]


def _memory_factor(data: bytes, kind: Format) -> int:
    """Returns the memory for decoding a pixel, as in `Header`."""
    if kind is not formats.TIFF:
        return PLUGINS[kind].memory_factor
    tags = read_tags(data, (_BITS, _SAMPLES))
    return max(ceil(min(tags.get(_BITS, 1), 64) * min(tags.get(_SAMPLES, 1), 4) / 32), 1)


def _kind_of_tiff(data: bytes) -> str:
    """Describes the samples of a TIFF."""
    tags = read_tags(data, (_BITS, _SAMPLES, _PLANES, _SAMPLE_FORMAT))
    numbers = " floating-point" if tags.get(_SAMPLE_FORMAT) == _FLOAT else ""
    planes = " in planes" if tags.get(_PLANES) == _SEPARATE else ""
    return f"{tags.get(_SAMPLES, 1)} x {tags.get(_BITS, 1)}{numbers} bits{planes}: "


def _check_tiles(data: bytes, width: int, height: int) -> None:
    """Raises `UnreadablePicture` for a TIFF with a tile far larger than the picture."""
    tags = read_tags(data, (_TILE_WIDTH, _TILE_HEIGHT))
    across, down = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    if across * down > max(_LARGE_TILE, 4 * width * height):
        raise UnreadablePicture(_undecodable(formats.TIFF, "absurd tile size"))


def _check_run_lengths(data: bytes, width: int, height: int) -> None:
    """Raises `UnreadablePicture` for a BMP whose run lengths would take long: Python decodes them.

    A pixel takes up to two bytes, and rows end with some. Others only move the position.
    """
    if data[_BMP_COMPRESSION] not in _BMP_RUN_LENGTHS or data[14] == _BMP_SHORT_HEADER:
        return
    pixels = width * height
    if pixels > _MAX_RUN_PIXELS or len(data) > min(4 * pixels + _RUN_RESERVE, _MAX_RUN_BYTES):
        raise UnreadablePicture(
            f"the BMP has {len(data):,} bytes of run lengths for {width} x {height} pixels, too"
            " many to decode; save it as PNG"
        )


def _orientation(picture: Any, kind: Format) -> int:
    """Returns the EXIF orientation that is still to apply."""
    if kind is formats.TIFF:  # loading has applied it
        return 1
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # editing programs often corrupt EXIF blocks of intact pictures
        return 1
    return int(value) if value in range(1, 9) else 1


def _to_rgb(picture: Any, data: bytes, kind: Format) -> NDArray[np.uint8]:
    """Converts to RGB on white, block by block."""
    scale, inverted = _scale(picture, data, kind)
    rgb = np.empty((picture.height, picture.width, 3), np.uint8)
    for top, block in _blocks(picture):
        rows = rgb[top : top + block.height]
        if scale is None:
            rows[:] = _from_colours(block, kind)
        else:
            rows[:] = _from_numbers(block, scale, inverted)
    return rgb


def _blocks(picture: Any) -> Iterator[tuple[int, Any]]:
    """Yields rows of the picture with the number of the first."""
    width, height = picture.size
    step = max(_BLOCK // width, 1)
    for top in range(0, height, step):
        yield top, picture.crop((0, top, width, min(top + step, height)))


def _from_colours(block: Any, kind: Format) -> NDArray[np.uint8]:
    """Converts a palette or 8-bit samples of any colour space."""
    transparent = block.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in block.info
    with _failures(kind):
        if block.mode == "La":
            block = block.convert("LA")
        converted = np.asarray(block.convert("RGBA" if transparent else "RGB"))
    return to_opaque_rgb(converted, order="RGB") if transparent else converted


def _from_numbers(block: Any, scale: float, inverted: bool) -> NDArray[np.uint8]:
    """Scales grey samples that have more than 8 bits."""
    samples = np.nan_to_num(np.asarray(block).astype(np.float32), nan=0, posinf=0, neginf=0)
    grey = np.clip(samples * scale + 0.5, 0, 255).astype(np.uint8)
    return to_opaque_rgb(~grey if inverted else grey, order="RGB")


def _scale(picture: Any, data: bytes, kind: Format) -> tuple[float | None, bool]:
    """Returns the factor from samples to 0..255, and whether 0 is white.

    Returns:
        None for pictures of 8 bits, which Pillow converts.

    Raises:
        UnreadablePicture: The range of the samples is not known.
    """
    tags = read_tags(data, (_BITS, _PHOTOMETRIC)) if kind is formats.TIFF else {}
    inverted = tags.get(_PHOTOMETRIC) == 0
    mode, bits = picture.mode, tags.get(_BITS, 16)
    if mode.startswith("I;16") or (mode == "I" and kind is not formats.TIFF):
        return 255 / (2**12 - 1 if bits == 12 else 2**16 - 1), inverted
    if mode == "F":  # files do not say whether their samples are 0..1 or 0..255
        blocks = (np.asarray(block) for _, block in _blocks(picture))
        highest = max(np.max(block, where=np.isfinite(block), initial=0) for block in blocks)
        return 255.0 if highest <= 1 else 1.0, inverted
    if mode in ("I", "LAB"):
        samples = "Lab colours" if mode == "LAB" else f"{bits}-bit integers"
        raise UnreadablePicture(_undecodable(kind, samples))
    return None, False
