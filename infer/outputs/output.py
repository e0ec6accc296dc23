"""The base class of all outputs, and the row that they receive for each picture."""

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
        kept: Whether the XML file of an earlier run is still valid and stays unchanged.
        drawings: Annotated copy and thumbnail, if an output needs them.
    """

    picture: PictureFile
    prediction: Prediction
    kept: bool = False
    drawings: Drawings = NO_DRAWINGS


class Output(ABC):
    """Base class of all outputs."""

    @abstractmethod
    def write(self, row: Row) -> None:
        """Writes the prediction of one picture.

        Raises:
            OutputError: The output cannot be written.
        """

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:  # noqa: ARG002
        """Returns whether the output can reuse the prediction of an earlier run (`--resume`).

        If not, the picture is classified again, because the output needs a new drawing of it.

        Args:
            picture: The picture and the names of its output files.
            prediction: The prediction of the earlier run.
        """
        return True

    def close(self) -> None:  # noqa: B027  most outputs have nothing to complete
        """Completes the output. Called once, at the end of a complete run.

        Raises:
            OutputError: The output cannot be completed.
        """

    def abandon(self) -> Path | None:
        """Ends the output of an interrupted run. Called once, instead of `close`.

        Returns:
            A separate file with the predictions written so far, or None if there is none.
        """
        return None
