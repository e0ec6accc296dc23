"""The `run` attribute: a short hash of picture, model and options.

It lets a resumed run know which verdicts still hold. The picture counts by its content, not by
its time stamps, so that copies of a folder give the same bytes.
"""

from __future__ import annotations

import zlib

from image_gender_classifier.results import Prediction

_DIGITS = 12


def cache_key(*parts: object) -> str:
    """Condenses everything but the picture that a verdict depends on."""
    return _sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def unreadable(file: str, message: str, settings: str) -> Prediction:
    """The verdict on a picture whose bytes tell nothing; it holds while the message is the same."""
    run = run_hash(message.encode("utf-8", "replace"), settings)
    return Prediction(file, "unreadable", "unknown", run=run, message=message)


def run_hash(data: bytes | memoryview, settings: str) -> str:
    """The hash for one picture.

    CRC-32 and size tell versions of one picture apart at a gigabyte a second even on a small
    board; nobody gains from a forged one.
    """
    picture = f"{len(data)} {zlib.crc32(data)}"
    return _sha256(f"{picture} {settings}".encode())[:_DIGITS]


def _sha256(data: bytes) -> str:
    import hashlib  # late: it takes longer to load than most runs of the command have use for

    return hashlib.sha256(data).hexdigest()
