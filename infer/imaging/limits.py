"""Decompression-bomb limits: maximum sizes of files and pictures.

They apply to the header of a file, before the decoder runs.
"""

from __future__ import annotations

from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import JPEG
from image_gender_classifier.imaging.headers import Header
from image_gender_classifier.imaging.jpeg_scans import count_scans
from image_gender_classifier.settings import MAX_BYTES, MAX_JPEG_PIXELS, MAX_PIXELS, Settings

# Each scan of a JPEG updates all its pixels. About 10 are common; small pictures may have more.
_MAX_SCANS = 16
_BYTES_PER_PIXEL = 16  # AVIF with alpha and 10 bits takes most; 8 to 12 are usual
_LEAST_MEMORY = 2**28
_RESERVE = 2**26  # bytes


class Limits(NamedTuple):
    """Maximum sizes of a picture.

    Attributes:
        file_bytes: Maximum size of a file in bytes.
        pixels: Maximum of width x height; None for the default: `MAX_JPEG_PIXELS` for a baseline
            JPEG, which is decoded at a reduced size, `MAX_PIXELS` for any other picture.
    """

    file_bytes: int = MAX_BYTES
    pixels: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Returns the limits of the settings."""
        return cls(settings.max_bytes, settings.max_pixels)

    @property
    def memory(self) -> int:
        """Bytes that decoding the largest picture and its file may take, with a reserve.

        A file may hold a larger picture than its header states; decoders find out too late.
        """
        largest = max(_BYTES_PER_PIXEL * (self.pixels or MAX_PIXELS), _LEAST_MEMORY)
        return largest + self.file_bytes

    def memory_for(self, pixels: int) -> int:
        """Bytes that decoding some pixels of a file in memory may take, with a reserve."""
        return min(_BYTES_PER_PIXEL * pixels + _RESERVE, self.memory - self.file_bytes)

    def check_bytes(self, size: int) -> None:
        """Raises `UnreadablePicture` if a file is too large (size in bytes)."""
        if size > self.file_bytes:
            raise UnreadablePicture(
                f"the file has {size:,} bytes, more than the limit of {self.file_bytes:,}"
                " (--max-bytes); save a smaller version of the picture"
            )

    def check_size(self, header: Header) -> None:
        """Raises `UnreadablePicture` if decoding would need too much memory."""
        if header.width * header.height * header.memory_factor > self._pixels_of(header):
            factor = f" (x {header.memory_factor} for memory)" if header.memory_factor > 1 else ""
            raise UnreadablePicture(
                f"the picture has {header.width} x {header.height} pixels{factor}, more than the"
                f" limit of {self._pixels_of(header):,} (--max-pixels); save a smaller version"
            )

    def check_decoding_cost(self, data: bytes, header: Header) -> None:
        """Raises `UnreadablePicture` if a small file would take minutes to decode.

        Args:
            data: The whole file.
            header: Its header.
        """
        if header.multi_scan:  # the decoder reads only the first scan of other JPEGs
            scans = count_scans(data, header.data_offset)
            pixels = header.width * header.height
            if scans > _MAX_SCANS and scans * pixels > _MAX_SCANS * self._pixels_of(header):
                raise UnreadablePicture(
                    f"the JPEG has {scans:,} scans of {pixels:,} pixels, more than the limit allows"
                    " (--max-pixels); re-save it as baseline JPEG"
                )

    def _pixels_of(self, header: Header) -> int:
        if self.pixels is not None:
            return self.pixels
        reduced = header.format == JPEG and not header.multi_scan
        return MAX_JPEG_PIXELS if reduced else MAX_PIXELS


USUAL = Limits()
