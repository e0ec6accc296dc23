"""Learning curves are drawn from the history alone, with one head or with several."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib")

from image_gender_classifier.train.common import plots

ONE_HEAD = "epoch,accuracy,loss,val_accuracy,val_loss"
SEVERAL = (
    "epoch,age_loss,gender_accuracy,gender_loss,loss,val_age_loss,val_gender_accuracy,"
    "val_gender_loss,val_loss"
)


def draw(folder: Path, header: str, *rows: str) -> Path:
    history = folder / "history.csv"
    history.write_text("\n".join([header, *rows]) + "\n")
    plots.plot_learning_curves(history, folder / "curves.png")
    return folder / "curves.png"


@pytest.mark.parametrize("rows", [["0,0.6,0.5,0.7,0.4"], ["0,0.6,0.5,0.7,0.4", "1.0,1,0,1,0"]])
def test_curves_are_a_png_file(rows: list[str], tmp_path: Path) -> None:
    path = draw(tmp_path, ONE_HEAD, *rows)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = cv2.imread(str(path))
    assert picture is not None
    assert min(picture.shape[:2]) > 300
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_of_several_heads_the_gender_head_is_drawn(tmp_path: Path) -> None:
    """The sum over the heads stands in the same file; drawing it instead would show.

    Of the held-out part it is what chooses the best epoch.
    """
    path = draw(tmp_path, SEVERAL, "0,2,0.6,0.5,3,2,0.7,5,0.4", "1,2,0.7,0.4,9,2,0.8,8,0.3")
    of_several = path.read_bytes()
    alone = draw(tmp_path, ONE_HEAD, "0,0.6,0.5,0.7,0.4", "1,0.7,0.4,0.8,0.3").read_bytes()
    same = of_several == alone  # a difference of thousands of bytes takes pytest minutes to report
    assert same


def test_no_figure_stays_open(tmp_path: Path) -> None:
    from matplotlib import pyplot

    draw(tmp_path, ONE_HEAD, "0,0.6,0.5,0.7,0.4")
    assert pyplot.get_fignums() == []


def test_replaces_an_earlier_plot_atomically(tmp_path: Path) -> None:
    """A file that is overwritten in place is half-written for a moment; its other link shows it."""
    (tmp_path / "curves.png").write_bytes(b"earlier")
    (tmp_path / "link.png").hardlink_to(tmp_path / "curves.png")
    draw(tmp_path, ONE_HEAD, "0,0.6,0.5,0.7,0.4")
    assert (tmp_path / "link.png").read_bytes() == b"earlier"
