"""The history of a training: kept whole, and its best epoch."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_gender_classifier.errors import ModelError
from image_gender_classifier.train.common import history
from image_gender_classifier.train.common.history import Row

ROWS = st.lists(st.floats(), min_size=1, max_size=5).map(
    lambda losses: [{"epoch": epoch, "val_loss": loss} for epoch, loss in enumerate(losses)]
)


@given(rows=ROWS)
def test_a_written_history_is_read_exactly(
    rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("history")
    history.write_history(rows, folder)
    assert repr(history.read_history(folder)) == repr(rows), (
        "in every digit, infinite and not a number too"
    )


def test_without_a_file_the_history_is_empty(tmp_path: Path) -> None:
    assert history.read_history(tmp_path) == []


def test_a_nan_loss_is_never_the_best() -> None:
    rows = [{"val_loss": loss} for loss in (float("nan"), 2.0, float("nan"), 3.0)]
    assert history.find_best_epoch(rows) == 1


@pytest.mark.parametrize("several", [True, False])
def test_the_line_of_an_epoch_shows_the_gender_head(several: bool) -> None:
    """Keras names a loss after its head where there are several."""
    head = "gender_" if several else ""
    row = {"epoch": 4, f"{head}loss": 0.25, "gender_accuracy": 0.9, "val_loss": 0.5}
    row |= {"val_gender_accuracy": 0.875} | (
        {"loss": 9.0, "val_gender_loss": 9.0} if several else {}
    )
    assert history.format_epoch(row, 12) == (
        "epoch 5/12: loss 0.2500, held-out loss 0.5000, accuracy 0.9000, held-out accuracy 0.8750"
    )


@pytest.mark.parametrize(
    "content", [b"epoch,loss\nabc,1\n", b"loss\n1\n", b"epoch\n\xff\n", b"epoch\n1,2\n"]
)
def test_a_damaged_history_is_reported(content: bytes, tmp_path: Path) -> None:
    (tmp_path / history.HISTORY).write_bytes(content)
    with pytest.raises(
        ModelError, match=r"history\.csv: the training history cannot be read .*; delete its folder"
    ):
        history.read_history(tmp_path)
