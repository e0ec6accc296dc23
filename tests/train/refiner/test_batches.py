"""Views of candidates with the targets that belong to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")

from image_gender_classifier.imaging.pixels import Pixels
from image_gender_classifier.train.refiner.batches import CandidateBatches
from image_gender_classifier.train.refiner.candidates import PATCH_SIDE, REACH, Candidates
from image_gender_classifier.train.refiner.labels import Label
from image_gender_classifier.train.refiner.network import FACE, FRAME
from image_gender_classifier.train.refiner.views import MARGIN, Move, draw_view

COUNT, SIZE = 20, 48
KNOWN = (True, None, False, False, None)  # of five candidates in a row


def dot(right: float, down: float) -> Pixels:
    """A dark patch with a bright dot where a label says that the face is."""
    frame = PATCH_SIDE / REACH
    rows, columns = np.indices((PATCH_SIDE, PATCH_SIDE)) - (PATCH_SIDE - 1) / 2
    squares = (columns - right * frame) ** 2 + (rows - down * frame) ** 2
    return np.repeat(200 * np.exp(-squares / 6)[..., np.newaxis], 3, axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    """Each has a probability of its own; every second unlabelled one has a frame."""
    random = np.random.default_rng(0)
    labels = []
    for number in range(COUNT):
        is_face = KNOWN[number % len(KNOWN)]
        if is_face or (is_face is None and number % 2):
            right, down, log_side = random.uniform(-0.15, 0.15, 3).tolist()
            labels.append(Label(is_face, right, down, log_side, has_frame=True))
        else:
            labels.append(Label(is_face))
    patches = np.stack([dot(label.right, label.down) for label in labels])
    return Candidates(patches, labels, np.linspace(0.02, 0.97, COUNT, dtype=np.float32))


def make(candidates: Candidates, count: int = COUNT, **changes: Any) -> CandidateBatches:
    options: dict[str, Any] = {"size": SIZE, "batch": 5, "distilled": 0.4, "key": (1, 2), **changes}
    return CandidateBatches(candidates, count, **options)


def places(batches: CandidateBatches, candidates: Candidates) -> list[int]:
    """The candidates of all batches, known by their probabilities: use `distilled` = 1."""
    targets = np.concatenate([batches[index][1][FACE][:, 0] for index in range(len(batches))])
    return [int(np.abs(candidates.verified - target).argmin()) for target in targets]


def find_dots(views: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The places of the dots, right of and below the centres, in sides of the frame."""
    seen = views.mean(axis=-1, dtype=float)
    seen = (seen - np.median(seen, axis=(1, 2), keepdims=True)).clip(10) - 10
    rows, columns = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
    sums = [(seen * axis).sum(axis=(1, 2)) / seen.sum(axis=(1, 2)) for axis in (columns, rows)]
    return np.stack(sums, axis=-1) * MARGIN / SIZE


def test_batches_have_their_shapes(candidates: Candidates) -> None:
    batches = make(candidates, 19)
    assert len(batches) == 3
    for index in range(3):
        views, targets = batches[index]
        assert (views.shape, views.dtype) == ((5, SIZE, SIZE, 3), np.float32)
        assert views.min() >= 0
        assert 100 < views.max() <= 255
        shapes = {name: (target.shape, target.dtype) for name, target in targets.items()}
        assert shapes == {FACE: ((5, 2), np.float32), FRAME: ((5, 4), np.float32)}


def test_a_batch_depends_only_on_key_and_index(candidates: Candidates) -> None:
    def draw(index: int, key: tuple[int, ...] = (1, 2)) -> bytes:
        views, targets = make(candidates, key=key)[index]
        return b"".join(array.tobytes() for array in (views, targets[FACE], targets[FRAME]))

    batches = make(candidates)
    backwards = [batches[index][0].tobytes() for index in (3, 2, 1, 0)]
    assert [make(candidates)[index][0].tobytes() for index in range(4)] == backwards[::-1]
    assert draw(1) == draw(1)
    assert len({draw(index, key) for index in range(4) for key in ((1, 2), (1, 3), (2, 2))}) == 12


def test_each_candidate_is_seen_once_in_random_order(candidates: Candidates) -> None:
    one, other = (
        places(make(candidates, distilled=1.0, key=key), candidates) for key in ((1, 2), (1, 3))
    )
    assert sorted(one) == sorted(other) == list(range(COUNT))
    assert len({tuple(one), tuple(other), tuple(range(COUNT))}) == 3


