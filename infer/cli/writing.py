"""Writes the result of each picture to all outputs of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from image_gender_classifier.cli.terminal import tell
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.registry import Target
from image_gender_classifier.outputs.xml_folder import XmlFolder
from image_gender_classifier.system import logs
from image_gender_classifier.workers.supervisor import Outcome


class Writer:
    """The open outputs of a run.

    Attributes:
        xml: The XML folder.
        outputs: All outputs, the XML folder included.
    """

    def __init__(self, pictures: Path, xml: XmlFolder, outputs: Sequence[Output]) -> None:
        self._pictures = pictures
        self.xml = xml
        self.outputs = outputs

    def write(self, outcome: Outcome) -> None:
        """Writes the result of one picture, if there is one.

        Raises:
            OutputError: It cannot be written.
        """
        if outcome.prediction is None:
            return
        kept = outcome.kept or self._keeps_earlier(outcome)
        row = Row(outcome.picture, outcome.prediction, kept, outcome.drawings)
        for output in self.outputs:
            output.write(row)

    def _keeps_earlier(self, outcome: Outcome) -> bool:
        """Says whether a picture was deleted during the run and has an earlier XML file.

        An unplugged drive must not turn earlier results into `unreadable`.
        """
        if outcome.prediction is None or outcome.prediction.status != "unreadable":
            return False
        if not self.xml.has(outcome.picture):
            return False
        return not os.path.lexists(self._pictures / outcome.picture.file)


@contextmanager
def opened(pictures: Path, targets: tuple[Target, ...]) -> Iterator[Writer]:
    """Opens the outputs of a run and closes them when it ends; abandons them when it fails.

    Args:
        pictures: The input folder.
        targets: The outputs, the XML folder among them.

    Raises:
        OutputError: An output cannot be opened or closed.
    """
    outputs: list[Output] = []
    try:
        for target in targets:
            outputs.append(target.entry.open_output(target.path))
            logs.info("writes %s to %s", target.entry.name, target.path)
        (xml,) = (output for output in outputs if isinstance(output, XmlFolder))
        yield Writer(pictures, xml, outputs)
    except BaseException:  # Ctrl-C too
        for target, output in zip(targets, outputs, strict=False):
            kept = output.abandon()
            if kept is not None:
                tell(f"{target.path} is written only by a complete run; its rows are in {kept}")
        raise
    with ExitStack() as stack:
        for output in outputs:
            stack.callback(output.close)
