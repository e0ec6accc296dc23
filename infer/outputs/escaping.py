"""Escapes characters in names and messages that XML, CSV or a terminal does not support."""

from __future__ import annotations

import re

# Characters that XML 1.0 forbids even if escaped, and surrogates of undecodable bytes.
_FORBIDDEN = "[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPED = "%[0-9A-Fa-f]{2}"


def printable(text: str) -> str:
    """Returns `text` with each byte of a character that XML forbids replaced by `%XX`."""
    if text.isascii() and text.isprintable():  # avoids compiling the pattern
        return text

    def percent(match: re.Match[str]) -> str:
        character = match.group()
        stray_byte = "\udc80" <= character <= "\udcff"  # other lone surrogates come from Windows
        data = character.encode("utf-8", "surrogateescape" if stray_byte else "surrogatepass")
        return "".join(f"%{byte:02X}" for byte in data)

    return re.sub(_FORBIDDEN, percent, text)


def name_text(name: str) -> str:
    """Returns a name or path as outputs write it; different names have different texts.

    Like `printable`, but a `%` before two hexadecimal digits becomes `%25`.
    """
    if "%" in name:
        name = re.sub(f"(?={_ESCAPED})%", "%25", name)
    return printable(name)


def name_of_text(text: str) -> str:
    """Returns the name from its text; the inverse of `name_text`."""
    if "%" not in text:
        return text
    data = re.sub(
        _ESCAPED.encode(),
        lambda match: bytes.fromhex(match.group()[1:].decode("ascii")),
        text.encode("utf-8", "surrogatepass"),
    )
    return data.decode("utf-8", "surrogateescape")
