"""Draws small copies of pictures, without predictions, for the page of review and report."""

from __future__ import annotations

from pathlib import Path

import cv2

from image_gender_classifier.errors import Unfinished, UnreadablePicture
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.files import OUT_OF_MEMORY, read_bytes
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS, Limits
from image_gender_classifier.imaging.memory_errors import is_out_of_memory
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.cache_key import file_hash
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.results import Preview

_QUALITY = 82  # of the JPEG file, 0 to 100


def draw_file(path: Path, side: int, limits: Limits = DEFAULT_LIMITS) -> Preview:
    """Draws a copy of a picture file.

    Args:
        path: The file.
        side: Maximum of the longest side of the copy, in pixels.
        limits: Limits on the size of pictures.

    Returns:
        The copy, or why there is none.

    Raises:
        Unfinished: The environment prevents it: a later try may succeed.
    """
    try:
        data = read_bytes(path, limits)
    except UnreadablePicture as error:
        return Preview(message=str(error))
    hashes = Preview(content_hash(data), file_hash=file_hash(data))
    try:
        preview = draw_picture(decoding.decode(data, side, limits), side)
    except UnreadablePicture as error:
        return hashes._replace(message=str(error))
    except Exception as error:
        if is_out_of_memory(error):
            raise Unfinished(OUT_OF_MEMORY) from None
        raise
    return preview._replace(picture=hashes.picture, file_hash=hashes.file_hash)


def draw_picture(picture: Picture, side: int) -> Preview:
    """Draws a copy of a decoded picture, without its hashes; arguments as for `draw_file`."""
    height, width = picture.pixels.shape[:2]
    scale = min(side / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    pixels = cv2.resize(picture.pixels, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return Preview("", picture.width, picture.height, jpeg.tobytes())
