"""What is right costs nothing, and errors cost by how much they matter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
import tensorflow as tf

from image_gender_classifier.results import Box
from image_gender_classifier.train.detector import losses, maps

SMALL, LARGE = Box(20, 20, 24, 24), Box(10, 10, 100, 100)


def logits_of(heat: npt.NDArray[np.float32], least: float = 1e-4) -> npt.NDArray[np.float32]:
    said = np.clip(heat, least, 1 - least)
    return np.asarray(np.log(said / (1 - said)), np.float32)


def heat_loss(wanted: npt.NDArray[np.float32], logits: npt.NDArray[np.float32]) -> float:
    return float(losses.heat(wanted[None], logits[None])[0])


def box_loss(wanted: npt.NDArray[np.float32], reported: npt.NDArray[np.float32]) -> float:
    return float(losses.box(wanted[None], reported[None])[0])


def test_losses_in_a_graph_are_equal() -> None:
    """As in use; the tests of the command train without one."""
    heat, reported = maps.make_target_maps([SMALL, LARGE], 128)
    logits, wrong = logits_of(heat * 0.8)[None], reported[None, ..., :3] + 0.5
    for loss, wanted, found in ((losses.heat, heat, logits), (losses.box, reported, wrong)):
        expected = np.asarray(loss(wanted[None], found))
        assert expected > 0
        assert np.asarray(tf.function(loss)(wanted[None], found)) == pytest.approx(expected)


@pytest.mark.parametrize("frames", [[], [SMALL], [SMALL, LARGE]])
def test_correct_certain_predictions_have_almost_no_loss(frames: list[Box]) -> None:
    heat, reported = maps.make_target_maps(frames, 128)
    assert heat_loss(heat, logits_of((heat == 1).astype(np.float32))) < 1e-3
    assert box_loss(reported, reported[..., :3]) == 0


def test_a_missed_centre_costs_more_than_an_uncertain_one() -> None:
    heat, _ = maps.make_target_maps([SMALL], 128)
    centre = (heat == 1).astype(np.float32)
    missed, shy = (heat_loss(heat, logits_of(centre * share)) for share in (0.01, 0.6))
    assert missed > 10 * shy > 0


def test_a_false_alarm_beside_a_centre_costs_less() -> None:
    heat, _ = maps.make_target_maps([LARGE], 128)
    row, column = np.argwhere(heat[..., 0] == 1)[0]
    costs = []
    for place in ((row, column + 1), (0, 15)):
        said = (heat == 1).astype(np.float32)
        said[place] = 0.9
        costs.append(heat_loss(heat, logits_of(said)))
    assert costs[0] < 0.5 * costs[1]


def test_the_loss_is_a_mean_over_centres() -> None:
    """Two faces missed cost as much as one: the cost is of a face."""
    costs = []
    for frames in ([SMALL], [SMALL, Box(80, 80, 24, 24)]):
        heat, _ = maps.make_target_maps(frames, 128)
        costs.append(heat_loss(heat, np.full_like(heat, -4)))
    assert costs[0] == pytest.approx(costs[1], rel=0.05)


def test_box_errors_are_relative_to_the_side() -> None:
    costs = []
    for frame in (SMALL, LARGE):
        _, reported = maps.make_target_maps([frame], 128)
        wrong = reported[..., :3].copy()
        wrong[..., 0] += frame.width / 8 * 0.1  # a tenth of the side, in cells
        costs.append(box_loss(reported, wrong))
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)
    assert costs[0] == pytest.approx(4 * (0.1 - 0.01), rel=1e-3)


def test_boxes_of_empty_cells_have_no_loss() -> None:
    _, reported = maps.make_target_maps([SMALL], 128)
    wrong = reported[..., :3].copy()
    wrong[reported[..., 3] == 0] = 9
    assert box_loss(reported, wrong) == 0


def test_the_teacher_adds_loss_where_it_has_weight() -> None:
    heat, _ = maps.make_target_maps([SMALL], 128)
    sure = logits_of((heat == 1).astype(np.float32))
    taught = np.full_like(heat, 0.5)
    everywhere, nowhere = (
        heat_loss(np.concatenate([heat, taught, np.full_like(heat, weight)], axis=-1), sure)
        for weight in (1.0, 0.0)
    )
    assert nowhere == pytest.approx(heat_loss(heat, sure))
    assert everywhere > nowhere + 1
