"""The arithmetic is tested on networks that answer what they are told, the rest on the real one."""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from image_gender_classifier import loading, manifest
from image_gender_classifier.classification.classifier import (
    Classification,
    Classifier,
    FrameCorrection,
    compute_confidences,
    flip_horizontally,
    needs_tta,
)
from image_gender_classifier.errors import ModelError
from image_gender_classifier.manifest.schema import Calibration, FrameOutput, ModelEntry

LOGITS = st.floats(-1e6, 1e6, width=32)
SHIPPED = Path(str(files("image_gender_classifier.models")))
SHIPPED_ENTRY = manifest.load(SHIPPED).models["gender_int8.tflite"]
ENTRY = SHIPPED_ENTRY._replace(
    input_shape=(2, 2, 3),
    calibration=Calibration(),
    threshold=0.7,
    tta_threshold=0.0,
    frame_output=None,
)


class Oracle:
    """A network whose outputs are given."""

    def __init__(
        self,
        *outputs: list[float],
        shape: tuple[int, int, int] = (2, 2, 3),
        dtype: str = "uint8",
    ) -> None:
        self.input_shape, self.input_dtype = shape, dtype
        self._outputs = tuple(np.array(output, np.float32).reshape(-1, 1) for output in outputs)

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        return self._outputs


def crops(count: int) -> npt.NDArray[np.uint8]:
    return np.zeros((count, 2, 2, 3), np.uint8)


def classified(
    logit: float, entry: ModelEntry = ENTRY, threshold: float | None = None
) -> Classification:
    (classification,) = Classifier(Oracle([logit]), entry, threshold).classify(crops(1))
    return classification


@given(st.floats(-30, 30, width=32), st.floats(-3, 3), st.floats(-3, 3))
def test_probabilities_are_platt_scaled(logit: float, slope: float, bias: float) -> None:
    entry = ENTRY._replace(calibration=Calibration(slope, bias))
    (probability,) = Classifier(Oracle([logit]), entry).compute_probabilities(crops(1))
    assert math.isclose(probability, 1 / (1 + math.exp(-(slope * logit + bias))), rel_tol=1e-9)


@pytest.mark.filterwarnings("error")
@given(st.lists(LOGITS, min_size=1))
def test_any_logits_give_a_confidence_of_the_likelier_gender(logits: list[float]) -> None:
    classifications = Classifier(Oracle(logits), ENTRY).classify(crops(len(logits)))
    assert len(classifications) == len(logits)
    for logit, classification in zip(logits, classifications, strict=True):
        assert 0.5 <= classification.confidence <= 1
        assert classification.gender == ("female" if logit >= 0 else "male") or abs(logit) < 1e-6
        assert classification.certain == (classification.confidence >= 0.7)


# The probabilities of smaller logits are rounded to 0.5.
@given(LOGITS.filter(lambda logit: abs(logit) > 0.0021))
def test_genders_are_treated_alike(logit: float) -> None:
    first, second = classified(logit), classified(-logit)
    assert {first.gender, second.gender} == {"female", "male"}
    assert math.isclose(first.confidence, second.confidence)
    assert math.isclose(first.p_female + second.p_female, 1)
    assert max(first.p_female, second.p_female) == first.confidence
    assert (first.p_female >= 0.5) == (first.gender == "female")
    swapped = classified(-logit, ENTRY._replace(positive="male", negative="female"))
    assert swapped.gender == first.gender
    assert swapped.p_female == first.p_female


def test_the_threshold_itself_is_certain() -> None:
    assert classified(0.0, threshold=0.5).certain
    assert not classified(0.0, threshold=math.nextafter(0.5, 1)).certain
    assert not classified(1.0, threshold=1.0).certain
    assert classified(-50.0, threshold=1.0).certain


