"""The calibration must find the truth where there is one and stay sane where there is none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_gender_classifier.classification.classifier import compute_confidences
from image_gender_classifier.manifest.schema import Calibration, ModelEntry
from image_gender_classifier.train.gender import calibration

Logits = npt.NDArray[np.float32]
Labels = npt.NDArray[np.bool_]


def drawn(slope: float, bias: float, count: int = 40_000) -> tuple[Logits, Labels]:
    """Logits and labels whose true calibration is known."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2.5, count).astype(np.float32)
    return logits, random.random(count) < 1 / (1 + np.exp(-(slope * logits + bias)))


def loss(logits: Logits, positive: Labels, slope: float, bias: float) -> float:
    """What Platt's fit minimises."""
    female, male = positive.sum(), (~positive).sum()
    wanted = np.where(positive, (female + 1) / (female + 2), 1 / (male + 2))
    scores = slope * logits.astype(np.float64) + bias
    return float(np.mean(np.logaddexp(0, scores) - wanted * scores))


def assert_best(logits: Logits, positive: Labels, found: Calibration) -> None:
    """No calibration near the one found fits noticeably better, nor does the one to start from."""
    least = loss(logits, positive, found.slope, found.bias) - 1e-3
    assert least <= loss(logits, positive, 1, 0)
    for factor in (0.5, 0.9, 1.1, 2):
        assert least <= loss(logits, positive, found.slope * factor, found.bias)
    for step in (-1, -0.1, 0.1, 1):
        assert least <= loss(logits, positive, found.slope, found.bias + step)


@pytest.mark.parametrize(
    ("slope", "bias"), [(1.0, 0.0), (0.4, 0.5), (2.5, -1.0), (1.3, 3.0), (-0.7, 0.2)]
)
def test_recovers_a_known_calibration(slope: float, bias: float) -> None:
    found = calibration.fit_platt_scaling(*drawn(slope, bias))
    assert found.slope == pytest.approx(slope, abs=0.08)
    assert found.bias == pytest.approx(bias, abs=0.08)


@pytest.mark.parametrize("scale", [0.01, 1.0, 5.0, 30.0, 1000.0])
@pytest.mark.parametrize("shift", [0.0, 2.0, -20.0])
def test_separable_genders_give_a_finite_calibration(scale: float, shift: float) -> None:
    random = np.random.default_rng(2)
    positive = np.arange(200) % 2 == 0
    logits = (np.where(positive, 1, -1) * random.uniform(0.5, 1.5, 200) * scale + shift).astype(
        "f4"
    )
    found = calibration.fit_platt_scaling(logits, positive)
    assert np.isfinite([found.slope, found.bias]).all()
    assert found.slope * scale < 100
    assert ((found.slope * logits + found.bias >= 0) == positive).all()
    assert_best(logits, positive, found)


@pytest.mark.filterwarnings("error")
def test_a_few_separable_samples_give_a_small_slope() -> None:
    """As they came of a short training: Newton's method alone ran away to 57 million."""
    logits = np.array([4.3, 3.6, 5.2, -1.4, -2.0, 0.9, -0.5], np.float32)
    found = calibration.fit_platt_scaling(
        logits, np.array([True, True, True, False, False, False, False])
    )
    assert 0 < found.slope < 10
    assert -10 < found.bias < 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("gender", [True, False])
def test_with_one_gender_alone_it_is_always_more_probable(gender: bool) -> None:
    logits = np.linspace(-3, 5, 50, dtype=np.float32)
    found = calibration.fit_platt_scaling(logits, np.full(50, gender))
    scores = found.slope * logits + found.bias
    assert ((scores >= 0) == gender).all()
    assert np.abs(scores).max() < 10


@pytest.mark.filterwarnings("error")
def test_equal_logits_give_the_fraction_of_the_gender() -> None:
    positive = np.arange(100) < 30
    found = calibration.fit_platt_scaling(np.full(100, 2.0, np.float32), positive)
    score = 2 * found.slope + found.bias
    assert 1 / (1 + np.exp(-score)) == pytest.approx(0.3, abs=0.02)