def test_candidates_repeat_if_there_are_too_few(candidates: Candidates) -> None:
    batches = make(candidates, 2 * COUNT + 10, distilled=1.0)
    assert len(batches) == 10
    order = places(batches, candidates)
    assert {order.count(place) for place in range(COUNT)} == {2, 3}
    views = np.concatenate([batches[index][0] for index in range(len(batches))])
    first = order.index(order[-1])
    assert not np.array_equal(views[first], views[-1]), "the views of a candidate differ"


def test_an_epoch_can_omit_candidates(candidates: Candidates) -> None:
    seen = places(make(candidates, 10, distilled=1.0), candidates)
    assert len(set(seen)) == len(seen) == 10
    assert seen != list(range(10))


@pytest.mark.parametrize("distilled", [0.0, 0.4, 1.0])
def test_targets_mix_label_and_verifier(candidates: Candidates, distilled: float) -> None:
    """Without a key they have the order of the candidates."""
    batches = make(candidates, distilled=distilled, key=None)
    targets = np.concatenate([batches[index][1][FACE] for index in range(len(batches))])
    for label, verified, (target, weight) in zip(
        candidates.labels, candidates.verified, targets, strict=True
    ):
        assert weight == (label.is_face is not None)
        if label.is_face is not None:
            expected = (1 - distilled) * label.is_face + distilled * verified
            assert target == pytest.approx(expected, abs=1e-6)


def test_unlabelled_candidates_have_weight_0_in_any_order(candidates: Candidates) -> None:
    batches = make(candidates, distilled=1.0)
    weights = np.concatenate([batches[index][1][FACE][:, 1] for index in range(len(batches))])
    for place, weight in zip(places(batches, candidates), weights, strict=True):
        assert weight == (candidates.labels[place].is_face is not None)


def test_without_a_key_views_are_neither_moved_nor_altered(candidates: Candidates) -> None:
    batches = make(candidates, key=None)
    views = np.concatenate([batches[index][0] for index in range(len(batches))])
    frames = np.concatenate([batches[index][1][FRAME] for index in range(len(batches))])
    for patch, label, view, frame in zip(
        candidates.patches, candidates.labels, views, frames, strict=True
    ):
        assert np.array_equal(view, draw_view(patch, SIZE, Move()))
        assert frame[3] == label.has_frame
        if label.has_frame:
            assert frame[:3] == pytest.approx(label[1:4])


def test_with_a_key_some_views_are_altered() -> None:
    """All that a plain patch can show, wherever the view is, is another light."""
    patches = np.full((1, PATCH_SIDE, PATCH_SIDE, 3), (150, 90, 60), np.uint8)
    batches = make(Candidates(patches, [Label(False)], np.zeros(1, np.float32)), 100)
    views = np.concatenate([batches[index][0] for index in range(len(batches))])
    altered = (views != patches[0, 0, 0]).any(axis=(1, 2, 3))
    assert 0.3 < altered.mean() < 0.8


def test_moved_views_have_moved_targets(candidates: Candidates) -> None:
    batches = make(candidates, 10 * COUNT, distilled=1.0)
    views = np.concatenate([batches[index][0] for index in range(len(batches))])
    frames = np.concatenate([batches[index][1][FRAME] for index in range(len(batches))])
    known = frames[:, 3] == 1
    assert known.sum() == 10 * sum(label.has_frame for label in candidates.labels)
    seen = find_dots(views[known])
    assert np.abs(seen - frames[known, :2]).max() < 0.02
    unmoved = np.array([label[1:4] for label in candidates.labels])
    moved = frames[:, :3] - unmoved[places(batches, candidates)]
    assert moved[known].std(axis=0).min() > 0.03


def test_scaled_views_have_scaled_targets(candidates: Candidates) -> None:
    """A bright square fills the true frame: half of the candidate's."""
    side = round(PATCH_SIDE / REACH / 2)
    start = (PATCH_SIDE - side) // 2
    patches = np.zeros((1, PATCH_SIDE, PATCH_SIDE, 3), np.uint8)
    patches[:, start : start + side, start : start + side] = 200
    label = Label(True, log_side=float(np.log(0.5)), has_frame=True)
    batches = make(Candidates(patches, [label], np.ones(1, np.float32)), 40)
    for index in range(len(batches)):
        views, targets = batches[index]
        level = (views.max(axis=(1, 2, 3)) + views.min(axis=(1, 2, 3))) / 2
        area = (views.mean(axis=-1) > level[:, None, None]).sum(axis=(1, 2))
        expected = np.exp(targets[FRAME][:, 2]) * SIZE / MARGIN
        assert np.sqrt(area) == pytest.approx(expected, rel=0.06)