def test_the_manifests_threshold_holds_unless_another_is_given() -> None:
    confidence = classified(1.0).confidence
    assert Classifier(Oracle([1.0]), ENTRY).threshold == 0.7
    assert classified(1.0, ENTRY._replace(threshold=confidence)).certain
    assert not classified(1.0, ENTRY._replace(threshold=confidence + 1e-9)).certain
    assert classified(1.0, ENTRY._replace(threshold=1.0), threshold=0.0).certain


@pytest.mark.parametrize(
    "network",
    [
        Oracle([0], shape=(3, 2, 3)),
        Oracle([0], shape=(2, 2, 1)),
        Oracle([0], dtype="float32"),
    ],
)
def test_a_network_that_is_not_what_its_entry_says_is_refused(network: Oracle) -> None:
    with pytest.raises(ModelError, match="but its manifest says"):
        Classifier(network, ENTRY)


@pytest.mark.parametrize(
    ("network", "entry"),
    [
        (Oracle([0], dtype="float32"), ENTRY._replace(input_dtype="float32")),
        (Oracle([0], dtype="int8"), ENTRY._replace(input_dtype="int8")),
        (Oracle([0], shape=(2, 3, 3)), ENTRY._replace(input_shape=(2, 3, 3))),
        (Oracle([0], shape=(2, 2, 1)), ENTRY._replace(input_shape=(2, 2, 1))),
        (Oracle([0]), ENTRY._replace(colour_order="BGR")),
    ],
)
def test_a_network_that_cannot_take_our_crops_is_refused(
    network: Oracle, entry: ModelEntry
) -> None:
    with pytest.raises(ModelError, match="but square uint8 RGB crops are required"):
        Classifier(network, entry)


@pytest.mark.parametrize("outputs", [([0], [0]), ([0, 0],), ([math.nan],), ([math.inf],), ()])
def test_a_network_that_gives_no_logit_a_crop_is_a_model_error(
    outputs: tuple[list[float], ...],
) -> None:
    classifier = Classifier(Oracle(*outputs), ENTRY)
    with pytest.raises(ModelError, match="not one finite number per crop"):
        classifier.classify(crops(1))


class Framed:
    """A network whose frame output moves the crop away from its brighter side."""

    input_shape, input_dtype = (2, 2, 3), "uint8"

    def __init__(self, *frames: list[float]) -> None:
        self._frames = np.array(frames, np.float32)

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        bright = crops[:, 0, 0, 0].astype(np.float32) - crops[:, 0, 1, 0]
        face = np.zeros((len(crops), 2), np.float32)
        return self._frames[: len(crops)], face, bright[:, np.newaxis]


UNITS = FrameOutput(right=0.5, down=0.25, log_side=2.0)


def test_the_frame_output_is_scaled_by_its_units() -> None:
    classifier = Classifier(Framed([1, 2, -0.5], [0, -4, 1]), ENTRY._replace(frame_output=UNITS))
    first, second = classifier.classify(crops(2))
    assert first.correction == FrameCorrection(0.5, 0.5, -1.0)
    assert second.correction == FrameCorrection(0.0, -1.0, 2.0)


def test_the_flipped_crop_changes_no_correction() -> None:
    always = ENTRY._replace(frame_output=UNITS, tta_threshold=1.0)
    (classification,) = Classifier(Framed([1, 2, -0.5]), always).classify(crops(1))
    assert classification.correction == FrameCorrection(0.5, 0.5, -1.0)


def test_a_frame_output_is_ignored_unless_the_manifest_has_its_units() -> None:
    (classification,) = Classifier(Framed([1, 2, 3]), ENTRY).classify(crops(1))
    assert classification.correction is None


@pytest.mark.parametrize("network", [Oracle([0]), Framed([0, math.nan, 0])])
def test_a_missing_or_infinite_frame_output_is_a_model_error(network: Oracle | Framed) -> None:
    classifier = Classifier(network, ENTRY._replace(frame_output=UNITS))
    with pytest.raises(ModelError, match="three finite numbers per crop"):
        classifier.classify(crops(1))


