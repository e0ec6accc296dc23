"""Reads the installation steps of docs/raspberry-pi.md.

A block of steps is a code block after a comment with its name:

    <!-- pi-test: NAME -->
    ```sh
    sudo apt install PACKAGE ...
    ~/igc/bin/pip install REQUIREMENT ...
    ```
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "raspberry-pi.md"
_BLOCK = re.compile(r"^<!-- pi-test: (\S+) -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_APT = "sudo apt install "
_PIP = "pip install "


@dataclass(frozen=True, slots=True)
class Steps:
    """The lines of one or more blocks.

    Attributes:
        packages: Debian packages that apt installs.
        commands: All other lines, in order.
    """

    packages: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    def __add__(self, later: Steps) -> Steps:
        return Steps(self.packages + later.packages, self.commands + later.commands)

    def pip_arguments(self) -> list[list[str]]:
        """Returns the arguments of each `pip install`."""
        return [
            shlex.split(command.partition(_PIP)[2]) for command in self.commands if _PIP in command
        ]


def read_steps(document: str) -> dict[str, Steps]:
    """Reads the blocks of a document by name."""
    return {name: _parse(lines.splitlines()) for name, lines in _BLOCK.findall(document)}


def _parse(lines: list[str]) -> Steps:
    packages: list[str] = []
    commands = []
    for line in lines:
        if line.startswith(_APT):
            packages += shlex.split(line.removeprefix(_APT), comments=True)
        elif line:
            commands.append(line)
    return Steps(tuple(packages), tuple(commands))
