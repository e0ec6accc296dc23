"""Decodes picture files with Pillow: the first page or frame, to opaque 8-bit RGB.

Pillow is imported only for a picture that needs it. The plugin of a format is called directly:
`Image.open` would load all plugins, and check sizes against a global limit.
"""

from __future__ import annotations

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
from image_gender_classifier.imaging.formats import Format
from image_gender_classifier.imaging.headers import TRUNCATED, Header
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.imaging.memory_errors import translate_decoding_errors
from image_gender_classifier.imaging.pillow_colours import to_rgb
from image_gender_classifier.imaging.pillow_errors import (
    format_reason,
    format_undecodable,
    translate_pillow_errors,
)
from image_gender_classifier.imaging.plugins import PLUGINS, load_plugin
from image_gender_classifier.imaging.tiff_tags import BITS, ORIENTATION, read_tags
from image_gender_classifier.system import logs

_END_OF_CODESTREAM = b"\xff\xd9"  # EOC marker of JPEG 2000
_LARGE_TILE = 2**22  # pixels of a TIFF tile, which libtiff holds in memory as a whole
_ROW_PIXELS = 4  # pixels of a row for which memory is counted at least
# TIFF tags.
_SAMPLES, _PLANES = 277, 284
_TILE_WIDTH, _TILE_HEIGHT, _SAMPLE_FORMAT = 322, 323, 339
_SEPARATE, _FLOAT = 2, 3  # values of PlanarConfiguration and SampleFormat
# BMP: offset of the compression, its values for run-length encoding, size of headers without it.
_BMP_COMPRESSION, _BMP_RUN_LENGTHS, _BMP_SHORT_HEADER = 30, (1, 2), 12
_MAX_RUN_BYTES, _MAX_RUN_PIXELS, _RUN_RESERVE = 2**21, 2**24, 2**16

_one_at_a_time = threading.Lock()


class Decoded(NamedTuple):
    """A decoded picture.

    Attributes:
        pixels: H x W x 3, uint8, RGB, C-contiguous.
        orientation: EXIF orientation that the caller must apply, 1 (upright) to 8.
    """

    pixels: NDArray[np.uint8]
    orientation: int


def decode(data: bytes, kind: Format, limits: Limits) -> Decoded:
    """Decodes a picture file with Pillow. Thread-safe, but decodes one picture at a time.

    Args:
        data: The whole file.
        kind: Its format; must be in `plugins.PLUGINS`.
        limits: Decompression-bomb limits, checked before a pixel is decoded.

    Returns:
        The pixels as stored in the file, and the orientation to apply.

    Raises:
        UnreadablePicture: The picture is corrupt, too large or of an unsupported kind.
        DecoderMissing: The package that decodes the format is missing, broken or too old.
        Unfinished: There is not enough memory.
    """
    with _one_at_a_time, _process_settings(limits) as caught:
        picture, kind = _open(data, kind, limits)
        factor = _memory_factor(data, kind, picture.width)
        pixels = picture.width * picture.height * factor
        with translate_decoding_errors(pixels, limits):
            with translate_pillow_errors(kind):
                picture.load()
            decoded = Decoded(to_rgb(picture, data, kind), _read_orientation(picture, kind))
    for warning in caught:
        logs.info("Pillow warning about a %s file: %s", kind.name, format_reason(warning.message))
    return decoded


