"""What the emulator's plugin wrote, and the table of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """What an emulated program's plugin wrote.

    Attributes:
        parts: Instructions from each mark to the next, the first from the program's beginning.
        total: Instructions in all; None where the program was killed.
    """

    parts: tuple[int, ...]
    total: int | None


def read_counts(text: str) -> Counts:
    """Reads the lines of one process: `mark COUNT` and `end COUNT`."""
    lines = [line.split() for line in text.splitlines()]
    marks = [int(count) for word, count in lines if word == "mark"]
    ends = [int(count) for word, count in lines if word == "end"]
    parts = tuple(after - before for before, after in zip([0, *marks], marks, strict=False))
    return Counts(parts, ends[-1] if ends else None)


def steps_of(counts: Counts, names: Sequence[str], pictures: Sequence[str]) -> dict[str, int]:
    """Gives the marked steps their names.

    Args:
        counts: What was counted.
        names: What was printed for each step: `NUMBER NAME`, with a picture's number.
        pictures: What the pictures are called.
    """
    marked = counts.parts[1::2]  # the others are what lies between two steps
    found = {}
    for name, count in zip(names, marked, strict=True):
        number, _, step = name.partition(" ")
        found[f"{pictures[int(number)]}: {step}"] = count
    return found


def print_table(table: Mapping[str, Mapping[str, int]]) -> None:
    """Prints millions of instructions, a column a processor."""
    print("| millions (instructions, unless it says bytes) |", " | ".join(table), "|")
    print("|---" * (len(table) + 1) + "|")
    for name in next(iter(table.values())):
        print(f"| {name} |", " | ".join(f"{one[name] / 1e6:.2f}" for one in table.values()), "|")
