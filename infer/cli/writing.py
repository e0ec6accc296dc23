"""Writes the predictions to all outputs of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from image_gender_classifier.cli.terminal import print_message
from image_gender_classifier.errors import FileNotWritten
from image_gender_classifier.outputs.output import Output, Row
from image_gender_classifier.outputs.registry import Target
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.outputs.xml_folder import XmlFolder
from image_gender_classifier.system import logs
from image_gender_classifier.workers.supervisor import Outcome


class OutputWriter:
    """Writes predictions to the open outputs of a run.

    Args:
        pictures: The input folder.
        xml: The XML folder.
        outputs: All outputs, including `xml`.

    Attributes:
        xml: See Args.
        outputs: See Args.
    """

    def __init__(self, pictures: Path, xml: XmlFolder, outputs: Sequence[Output]) -> None:
        self._pictures = pictures
        self.xml = xml
        self.outputs = outputs

    def write(self, outcome: Outcome) -> list[str]:
        """Writes the prediction of a picture to all outputs; nothing if there is no prediction.

        Returns:
            A message for each file that an output left out.

        Raises:
            OutputError: An output cannot be written.
        """
        if outcome.prediction is None:
            return []
        kept = outcome.kept or self._keeps_earlier(outcome)
        row = Row(outcome.picture, outcome.prediction, kept, outcome.drawings)
        left_out = []
        for output in self.outputs:
            try:
                output.write(row)
            except FileNotWritten as error:
                left_out.append(str(error))
        return left_out

    def _keeps_earlier(self, outcome: Outcome) -> bool:
        """Returns whether a picture was deleted during the run and has an earlier XML file.

        That file is kept: earlier predictions must not become `unreadable` when a drive is
        unplugged.
        """
        if outcome.prediction is None or outcome.prediction.status != "unreadable":
            return False
        if not self.xml.has_xml(outcome.picture):
            return False
        return not os.path.lexists(self._pictures / outcome.picture.file)


@contextmanager
def open_outputs(targets: tuple[Target, ...], settings: OutputSettings) -> Iterator[OutputWriter]:
    """Opens the outputs of a run; closes them at the end, or abandons them after an exception.

    After an exception, prints the path of each file with the rows of an incomplete table.

    Args:
        targets: The outputs, including exactly one XML folder.
        settings: The options of the run that they depend on.

    Yields:
        A writer for the open outputs.

    Raises:
        OutputError: An output cannot be opened or completed.
    """
    outputs: list[Output] = []
    try:
        for target in targets:
            outputs.append(target.entry.open_output(target.path, settings))
            logs.info("writing %s to %s", target.entry.name, target.path)
        (xml,) = (output for output in outputs if isinstance(output, XmlFolder))
        yield OutputWriter(settings.pictures, xml, outputs)
    except BaseException:  # Ctrl-C too
        for target, output in zip(targets, outputs, strict=False):
            kept = output.abandon()
            if kept is not None:
                print_message(
                    f"{target.path}: not written, because the run did not finish; the rows so far "
                    f"are in {kept}"
                )
        raise
    with ExitStack() as stack:
        for output in outputs:
            stack.callback(output.close)
