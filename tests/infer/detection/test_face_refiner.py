"""The face refiner corrects frames, in every turn, and refuses networks that are not its own."""

from __future__ import annotations

from functools import cache
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import REFINER_ENTRY, RefinerMarks, marked, middle, refiner, turn_picture

from image_gender_classifier import manifest
from image_gender_classifier.detection import registry
from image_gender_classifier.detection.face_refiner import FaceRefiner
from image_gender_classifier.detection.heatmap import Detection
from image_gender_classifier.errors import ModelError
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.loading import shipped_models
from image_gender_classifier.results import Box, Turn


@given(
    st.floats(-0.25, 0.25), st.floats(-0.25, 0.25), st.floats(0.8, 1.25), st.sampled_from((90, 200))
)
def test_the_frame_becomes_that_of_the_face(
    right: float, down: float, factor: float, side: int
) -> None:
    """The frame of a mark is twice as wide; the candidate's is moved and scaled."""
    picture = marked(900, 1000, 300, 400, side)
    true = Box(2 * (400 - side / 2), 2 * (300 - side / 2), 4 * side, 4 * side)
    wrong = factor * true.width
    x, y = (centre - wrong / 2 for centre in middle(true))
    frame = Box(x + right * wrong, y + down * wrong, wrong, wrong)
    found = refiner(logits=(1, 1)).refine(picture, Detection(frame, logit=-0.5))
    assert found.frame == pytest.approx(true, abs=0.06 * true.width)
    assert found.logit == pytest.approx(1 - 0.25)


@pytest.mark.parametrize("turn", get_args(Turn))
def test_a_turned_candidate_is_refined_in_its_turn(turn: Turn) -> None:
    """The mark is right of and above the centre of the frame, in the picture as it lies."""
    upright = marked(600, 600, 200, 320, 80)
    upright.pixels[280:300, 320:400] = (0, 255, 0)  # below it
    back: dict[Turn, Turn] = {0: 0, 90: 270, 180: 180, 270: 90}
    lying = turn_picture(upright, back[turn])
    rows, columns = np.nonzero((lying.pixels[..., 0] > 127) & (lying.pixels[..., 1] < 127))
    x, y = 2 * (columns.mean() + 0.5), 2 * (rows.mean() + 0.5)
    frame = Box(x - 160 - 30, y - 160 + 20, 320, 320)
    found = refiner(logits=(-4, 4)).refine(lying, Detection(frame, 0.0, turn))
    assert middle(found.frame) == pytest.approx((x, y), abs=12)
    assert found.frame.width == pytest.approx(320, rel=0.06)
    assert (found.logit, found.turn) == (4, turn)


def test_a_frame_beyond_the_picture_sees_repeated_edges() -> None:
    """The picture's corner is red, and so is what lies beyond it."""
    seen: list[npt.NDArray[np.uint8]] = []

    class Watched(RefinerMarks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            seen.append(crops[0])
            return super().run(crops)

    picture = marked(200, 200, 0, 0, 60)
    watched = FaceRefiner(Watched((2, 2)), REFINER_ENTRY)
    for side in (100, 240):  # sampled linearly, and by area
        found = watched.refine(picture, Detection(Box(-side / 3, -side / 3, side, side), 0.0))
        assert np.isfinite(found.frame).all()
        assert seen[-1][0, 0].tolist() == [255, 0, 0]


def test_the_search_without_a_refiner_is_another_one() -> None:
    """A folder of models may lack it."""
    models = manifest.load(shipped_models())
    keys = [
        registry.open_detector("network", folder, "tflite").cache_key
        for folder in (models, models._replace(face_refiners={}))
    ]
    assert keys[0] != keys[1]
    stricter = {name: entry._replace(surest=4.0) for name, entry in models.face_refiners.items()}
    other = registry.open_detector("network", models._replace(face_refiners=stricter), "tflite")
    assert other.cache_key not in keys


def test_small_candidates_are_seen_at_a_higher_resolution() -> None:
    """A view of 64 pixels needs 48 pixels of the picture, a frame of 40."""
    for side, decodings in ((41, 0), (39, 1)):
        asked: list[int] = []
        fine = marked(800, 800, 400, 400, 30)

        def decode(fine: Picture = fine, asked: list[int] = asked) -> Picture:
            asked.append(1)
            return fine._replace(width=1600, height=1600)

        quick = fine._replace(pixels=fine.pixels[::2, ::2], decode_finer=cache(decode))
        candidate = Detection(Box(800, 800, 4 * side, 4 * side), 0.0)
        refiner(logits=(1, 1)).refine(quick, candidate)
        assert len(asked) == decodings


def test_wild_corrections_are_limited() -> None:
    class Wild(RefinerMarks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            return np.array([[9, -9, 9]], np.float32), np.zeros((1, 1), np.float32)

    found = FaceRefiner(Wild((0, 0)), REFINER_ENTRY).refine(
        marked(400, 400, 100, 100, 50), Detection(Box(200, 200, 100, 100), 0.0)
    )
    assert middle(found.frame) == pytest.approx((300, 200))
    assert 100 < found.frame.width < 250


@pytest.mark.parametrize(
    "changes",
    [{"input_shape": (48, 48, 3)}, {"colour_order": "BGR"}, {"input_shape": (64, 32, 3)}],
    ids=str,
)
def test_a_network_that_its_entry_does_not_describe_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ModelError, match=r"refiner\.onnx: the input is uint8"):
        FaceRefiner(RefinerMarks((0, 0)), REFINER_ENTRY._replace(**changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([np.zeros((1, 3))], "not those of a face refiner"),
        ([np.zeros((1, 2)), np.zeros((1, 3))], "not those of a face refiner"),
        ([np.zeros((1, 8, 8, 1)), np.zeros((1, 8, 8, 3))], "not those of a face refiner"),
        ([np.full((1, 1), np.nan), np.zeros((1, 3))], "not finite"),
        ([np.zeros((1, 1)), np.full((1, 3), np.inf)], "not finite"),
    ],
)
def test_a_network_with_other_outputs_is_refused(
    outputs: list[npt.NDArray[np.float32]], message: str
) -> None:
    class Wrong(RefinerMarks):
        def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
            return tuple(outputs)

    with pytest.raises(ModelError, match=rf"refiner\.onnx: the outputs are {message}"):
        FaceRefiner(Wrong((0, 0)), REFINER_ENTRY).warm_up()


def test_what_changes_results_is_in_the_cache_key() -> None:
    entries = [
        REFINER_ENTRY,
        REFINER_ENTRY._replace(sha256="1"),
        REFINER_ENTRY._replace(margin=1.3),
        REFINER_ENTRY._replace(candidate_weight=0.4),
        REFINER_ENTRY._replace(lowest=-3.0),
        REFINER_ENTRY._replace(screened=-2.0),
        REFINER_ENTRY._replace(screened_turned=-2.0),
        REFINER_ENTRY._replace(surest=3.0),
        REFINER_ENTRY._replace(tile_weight=0.3),
    ]
    assert len({entry.cache_key for entry in entries}) == len(entries)
