"""The `run` attribute: a short hash of picture, model and options.

A resumed run compares it to find predictions that are still valid. It hashes the content of a
picture and not its time stamps, so copies of a folder give the same bytes.
"""

from __future__ import annotations

import zlib

from image_gender_classifier.results import Prediction

_DIGITS = 12


def cache_key(*parts: object) -> str:
    """Hashes everything but the picture that a prediction depends on (SHA-256, hexadecimal)."""
    return _sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def unreadable(file: str, message: str, settings: str) -> Prediction:
    """Returns the prediction for a file without readable content; valid while the message is."""
    run = run_hash(message.encode("utf-8", "replace"), settings)
    return Prediction(file, "unreadable", "unknown", run=run, message=message)


def run_hash(data: bytes | memoryview, settings: str) -> str:
    """Returns the hash of a picture under a cache key: 12 hexadecimal digits.

    CRC-32 and size distinguish versions of a picture at 1 GB/s even on a small board. A
    cryptographic hash is not needed, as a forged picture gains nothing.

    Args:
        data: Content of the picture file.
        settings: Result of `cache_key`.
    """
    picture = f"{len(data)} {zlib.crc32(data)}"
    return _sha256(f"{picture} {settings}".encode())[:_DIGITS]


def _sha256(data: bytes) -> str:
    import hashlib  # late import: it takes longer than most runs of the command need it for

    return hashlib.sha256(data).hexdigest()