@contextmanager
def _process_settings(limits: Limits) -> Iterator[list[warnings.WarningMessage]]:
    """Context manager that sets global options of Pillow and records warnings.

    Only one thread at a time may enter it. It restores the options at the end:
    - `MAX_IMAGE_PIXELS` is at least the user's limit, if there is one.
    - libtiff decodes uncompressed TIFFs too, because Pillow's own decoder turns 16-bit planes into
      noise.
    - Truncated pictures are errors, even if the host program has set `LOAD_TRUNCATED_IMAGES`.

    Args:
        limits: Decompression-bomb limits; `pixels` is the user's limit.

    Yields:
        The list to which warnings are appended.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            from PIL import Image, ImageFile, TiffImagePlugin
        except ImportError:  # `load_plugin` raises the error with the format
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
    """Opens a picture with its Pillow plugin and checks its size; decodes only icons.

    Arguments are those of `decode`.

    Returns:
        The Pillow picture, and its format: `PNG` for an icon that contains a PNG file.

    Raises:
        UnreadablePicture: See `decode`.
        Unfinished: There is not enough memory.
    """
    from io import BytesIO

    stated = 0
    if kind is formats.ICO:  # Pillow decodes an icon on opening, so its size is checked before
        icon = icons.extract_largest(data)
        if icon is None:
            raise UnreadablePicture(format_undecodable(kind))
        data, kind = icon.data, formats.PNG if icon.is_png else kind
        limits.check_size(Header(kind, icon.width, icon.height))
        stated = icon.width * icon.height
    # Pillow accepts some truncated JPEG 2000 files.
    if kind is formats.JPEG_2000 and _END_OF_CODESTREAM not in data:
        raise UnreadablePicture(TRUNCATED)
    image_file = load_plugin(kind)
    details = _describe_samples(data) if kind is formats.TIFF else ""
    with translate_decoding_errors(stated, limits), translate_pillow_errors(kind, details):
        picture = image_file(BytesIO(data))
    width, height = picture.size
    if width < 1 or height < 1:
        raise UnreadablePicture(format_undecodable(kind, "no pixels"))
    factor = _memory_factor(data, kind, width)
    limits.check_size(Header(kind, width, height, memory_factor=factor))
    if kind is formats.TIFF:
        _check_tiles(data, width, height)
    if kind is formats.BMP:
        _check_run_lengths(data, width, height)
    return picture, kind


def _memory_factor(data: bytes, kind: Format, width: int) -> int:
    """Returns the `Header.memory_factor` of a file that Pillow decodes.

    Pillow needs a pointer for each row, which counts if the rows are short.

    Args:
        data: The whole file.
        kind: Its format.
        width: Width of the picture in pixels, at least 1.
    """
    return ceil(_ROW_PIXELS / min(width, _ROW_PIXELS)) * _pixel_factor(data, kind)


def _pixel_factor(data: bytes, kind: Format) -> int:
    """Returns the `Header.memory_factor` of a picture with rows of usual length."""
    if kind is not formats.TIFF:
        return PLUGINS[kind].memory_factor
    tags = read_tags(data, (BITS, _SAMPLES))
    return max(ceil(min(tags.get(BITS, 1), 64) * min(tags.get(_SAMPLES, 1), 4) / 32), 1)


def _describe_samples(data: bytes) -> str:
    """Returns the samples of a TIFF as a prefix for messages, such as `3 x 16 bits in planes: `."""
    tags = read_tags(data, (BITS, _SAMPLES, _PLANES, _SAMPLE_FORMAT))
    numbers = " floating-point" if tags.get(_SAMPLE_FORMAT) == _FLOAT else ""
    planes = " in planes" if tags.get(_PLANES) == _SEPARATE else ""
    return f"{tags.get(_SAMPLES, 1)} x {tags.get(BITS, 1)}{numbers} bits{planes}: "


def _check_tiles(data: bytes, width: int, height: int) -> None:
    """Raises `UnreadablePicture` for a TIFF whose tiles are far larger than the picture."""
    tags = read_tags(data, (_TILE_WIDTH, _TILE_HEIGHT))
    across, down = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    if across * down > max(_LARGE_TILE, 4 * width * height):
        raise UnreadablePicture(
            format_undecodable(formats.TIFF, "a tile is far larger than the picture")
        )


def _check_run_lengths(data: bytes, width: int, height: int) -> None:
    """Raises `UnreadablePicture` for a run-length encoded BMP that would take long to decode.

    Pillow decodes run lengths in Python. A picture needs at most two bytes per pixel and a few per
    row; more bytes than that only move the position.
    """
    if data[14] == _BMP_SHORT_HEADER or data[_BMP_COMPRESSION] not in _BMP_RUN_LENGTHS:
        return
    pixels = width * height
    if pixels > _MAX_RUN_PIXELS or len(data) > min(4 * pixels + _RUN_RESERVE, _MAX_RUN_BYTES):
        raise UnreadablePicture(
            f"the BMP has {len(data):,} bytes of run lengths for {width} x {height} pixels, too"
            " many to decode; save it as PNG"
        )


def _read_orientation(picture: Any, kind: Format) -> int:
    """Returns the EXIF orientation to apply to a Pillow picture, 1 (upright) to 8.

    An absent or invalid orientation counts as 1.
    """
    if kind is formats.TIFF or kind is formats.HEIC:  # Pillow or libheif applies it on loading
        return 1
    picture.info.pop("xmp", None)  # Pillow would apply an orientation in it; viewers do not
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # editing programs often corrupt EXIF blocks of intact pictures
        return 1
    return int(value) if value in range(1, 9) else 1
