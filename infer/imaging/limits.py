"""Decompression-bomb limits: maximum sizes of files and pictures.

The sizes in the header of a file are checked before the decoder runs.
"""

from __future__ import annotations

from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.formats import JPEG
from image_gender_classifier.imaging.headers import Header
from image_gender_classifier.imaging.jpeg_scans import count_scans
from image_gender_classifier.settings import MAX_BYTES, MAX_JPEG_PIXELS, MAX_PIXELS, Settings

# Maximum number of scans of a JPEG at the limit of pixels; smaller pictures may have more. About 10
# are common.
_MAX_SCANS = 16
# Memory for decoding. AVIF with alpha and 10 bits takes most; 8 to 12 are common.
_BYTES_PER_PIXEL = 16
_LEAST_MEMORY = 2**28  # bytes
_RESERVE = 2**26  # bytes


class Limits(NamedTuple):
    """Maximum sizes of a picture.

    Attributes:
        file_bytes: Maximum size of a file in bytes.
        pixels: Maximum of width x height x `Header.memory_factor`; None for the default:
            `MAX_JPEG_PIXELS` for a single-scan JPEG, which is decoded at a reduced size, else
            `MAX_PIXELS`.
    """

    file_bytes: int = MAX_BYTES
    pixels: int | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Limits:
        """Returns the limits in the settings of a classifier."""
        return cls(settings.max_bytes, settings.max_pixels)

    @property
    def memory(self) -> int:
        """Maximum memory in bytes for the largest allowed picture: its file and its decoding.

        Limits the memory of a worker process, because a file may hold a larger picture than its
        header states.
        """
        largest = max(_BYTES_PER_PIXEL * (self.pixels or MAX_PIXELS), _LEAST_MEMORY)
        return largest + self.file_bytes

    def memory_for(self, pixels: int) -> int:
        """Returns the maximum memory in bytes for decoding a picture.

        The content of the file, which is in memory already, is not included.

        Args:
            pixels: Width x height x `Header.memory_factor` of the picture.
        """
        return min(_BYTES_PER_PIXEL * pixels + _RESERVE, self.memory - self.file_bytes)

    def check_bytes(self, size: int) -> None:
        """Raises `UnreadablePicture` if `size`, the size of a file in bytes, exceeds the limit."""
        if size > self.file_bytes:
            raise UnreadablePicture(
                f"the file has {size:,} bytes, more than the limit of {self.file_bytes:,}"
                " (--max-bytes, in Python max_bytes); save a smaller version of the picture"
            )

    def check_size(self, header: Header) -> None:
        """Raises `UnreadablePicture` if width x height x `memory_factor` exceeds the limit."""
        if header.width * header.height * header.memory_factor > self._max_pixels_for(header):
            factor = header.memory_factor
            counted = f", which take the memory of {factor} times as many" if factor > 1 else ""
            raise UnreadablePicture(
                f"the picture has {header.width} x {header.height} pixels{counted}, more than the"
                f" limit of {self._max_pixels_for(header):,}; save a smaller version, or raise the"
                " limit (--max-pixels, in Python max_pixels)"
            )

    def check_decoding_cost(self, data: bytes, header: Header) -> None:
        """Raises `UnreadablePicture` for a multi-scan JPEG that would take minutes to decode.

        Args:
            data: The whole file.
            header: Its header.
        """
        if header.multi_scan:  # the decoder reads only the first scan of other JPEGs
            scans = count_scans(data, header.data_offset)
            pixels = header.width * header.height
            if scans > _MAX_SCANS and scans * pixels > _MAX_SCANS * self._max_pixels_for(header):
                raise UnreadablePicture(
                    f"the JPEG has {scans:,} scans of {pixels:,} pixels, more than the limit allows"
                    " (--max-pixels, in Python max_pixels); re-save it as baseline JPEG"
                )

    def _max_pixels_for(self, header: Header) -> int:
        """Returns the limit of width x height x `memory_factor` for a picture with this header."""
        if self.pixels is not None:
            return self.pixels
        reduced = header.format == JPEG and not header.multi_scan
        return MAX_JPEG_PIXELS if reduced else MAX_PIXELS


DEFAULT_LIMITS = Limits()
"""The limits without `--max-pixels` and `--max-bytes`."""
