"""Escapes characters in names and messages that XML, CSV or a terminal cannot represent."""

from __future__ import annotations

import re

# Characters that XML 1.0 forbids even if escaped. Surrogates represent undecodable bytes.
_FORBIDDEN = "[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
# Control characters, line separators, and marks that change the direction of writing.
_UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
_ESCAPED = "%[0-9A-Fa-f]{2}"


def escape_text(text: str) -> str:
    """Percent-encodes the characters that XML 1.0 forbids, such as control characters.

    Each UTF-8 byte of such a character becomes `%XX`. A surrogate that stands for an undecodable
    byte (`surrogateescape`) becomes the `%XX` of that byte.
    """
    if text.isascii() and text.isprintable():  # avoids compiling the pattern
        return text
    return re.sub(_FORBIDDEN, _percent_encode, text)


def escape_line(text: str) -> str:
    """Percent-encodes the characters that break a line, control a terminal or reorder a text."""
    return text if text.isprintable() else re.sub(_UNSAFE, _percent_encode, text)


def escape_message(text: str) -> str:
    """Percent-encodes what `escape_text` and `escape_line` do, for a message on a terminal.

    Names of files and reasons of decoders may have such characters.
    """
    return escape_line(escape_text(text))


def escape_name(name: str) -> str:
    """Percent-encodes a file name or path, as `escape_text` does, but reversibly.

    Also escapes a `%` before two hexadecimal digits (as `%25`), so that `unescape_name` is the
    inverse and no two names have the same escaped form.
    """
    if "%" in name:
        name = re.sub(f"(?={_ESCAPED})%", "%25", name)
    return escape_text(name)


def unescape_name(text: str) -> str:
    """Decodes a percent-encoded file name or path; the inverse of `escape_name`."""
    if "%" not in text:
        return text
    data = re.sub(
        _ESCAPED.encode(),
        lambda match: bytes.fromhex(match.group()[1:].decode("ascii")),
        text.encode("utf-8", "surrogatepass"),
    )
    return data.decode("utf-8", "surrogateescape")


def _percent_encode(match: re.Match[str]) -> str:
    character = match.group()
    # Other lone surrogates occur in names from Windows.
    stray_byte = "\udc80" <= character <= "\udcff"
    data = character.encode("utf-8", "surrogateescape" if stray_byte else "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)
