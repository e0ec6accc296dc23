"""Computes the `run` attribute, a short hash of a picture and the cache key.

The cache key is a hash of everything else that affects a prediction: model, options and version.

`--resume` keeps a prediction if its `run` is unchanged. The hash covers a picture's content, not
its modification time (mtime), so a copied folder gives byte-identical output.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from image_gender_classifier.results import Prediction

_DIGITS = 12
_FILE_DIGITS = 16

REVIEWED = "reviewed"
"""The cache key of a picture that a person has reviewed: the answer depends on no model."""


def cache_key(*parts: object) -> str:
    """Returns the cache key: the SHA-256 hash (hexadecimal) of the text of all arguments.

    Args:
        parts: Everything except the picture that affects a prediction; the order matters.
    """
    return sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"))


def make_unreadable_prediction(file: str, message: str, settings: str) -> Prediction:
    """Returns the `unreadable` prediction for a file that cannot be read or crashes its decoder.

    Its `run` hashes the message instead of the content, so `--resume` keeps it only while the error
    stays the same.

    Args:
        file: Name of the picture in the prediction.
        message: Reason and remedy, for the user.
        settings: Result of `cache_key`.
    """
    run = run_hash(message.encode("utf-8", "replace"), settings)
    return Prediction(file, "unreadable", "unknown", run=run, message=message)


def run_hash(data: bytes | memoryview, settings: str, prefix: bytes = b"") -> str:
    """Computes the `run` attribute of a prediction.

    Size and CRC-32 suffice to distinguish versions of a picture, and are faster than a
    cryptographic hash: a forged collision only keeps an outdated prediction.

    Args:
        data: Content of the picture file, or other bytes that identify the picture.
        settings: Result of `cache_key`.
        prefix: Hashed in front of `data`.

    Returns:
        12 hexadecimal digits.
    """
    return run_hash_of_parts((prefix, data), settings)


def run_hash_of_parts(parts: Iterable[bytes | memoryview], settings: str) -> str:
    """Computes `run_hash` of bytes that are given in parts."""
    size = crc = 0
    for part in parts:
        size += len(part)
        crc = zlib.crc32(part, crc)
    return sha256(f"{size} {crc} {settings}".encode())[:_DIGITS]


def file_hash(data: bytes | memoryview) -> str:
    """Returns a hash of all bytes of a file, such as `sha256:0123456789abcdef`.

    Reviews of version 0.2.0 identify pictures by it; now `picture_content.content_hash` does.
    """
    return f"sha256:{sha256(data)[:_FILE_DIGITS]}"


def sha256(*parts: bytes | memoryview) -> str:
    """Returns the SHA-256 hash of bytes that are given in parts, hexadecimal."""
    import hashlib  # late: the import takes longer than hashing does in most runs

    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