finite = st.integers(-6000, 6000).map(lambda number: number / 100)


@pytest.mark.filterwarnings("error")
@settings(max_examples=200)
@given(st.lists(st.tuples(finite, st.booleans()), min_size=1, max_size=40))
def test_any_logits_can_be_fitted(pairs: list[tuple[float, bool]]) -> None:
    logits = np.array([logit for logit, _ in pairs], np.float32)
    positive = np.array([label for _, label in pairs])
    found = calibration.fit_platt_scaling(logits, positive)
    assert np.isfinite([found.slope, found.bias]).all()
    assert_best(logits, positive, found)


@settings(max_examples=100)
@given(
    st.lists(finite, min_size=1, max_size=300),
    st.floats(0, 1),
    st.floats(-3, 3),
    st.floats(-3, 3),
)
def test_at_least_the_requested_fraction_reaches_the_threshold(
    values: list[float], share: float, slope: float, bias: float
) -> None:
    logits = np.array(values, np.float32)
    confidence = compute_confidences(logits, Calibration(slope, bias))
    found = calibration.choose_threshold(confidence, share)
    assert 0.5 <= found <= 1
    reached = np.mean(confidence >= found)
    assert reached >= share - 1 / len(values) - 1e-9


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_requested_fraction_reaches_the_threshold(share: float) -> None:
    logits, positive = drawn(1.5, 0.3)
    confidence = compute_confidences(logits, calibration.fit_platt_scaling(logits, positive))
    found = calibration.choose_threshold(confidence, share)
    assert np.mean(confidence >= found) == pytest.approx(share, abs=0.005)


