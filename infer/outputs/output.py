"""Base class of all outputs, and the row that outputs receive for each picture."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import NO_DRAWINGS, Drawings, Prediction


class Row(NamedTuple):
    """A picture and its prediction, as passed to the outputs.

    Attributes:
        picture: The picture and the names of its output files.
        prediction: The prediction.
        kept: Whether an XML file of an earlier run stays unchanged: it is still valid, or the
            picture was deleted during the run.
        drawings: What outputs need of the picture besides; each is None unless one needs it.
    """

    picture: PictureFile
    prediction: Prediction
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS


class Output(ABC):
    """Base class of all outputs.

    `write` is called for each picture, then `close` or, if the run was interrupted, `abandon`.

    Attributes:
        has_reader: False once the program that reads the output has ended; further rows are
            discarded.
    """

    has_reader = True

    @abstractmethod
    def write(self, row: Row) -> None:
        """Writes the prediction of one picture.

        Raises:
            FileNotWritten: The file of this picture is left out; the run continues.
            OutputError: The output cannot be written.
        """

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:  # noqa: ARG002
        """Returns whether the output can reuse the prediction of an earlier run (`--resume`).

        False if the output needs a new drawing of the picture, which is then classified again.

        Args:
            picture: The picture and the names of its output files.
            prediction: The prediction of the earlier run.
        """
        return True

    def close(self) -> None:  # noqa: B027  most outputs have nothing to complete
        """Completes the output, at the end of a complete run.

        Raises:
            OutputError: The output cannot be completed.
        """

    def abandon(self) -> Path | None:
        """Ends the output of an interrupted or failed run, instead of `close`.

        Returns:
            Path of a separate file with the predictions written so far; None if there is none.
        """
        return None
