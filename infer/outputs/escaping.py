"""Texts for names and messages with characters that XML, CSV or a terminal cannot hold."""

from __future__ import annotations

import re

# Characters that XML 1.0 forbids even escaped, and surrogates that stand for undecodable bytes.
_FORBIDDEN = "[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
_ESCAPED = "%[0-9A-Fa-f]{2}"


def printable(text: str) -> str:
    """Replaces each byte of a character that XML forbids with `%XX`."""
    if text.isascii() and text.isprintable():  # saves compiling the pattern
        return text

    def percent(match: re.Match[str]) -> str:
        character = match.group()
        stray_byte = "\udc80" <= character <= "\udcff"  # other lone surrogates: names from Windows
        data = character.encode("utf-8", "surrogateescape" if stray_byte else "surrogatepass")
        return "".join(f"%{byte:02X}" for byte in data)

    return re.sub(_FORBIDDEN, percent, text)


def name_text(name: str) -> str:
    """Writes a name or path as outputs do, so that no two names give the same text.

    As `printable`; besides, a `%` before two hexadecimal digits becomes `%25`.
    """
    if "%" in name:
        name = re.sub(f"(?={_ESCAPED})%", "%25", name)
    return printable(name)


def name_of_text(text: str) -> str:
    """Returns the name that `name_text` wrote."""
    if "%" not in text:
        return text
    data = re.sub(
        _ESCAPED.encode(),
        lambda match: bytes.fromhex(match.group()[1:].decode("ascii")),
        text.encode("utf-8", "surrogatepass"),
    )
    return data.decode("utf-8", "surrogateescape")
