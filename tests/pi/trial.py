"""Installs the tool in a place, lets it judge the pictures, and compares what it says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pi import compare
from pi.compare import Answer
from pi.errors import Failed
from pi.places import Place
from pi.steps import Steps

_HERE = Path(__file__).parent
CROPS = "crops.bin"
REFERENCE = "tflite"  # the runtime whose answers here all others must give
_PICTURES = "photos"


@dataclass(frozen=True, slots=True)
class Findings:
    """What a system says with one runtime.

    Attributes:
        answers: Its verdicts on the pictures, by XML file.
        logits: The network's answers for the crops.
        hashes: SHA-256 of the files that the package carries.
        versions: What it runs on.
    """

    answers: Mapping[str, Answer]
    logits: tuple[float, ...]
    hashes: Mapping[str, str]
    versions: Mapping[str, str]


def install(place: Place, steps: Steps, wheel: Path, wheels: Path) -> None:
    """Runs the install steps, but for apt's, in a place."""
    shutil.copy(wheel, place.home)
    place.run("\n".join(steps.commands), wheels)


def give_pictures(place: Place, pictures: list[Path]) -> None:
    """Puts pictures and the scripts that look at the package into a place."""
    (place.home / _PICTURES).mkdir()
    for picture in pictures:
        shutil.copy(picture, place.home / _PICTURES)
    for script in ("cut_crops.py", "look.py"):
        shutil.copy(_HERE / script, place.home)


def cut_crops(place: Place) -> float:
    """Cuts the pictures' crops in a place; gives the quantisation step of the network's answer."""
    said = json.loads(place.run(f"igc/bin/python cut_crops.py {_PICTURES} {CROPS}"))
    return float(said["step"])


def find(place: Place, runtime: str) -> Findings:
    """Lets the installed tool judge pictures and crops."""
    predictions = f"verdicts-{runtime}"
    said = json.loads(
        place.run(
            f"mkdir {predictions}\n"
            "igc/bin/image-gender-classifier --quiet "
            f"-i {_PICTURES} -o {predictions} --runtime {runtime}\n"
            f"igc/bin/python look.py {CROPS} {runtime}"
        )
    )
    answers = compare.read_answers(place.home / predictions)
    return Findings(answers, tuple(said["logits"]), said["hashes"], said["versions"])


def classify(reference: Findings, same_runtime: Findings, found: Findings, step: float) -> str:
    """Compares a system's findings with what LiteRT says here; gives the figures in one line.

    Args:
        reference: What this machine says with LiteRT: every runtime must give these answers.
        same_runtime: What this machine says with the runtime that was tried; only the hashes of
            picture, model and options are taken from it.
        found: What the system says.
        step: Quantisation step of the network's answer.

    Raises:
        Failed: They are too far apart.
    """
    comparison = compare.compare(reference.answers, found.answers)
    steps = compare.most_steps(reference.logits, found.logits, step)
    figures = f"{comparison}, logits at most {steps:.2f} steps apart"
    faults = comparison.faults()
    if steps > 0:
        faults.append("the network's answers for the same crops are not LiteRT's")
    if others := compare.other_runs(same_runtime.answers, found.answers):
        faults.append(f"another hash of picture, model, options: {', '.join(others)}")
    if reference.hashes != found.hashes:
        names = {name for name, _ in reference.hashes.items() ^ found.hashes.items()}
        faults.append(f"other files in the package: {', '.join(sorted(names))}")
    if faults:
        raise Failed("; ".join(faults) + f" ({figures})")
    return figures
