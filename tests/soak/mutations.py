"""Damaged and hostile pictures, reproducible by their seed."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from soak.bases import Base, bases
from soak.layout import numbers, pieces

_HEADER = 128  # bytes; files are truncated at each of these
_IN_A_PIECE = (0, 2, 4, 8)
_ABSURD = (
    *(0, 1, 2, 7, 8, 255, 256, 4095, 8191, 8192, 16_384, 32_767, 32_768, 60_000, 65_535, 65_536),
    *(2**20, 2**24 - 1, 2**26, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A file.

    Attributes:
        name: Its name.
        data: Its bytes.
        how: Format and mutation.
    """

    name: str
    data: bytes
    how: str


def cases(seed: int, count: int) -> Iterator[Case]:
    """Makes files: a third are truncations, no two the same, the others random mutations."""
    chance = random.Random(seed)
    originals = bases()
    truncations = list(_truncations(originals))
    chance.shuffle(truncations)
    truncations = truncations[: count // 3]
    for number in range(count):
        if number < len(truncations):
            base, data = truncations[number]
            how = f"truncated at {len(data)}"
        else:
            base = chance.choice(originals)
            mutation = chance.choice(_MUTATIONS)
            data, how = mutation(base, originals, chance), mutation.__name__.strip("_")
            if base.form == "PNG" and chance.random() < 0.7:
                data = _with_checksums(data)
        extension = base.extension
        if chance.random() < 0.1:
            extension = chance.choice(originals).extension
            how += f", named {extension}"
        yield Case(f"{number:06}{extension}", data, f"{base.form} {how}")


def _truncations(originals: Sequence[Base]) -> Iterator[tuple[Base, bytes]]:
    for base in originals:
        places = {*range(_HEADER)}
        places |= {start + further for start in pieces(base) for further in _IN_A_PIECE}
        for place in sorted(places):
            if place < len(base.data):
                yield base, base.data[:place]


def _bit_flips(base: Base, _: Sequence[Base], chance: random.Random) -> bytes:
    data = bytearray(base.data)
    end = chance.choice((_HEADER, len(data)))
    for _flip in range(chance.choice((1, 1, 2, 4, 16, 64))):
        data[chance.randrange(min(end, len(data)))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _absurd_number(base: Base, _: Sequence[Base], chance: random.Random) -> bytes:
    data = bytearray(base.data)
    stated = numbers(base)
    for number in chance.sample(stated, min(chance.choice((1, 1, 2, 3)), len(stated))):
        size = struct.calcsize(number.code)
        if number.at + size <= len(data):
            value = chance.choice(_ABSURD) & (1 << 8 * size) - 1
            struct.pack_into(number.code, data, number.at, value)
    return bytes(data)


def _pieces_of_another(base: Base, originals: Sequence[Base], chance: random.Random) -> bytes:
    """Inserts chunks of another picture of the same format between those of this one."""
    other = chance.choice([one for one in originals if one.form == base.form])
    data = base.data
    for _splice in range(chance.choice((1, 2, 5))):
        start, end = _piece(other, chance)
        at = chance.choice(pieces(base))
        data = data[:at] + other.data[start:end] + data[at:]
    return data


def _piece_dropped(base: Base, _: Sequence[Base], chance: random.Random) -> bytes:
    start, end = _piece(base, chance)
    return base.data[:start] + base.data[end:]


def _piece_repeated(base: Base, _: Sequence[Base], chance: random.Random) -> bytes:
    start, end = _piece(base, chance)
    return base.data[:end] + base.data[start:end] * chance.choice((1, 10, 500)) + base.data[end:]


def _halves_of_two(base: Base, originals: Sequence[Base], chance: random.Random) -> bytes:
    other = chance.choice(originals)
    return (
        base.data[: chance.randrange(len(base.data))] + other.data[chance.choice(pieces(other)) :]
    )


def _noise(base: Base, _: Sequence[Base], chance: random.Random) -> bytes:
    start = chance.choice(pieces(base))
    return base.data[:start] + chance.randbytes(chance.choice((1, 100, 3000)))


_MUTATIONS: tuple[Callable[[Base, Sequence[Base], random.Random], bytes], ...] = (
    *(_bit_flips, _bit_flips, _absurd_number, _absurd_number, _pieces_of_another),
    *(_piece_dropped, _piece_repeated, _halves_of_two, _noise),
)


def _piece(base: Base, chance: random.Random) -> tuple[int, int]:
    borders = [*pieces(base), len(base.data)]
    number = chance.randrange(len(borders) - 1)
    return borders[number], borders[number + 1]


def _with_checksums(data: bytes) -> bytes:
    """Corrects a PNG's checksums, so that decoders do not stop at them."""
    mended = bytearray(data)
    at = 8
    while at + 12 <= len(mended):
        end = at + 8 + struct.unpack_from(">I", mended, at)[0]
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[at + 4 : end]))
        at = end + 4
    return bytes(mended)
