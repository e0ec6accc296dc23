"""Converts loaded Pillow pictures of any mode to opaque 8-bit RGB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import formats
from image_gender_classifier.imaging.alpha import to_opaque_rgb
from image_gender_classifier.imaging.formats import Format
from image_gender_classifier.imaging.pillow_errors import translate_pillow_errors
from image_gender_classifier.imaging.tiff_tags import BITS, PHOTOMETRIC, read_tags

_BLOCK = 2**20  # number of pixels converted at a time, to limit memory


def to_rgb(picture: Any, data: bytes, kind: Format) -> NDArray[np.uint8]:
    """Converts a loaded picture to RGB (uint8, H x W x 3), composited on white.

    Args:
        picture: The Pillow picture, in any mode.
        data: The whole file; the tags of a TIFF determine how its samples are scaled.
        kind: Format of the file.

    Raises:
        UnreadablePicture: The samples have an unsupported type, or Pillow cannot convert them.
    """
    scale, inverted = _find_scale(picture, data, kind)
    rgb = np.empty((picture.height, picture.width, 3), np.uint8)
    for top, block in _split_rows(picture):
        rows = rgb[top : top + block.height]
        if scale is None:
            rows[:] = _convert_colours(block, kind)
        else:
            rows[:] = _scale_grey(block, scale, inverted)
    return rgb


def _split_rows(picture: Any) -> Iterator[tuple[int, Any]]:
    """Splits a Pillow picture into blocks of whole rows.

    Yields:
        The index of the first row of a block, and the block as a Pillow picture.
    """
    width, height = picture.size
    step = max(_BLOCK // width, 1)
    for top in range(0, height, step):
        yield top, picture.crop((0, top, width, min(top + step, height)))


def _convert_colours(block: Any, kind: Format) -> NDArray[np.uint8]:
    """Converts a palette or 8-bit samples to RGB (uint8, H x W x 3), composited on white.

    Args:
        block: Pillow picture of a mode that Pillow converts to RGB.
        kind: Format of the file, for messages.

    Raises:
        UnreadablePicture: Pillow cannot convert the picture.
    """
    transparent = block.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in block.info
    with translate_pillow_errors(kind):
        if block.mode == "La":
            block = block.convert("LA")
        converted = np.asarray(block.convert("RGBA" if transparent else "RGB"))
    return to_opaque_rgb(converted, order="RGB") if transparent else converted


def _scale_grey(block: Any, scale: float, inverted: bool) -> NDArray[np.uint8]:
    """Scales grey samples of more than 8 bits to RGB (uint8, H x W x 3).

    NaN and infinity count as 0.

    Args:
        block: Pillow picture of mode I, I;16 or F.
        scale: Factor from samples to 0..255; results outside this range are clipped.
        inverted: Whether 0 is white.
    """
    samples = np.nan_to_num(np.asarray(block).astype(np.float32), nan=0, posinf=0, neginf=0)
    grey = np.clip(samples * scale + 0.5, 0, 255).astype(np.uint8)
    return to_opaque_rgb(~grey if inverted else grey, order="RGB")


def _find_scale(picture: Any, data: bytes, kind: Format) -> tuple[float | None, bool]:
    """Determines how to scale the grey samples of a picture to 8 bits.

    Args:
        picture: The loaded Pillow picture, in any mode.
        data: The whole file, whose tags are read if it is a TIFF.
        kind: Its format.

    Returns:
        The factor from samples to 0..255, None if Pillow converts the mode to 8-bit RGB; and
        whether a sample of 0 is white.

    Raises:
        UnreadablePicture: The samples are Lab colours, or signed or 32-bit integers in a TIFF.
    """
    tags = read_tags(data, (BITS, PHOTOMETRIC)) if kind is formats.TIFF else {}
    inverted = tags.get(PHOTOMETRIC) == 0
    mode, bits = picture.mode, tags.get(BITS, 16)
    if mode.startswith("I;16") or (mode == "I" and kind is not formats.TIFF):
        return 255 / (2**12 - 1 if bits == 12 else 2**16 - 1), inverted
    if mode == "F":  # files do not say whether their samples are 0..1 or 0..255
        blocks = (np.asarray(block) for _, block in _split_rows(picture))
        highest = max(np.max(block, where=np.isfinite(block), initial=0) for block in blocks)
        return 255.0 if highest <= 1 else 1.0, inverted
    if mode in ("I", "LAB"):
        samples = "Lab colours" if mode == "LAB" else f"{bits}-bit integers"
        raise UnreadablePicture(
            f"unsupported {kind.name} ({samples}); save it as 8-bit RGB PNG or JPEG"
        )
    return None, False
