"""What is right costs next to nothing, and what is unknown is free."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
import tensorflow as tf

from image_gender_classifier.train.refiner import losses

RIGHT = np.array([[0.1, -0.2, 0.3]], np.float32)


def face(target: float, logit: float, weight: float = 1.0) -> float:
    targets, logits = np.array([[target, weight]], np.float32), np.array([[logit]], np.float32)
    return float(losses.face(targets, logits)[0])


def frames(weights: Sequence[float]) -> npt.NDArray[np.float32]:
    """The targets of candidates with the same frame."""
    return np.array([[*RIGHT[0], weight] for weight in weights], np.float32)


def frame(error: float, weight: float = 1.0) -> float:
    return float(losses.frame(frames([weight]), RIGHT + np.array([error, 0, 0], np.float32))[0])


def test_losses_in_a_graph_are_equal() -> None:
    """As in use; the tests of the command train without one."""
    random = np.random.default_rng(0)
    faces = random.random((6, 2)).astype(np.float32)
    logits = random.normal(0, 3, (6, 1)).astype(np.float32)
    reported = frames([1, 0, 1, 1, 0, 1])
    wrong = (reported[:, :3] + random.normal(0, 0.05, (6, 3))).astype(np.float32)
    for loss, wanted, found in ((losses.face, faces, logits), (losses.frame, reported, wrong)):
        expected = np.asarray(loss(wanted, found))
        assert expected.shape == (6,)
        assert expected.max() > 0.01
        assert np.asarray(tf.function(loss)(wanted, found)) == pytest.approx(expected)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_correct_certain_predictions_have_almost_no_loss(target: float) -> None:
    sure = 20 * target - 10
    assert 0 <= face(target, sure) < 1e-3
    assert face(target, -sure) > 10
    assert frame(0.0) == 0
    assert frame(0.3) > 0.5


@pytest.mark.parametrize("target", [0.1, 0.5, 0.8])
def test_the_loss_is_lowest_at_the_target(target: float) -> None:
    right = np.log(target / (1 - target))
    costs = [face(target, right + error) for error in (-2, -1, -0.1, 0, 0.1, 1, 2)]
    assert int(np.argmin(costs)) == 3
    assert costs[0] > costs[1] > costs[2]
    assert costs[6] > costs[5] > costs[4]


def test_wrong_candidates_have_a_larger_weight() -> None:
    """Entropies of probabilities of 0.9 and 0.1 for a face."""
    right, wrong = (face(1.0, logit) for logit in (np.log(9), -np.log(9)))
    entropies = np.log(0.9), np.log(0.1)
    assert wrong / right > 2 * entropies[1] / entropies[0]


@pytest.mark.parametrize("logit", [-9.0, 0.0, 9.0])
def test_unknown_labels_have_no_loss(logit: float) -> None:
    assert face(0.3, logit, weight=0.0) == 0


@pytest.mark.parametrize("error", [0.01, -3.0])
def test_unknown_frames_have_no_loss(error: float) -> None:
    assert frame(error, weight=0.0) == 0


def test_unknown_frames_do_not_change_the_mean() -> None:
    found = RIGHT + 0.1
    alone, among = (
        float(np.mean(losses.frame(frames(weights), np.repeat(found, len(weights), axis=0))))
        for weights in ([1, 1, 1], [1, 0, 0, 1, 0, 1, 0, 0])
    )
    assert alone == pytest.approx(among)
    assert alone > 0


@pytest.mark.parametrize("column", range(3))
def test_all_numbers_of_a_frame_have_equal_weight(column: int) -> None:
    wrong = RIGHT.copy()
    wrong[0, column] += 0.1
    assert float(losses.frame(frames([1]), wrong)[0]) == pytest.approx(frame(0.1), rel=1e-3)
    wrong[0, column] -= 0.2
    assert float(losses.frame(frames([1]), wrong)[0]) == pytest.approx(frame(0.1), rel=1e-3)


def test_large_errors_are_not_penalised_quadratically() -> None:
    assert frame(0.01) == pytest.approx(4 * frame(0.005), rel=1e-3)
    assert frame(0.4) < 2.2 * frame(0.2)


def test_the_loss_is_continuous() -> None:
    costs = np.array([frame(error) for error in np.linspace(0.01, 0.04, 61)])
    assert np.all(np.diff(costs) > 0)
    assert np.all(costs[1:] < 1.12 * costs[:-1])
