"""Instruction counts from the emulator's plugin, and their table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of one process.

    Attributes:
        parts: Instructions from each mark to the next; the first from the start of the program.
        total: All instructions, or None if the process was killed.
    """

    parts: tuple[int, ...]
    total: int | None


def read_counts(text: str) -> Counts:
    """Reads lines of `mark COUNT` and `end COUNT`."""
    lines = [line.split() for line in text.splitlines()]
    marks = [int(count) for word, count in lines if word == "mark"]
    ends = [int(count) for word, count in lines if word == "end"]
    parts = tuple(after - before for before, after in zip([0, *marks], marks, strict=False))
    return Counts(parts, ends[-1] if ends else None)


def steps_of(counts: Counts, names: Sequence[str], pictures: Sequence[str]) -> dict[str, int]:
    """Returns the counts of the marked steps by name.

    Args:
        counts: The counts.
        names: `<picture number> <step>` for each step.
        pictures: Names of the pictures.
    """
    steps = counts.parts[1::2]  # the other parts lie between two steps
    found = {}
    for name, count in zip(names, steps, strict=True):
        number, _, step = name.partition(" ")
        found[f"{pictures[int(number)]}: {step}"] = count
    return found


def print_table(table: Mapping[str, Mapping[str, int]]) -> None:
    """Prints the counts in millions, one column per processor."""
    print("| million instructions, or MB |", " | ".join(table), "|")
    print("|---" * (len(table) + 1) + "|")
    for name in next(iter(table.values())):
        print(f"| {name} |", " | ".join(f"{one[name] / 1e6:.2f}" for one in table.values()), "|")
