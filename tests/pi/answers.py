"""The answers of an installation, compared with those of this machine."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bundle.processes import Failed
from pi.emulation import Home

_LOOK = Path(__file__).with_name("look.py")
_RUN = re.compile(rb' run="([^"]*)"')
_CROPS = "crops.bin"


@dataclass(frozen=True, slots=True)
class Answers:
    """What an installation answers with one runtime.

    Attributes:
        xml: The XML files by name.
        logits: The network's logits for the crops.
        versions: The versions in use.
    """

    xml: Mapping[str, bytes]
    logits: tuple[float, ...]
    versions: str


def give_pictures(home: Home, pictures: list[Path], crops: Path | None) -> Path:
    """Copies pictures and crops into a home folder; cuts the crops if there are none.

    Returns:
        The file of crops.
    """
    (home.path / "photos").mkdir()
    for picture in pictures:
        shutil.copy(picture, home.path / "photos")
    shutil.copy(_LOOK, home.path)
    if crops is None:
        home.run(f"igc/bin/python look.py cut photos {_CROPS}")
    else:
        shutil.copy(crops, home.path / _CROPS)
    return home.path / _CROPS


def ask(home: Home, runtime: str) -> Answers:
    """Classifies the pictures and the crops with an installed package."""
    output = f"xml-{runtime}"
    printed = home.run(
        f"mkdir {output}\n"
        f"igc/bin/image-gender-classifier --quiet -i photos -o {output} --runtime {runtime}\n"
        f"igc/bin/python look.py {_CROPS} {runtime}"
    )
    found = json.loads(printed)
    files = sorted((home.path / output).glob("*.xml"))
    xml = {path.name: path.read_bytes() for path in files}
    return Answers(xml, tuple(found["logits"]), ", ".join(found["versions"]))


def compare(expected: Answers, found: Answers, same_model: bool = True) -> str:
    """Compares two installations; returns one line for the report.

    Args:
        expected: The answers of this machine.
        found: The answers of the installation.
        same_model: Whether both used the same model file, on which `run` depends.

    Raises:
        Failed: They differ.
    """
    faults = []
    if expected.xml.keys() != found.xml.keys():
        names = sorted(expected.xml.keys() ^ found.xml.keys())
        faults.append(f"XML file in one of both only: {', '.join(names)}")
    both = [name for name in expected.xml if name in found.xml]
    for what, part in (("XML file", _without_run), ("run", _run)):
        differing = [n for n in both if part(expected.xml[n]) != part(found.xml[n])]
        if differing and (what != "run" or same_model):
            faults.append(f"another {what} for {len(differing)} pictures: {', '.join(differing)}")
    if expected.logits != found.logits:
        differ = sum(a != b for a, b in zip(expected.logits, found.logits, strict=True))
        faults.append(f"another logit for {differ} of {len(found.logits)} crops")
    if faults:
        raise Failed(f"{found.versions}: {'; '.join(faults)}")
    return f"{found.versions}: same {len(both)} XML files, same {len(found.logits)} logits"


def _without_run(xml: bytes) -> bytes:
    return _RUN.sub(b"", xml, count=1)


def _run(xml: bytes) -> bytes:
    match = _RUN.search(xml)
    return match[1] if match else b""