def test_a_larger_fraction_gives_a_lower_threshold() -> None:
    logits, _ = drawn(1, 0, 500)
    confidence = compute_confidences(logits, Calibration())
    found = [calibration.choose_threshold(confidence, share) for share in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


class Fixed:
    """A runtime with fixed answers: a crop's left corner tells which, or its mirror image's right.

    Args:
        logits: The answers to crops.
        mirrored: The answers to mirror images.
    """

    input_shape, input_dtype = (8, 8, 3), "uint8"

    def __init__(self, logits: Logits, mirrored: Logits) -> None:
        self._answers = {False: logits, True: mirrored}

    def run(self, crops: npt.NDArray[np.uint8]) -> tuple[Logits, ...]:
        answers = []
        for crop in crops:
            is_mirrored = not crop[0, 0].any()
            low, high, _ = (int(value) for value in crop[0, -1 if is_mirrored else 0])
            answers.append(self._answers[is_mirrored][low + 256 * high])
        return (np.array(answers, np.float32)[:, np.newaxis],)


def numbered(count: int) -> npt.NDArray[np.uint8]:
    """Crops that `Fixed` knows."""
    crops = np.zeros((count, 8, 8, 3), np.uint8)
    for number, crop in enumerate(crops):
        crop[0, 0] = number % 256, number // 256, 1
    return crops


def entry_with(slope: float, bias: float, threshold: float) -> ModelEntry:
    return ModelEntry(
        *("a", "00", 1, (8, 8, 3), "uint8", "RGB", "square", "female", "male"),
        calibration=Calibration(slope, bias),
        threshold=threshold,
        license="Apache-2.0",
        measured={"elsewhere": {"n": 3}, "held_out": {"n": 1, "accuracy": 0.0}},
    )


def completed(
    entry: ModelEntry, logits: Logits, positive: Labels, mirrored: Logits | None = None
) -> tuple[ModelEntry, str | None]:
    runtime = Fixed(logits, logits if mirrored is None else mirrored)
    return calibration.calibrate_entry(entry, runtime, numbered(len(logits)), positive)


def test_calibration_changes_only_its_fields_of_the_entry() -> None:
    logits, positive = drawn(2.0, -0.5, 2000)
    entry = entry_with(1.0, 0.0, 0.5)
    done, kept = completed(entry, logits, positive)
    assert kept is None
    assert done.calibration == calibration.fit_platt_scaling(logits, positive)
    confidence = compute_confidences(logits, done.calibration)
    assert done.threshold == calibration.choose_threshold(
        confidence, calibration.CLASSIFIED_FRACTION
    )
    assert done.tta_threshold == calibration.TTA_THRESHOLD
    scores = done.calibration.slope * logits + done.calibration.bias
    accuracy = round(float(np.mean((scores >= 0) == positive)), 4)
    assert done.measured == {
        "elsewhere": {"n": 3},
        "held_out": {"n": 2000, "accuracy": accuracy},
    }
    same = done._replace(
        calibration=entry.calibration,
        threshold=entry.threshold,
        tta_threshold=0.0,
        measured=entry.measured,
    )
    assert same == entry


def test_test_time_augmentation_is_part_of_the_fit() -> None:
    logits, positive = drawn(1.0, 0.0, 3000)
    mirrored, _ = drawn(1.0, 0.0, 3000)
    mirrored = (logits + np.roll(mirrored, 1)).astype(np.float32)
    done, _ = completed(entry_with(1.0, 0.0, 0.5), logits, positive, mirrored)
    doubtful = compute_confidences(logits, done.calibration) < calibration.TTA_THRESHOLD
    assert 100 < doubtful.sum() < 2900
    averaged_logits = np.where(doubtful, (logits + mirrored) / 2, logits)
    exact = calibration.fit_platt_scaling(averaged_logits, positive)
    assert done.calibration.slope == pytest.approx(exact.slope, abs=0.01)
    assert done.calibration.bias == pytest.approx(exact.bias, abs=0.01)
    assert done.calibration != calibration.fit_platt_scaling(logits, positive)
    accuracy = np.mean(
        (done.calibration.slope * averaged_logits + done.calibration.bias >= 0) == positive
    )
    assert done.measured["held_out"]["accuracy"] == round(float(accuracy), 4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("females", "males", "reason"),
    [
        (0, 0, "0 held-out crops, at least 100 are required"),
        (1, 0, "1 held-out crop, at least 100 are required"),
        (50, 49, "99 held-out crops, at least 100 are required"),
        (400, 19, "19 held-out crops of one gender, at least 20 are required"),
        (0, 200, "0 held-out crops of one gender, at least 20 are required"),
        (80, 20, None),
    ],
)
def test_too_few_crops_keep_the_calibration(females: int, males: int, reason: str | None) -> None:
    positive = np.arange(females + males) < females
    logits = np.where(positive, 2, -2).astype(np.float32)
    logits[: females // 2] = -0.5
    entry = entry_with(1.3, 0.4, 0.7)
    done, kept = completed(entry, logits, positive)
    assert kept == reason
    if reason is None:
        assert done.calibration != entry.calibration
        return
    assert (done.calibration, done.threshold) == (entry.calibration, entry.threshold)
    assert done.tta_threshold == 0
    if females + males == 0:
        assert done.measured == {"elsewhere": {"n": 3}}
        return
    accuracy = round((females - females // 2 + males) / (females + males), 4)
    assert done.measured["held_out"] == {"n": females + males, "accuracy": accuracy}


def test_logits_of_the_wrong_sign_keep_the_calibration() -> None:
    logits, positive = drawn(-2.0, 0.0, 2000)
    entry = entry_with(1.3, 0.4, 0.7)
    done, kept = completed(entry, logits, positive)
    assert kept is not None
    assert "larger logit" in kept
    assert (done.calibration, done.threshold) == (entry.calibration, entry.threshold)
    assert done.tta_threshold == 0
    assert done.measured["held_out"]["accuracy"] < 0.5