def test_the_units_are_part_of_the_cache_key() -> None:
    keys = {
        Classifier(Oracle([0]), ENTRY._replace(frame_output=units)).cache_key
        for units in (None, UNITS, UNITS._replace(down=0.3))
    }
    assert len(keys) == 3


def test_crops_are_judged_alike_alone_and_together() -> None:
    classifier = loading.open_classifier(None)
    size = classifier.crop_size
    some = np.random.default_rng(0).integers(0, 256, (5, size, size, 3), np.uint8)
    together = classifier.classify(some)
    assert together == [classifier.classify(one[np.newaxis])[0] for one in some]
    assert classifier.compute_logits(some).dtype == np.float32
    assert len({classification.confidence for classification in together}) > 1


class Sided:
    """A network that adds up the left column and takes away half of the right one."""

    input_shape, input_dtype = (2, 2, 3), "uint8"

    def __init__(self) -> None:
        self.classified = 0

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        self.classified += len(crops)
        columns = crops.astype(np.float32).sum(axis=(1, 3))
        return (columns[:, :1] - columns[:, 1:] / 2,)


def test_the_doubtful_are_looked_at_in_the_mirror_too() -> None:
    network = Sided()
    sure, doubtful, alike = np.zeros((3, 2, 2, 3), np.uint8)
    sure[0, 0, 0], doubtful[0, :, 0], alike[0, 1, 0] = 6, (7, 4), 4
    bound = 1 / (1 + math.exp(-5.5))
    classifier = Classifier(network, ENTRY._replace(tta_threshold=bound))
    logits = classifier.compute_tta_logits(np.stack([sure, doubtful, alike]))
    assert logits.tolist() == [6, (5 + 0.5) / 2, (-2 + 4) / 2]
    assert network.classified == 3 + 2


@given(st.floats(-50, 50, width=32), st.floats(0.01, 3), st.floats(-3, 3), st.floats(0, 1))
def test_doubtful_is_what_lies_below_the_bound(
    logit: float, slope: float, bias: float, bound: float
) -> None:
    logits, calibration = np.array([logit], np.float32), Calibration(slope, bias)
    (confidence,) = compute_confidences(logits, calibration)
    assume(abs(confidence - bound) > 1e-6)
    assert needs_tta(logits, calibration, bound).tolist() == [confidence < bound]


def test_it_is_the_calibrated_confidence_that_is_doubtful() -> None:
    network = Sided()
    entry = ENTRY._replace(calibration=Calibration(1.0, -2.0), tta_threshold=0.85)
    crop = np.zeros((1, 2, 2, 3), np.uint8)
    crop[0, 0, 0] = 2, 0, 0
    assert Classifier(network, entry).compute_tta_logits(crop).tolist() == [(2 - 1) / 2]
    crop[0, 0, 0] = 0, 0, 0
    assert Classifier(network, entry).compute_tta_logits(crop).tolist() == [0]
    assert network.classified == 2 + 1


def test_without_a_bound_nothing_is_looked_at_twice() -> None:
    network = Sided()
    Classifier(network, ENTRY).classify(crops(5))
    assert network.classified == 5


def test_whoever_looks_twice_decides_otherwise() -> None:
    keys = {
        Classifier(Sided(), ENTRY._replace(tta_threshold=bound)).cache_key for bound in (0, 0.9)
    }
    assert len(keys) == 2


def test_the_shipped_networks_doubts_do_not_depend_on_the_side() -> None:
    classifier = loading.open_classifier(None)
    assert classifier.entry.tta_threshold > 0.5
    classifier.entry = classifier.entry._replace(tta_threshold=1.0)
    shape = classifier.entry.input_shape
    pictures = np.random.default_rng(0).integers(0, 256, (4, *shape), np.uint8)
    flipped = flip_horizontally(pictures)
    assert (classifier.compute_tta_logits(pictures) == classifier.compute_tta_logits(flipped)).all()
