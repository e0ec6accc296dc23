"""How large a picture may be, so that a crafted file costs its sender more than its reader.

What is too large is refused by what its first bytes claim, before a decoder sees it.
"""

from __future__ import annotations

from typing import NamedTuple

from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging.bombs import MOST_FRAMES, count_frames, count_scans
from image_gender_classifier.imaging.headers import Header
from image_gender_classifier.settings import MAX_BYTES, MAX_JPEG_PIXELS, MAX_PIXELS, Settings

# Each scan of a JPEG goes over all its pixels; some 10 are usual, and small pictures may have more.
_USUAL_SCANS = 16


class Limits(NamedTuple):
    """How large a picture may be.

    Attributes:
        file_bytes: Size of a file in bytes.
        pixels: Width times height, or None for what is usual: `MAX_JPEG_PIXELS` of a JPEG that is
            decoded straight to a reduced size, `MAX_PIXELS` of any other picture.
    """

    file_bytes: int = MAX_BYTES
    pixels: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that a user has chosen."""
        return cls(settings.max_bytes, settings.max_pixels)

    def check_bytes(self, size: int) -> None:
        """Raises `UnreadablePicture` for a file that is larger, in bytes."""
        if size > self.file_bytes:
            raise UnreadablePicture(
                f"The file has {size:,} bytes, more than the {self.file_bytes:,} that are read"
                " (--max-bytes); save a smaller version of the picture."
            )

    def check_size(self, header: Header) -> None:
        """Raises `UnreadablePicture` where decoding would need an absurd amount of memory."""
        if header.width * header.height * header.weight > self._pixels_of(header):
            kind = f" that count {header.weight}-fold" if header.weight > 1 else ""
            raise UnreadablePicture(
                f"The picture has {header.width} x {header.height} pixels{kind}, more than the"
                f" {self._pixels_of(header):,} that are read (--max-pixels); save a smaller version"
                " of it."
            )

    def check_repeats(self, data: bytes, header: Header) -> None:
        """Raises `UnreadablePicture` where a small file would keep a decoder busy for minutes.

        Args:
            data: The whole file.
            header: Its header.
        """
        if header.format == "gif" and count_frames(data, header.begins_at) > MOST_FRAMES:
            raise UnreadablePicture(
                f"The animation has more than {MOST_FRAMES:,} frames; save one of them as a"
                " picture."
            )
        if header.in_parts:  # of other JPEGs a decoder reads the first scan only
            scans = count_scans(data, header.begins_at)
            pixels = header.width * header.height
            if scans > _USUAL_SCANS and scans * pixels > _USUAL_SCANS * self._pixels_of(header):
                raise UnreadablePicture(
                    f"The JPEG goes {scans:,} times over its {pixels:,} pixels, more often than is"
                    " read (--max-pixels); save it again in another program."
                )

    def _pixels_of(self, header: Header) -> int:
        if self.pixels is not None:
            return self.pixels
        reduced = header.format == "jpeg" and not header.in_parts
        return MAX_JPEG_PIXELS if reduced else MAX_PIXELS


USUAL = Limits()
