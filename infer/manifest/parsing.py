"""Parses and serialises the entries of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from image_gender_classifier.manifest.schema import (
    INPUT_STEP,
    Calibration,
    CascadeEntry,
    Entry,
    FaceDetectorEntry,
    FaceOutput,
    FaceRefinerEntry,
    Float32Variant,
    FrameOutput,
    ModelEntry,
    SearchLogits,
)
from image_gender_classifier.results import BinaryGender

Fields = Mapping[str, Any]
"""An entry of the manifest as a JSON object."""

_NESTED = (Calibration, FaceOutput, Float32Variant, FrameOutput, SearchLogits)
_TEXTS = ("sha256", "detector", "framing", "colour_order", "input_dtype", "license", "source")
_MOST_SCALE = 100  # ratio of sides: far more than any detector has
_LARGEST_INPUT = 4096  # pixels; more than a working copy has
_CASCADE_NUMBERS = ("smallest_face", "scale_factor", "frame_scale", "frame_shift_y")
_LEAST_SCALE_FACTOR = 1.01  # a search with smaller steps takes seconds for a picture
_FURTHER_THRESHOLDS = ("second_threshold", "turned_threshold")
_REFINER_NUMBERS = (
    *("margin", "candidate_weight", "lowest", "screened", "screened_turned", "surest"),
    "tile_weight",
)


def parse_model(file: str, fields: Fields) -> ModelEntry:
    """Parses the entry of a gender classifier and returns it.

    Args:
        file: Name of the model file.
        fields: The entry as a JSON object.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, OverflowError: A field is missing, has the
            wrong type or is out of range.
    """
    values = _parse_network_fields(fields)
    numbers = {name: float(value) for name, value in values["calibration"].items()}
    values["calibration"] = Calibration(**numbers)
    if not (all(map(isfinite, numbers.values())) and values["calibration"].slope > 0):
        raise ValueError("the calibration must be finite, with a positive slope")
    values["tta_threshold"] = float(values.get("tta_threshold", 0))
    if not 0 <= values["tta_threshold"] <= 1:
        raise ValueError("tta_threshold must be between 0 and 1")
    if {values["positive"], values["negative"]} != set(get_args(BinaryGender)):
        raise ValueError("positive and negative must be female and male")
    if "face_output" in values:
        values["face_output"] = _parse_face_output(values["face_output"])
    if "frame_output" in values:
        values["frame_output"] = _parse_frame_output(values["frame_output"])
    return ModelEntry(file=file, **values)


def parse_cascade(file: str, fields: Fields) -> CascadeEntry:
    """Parses the entry of a cascade and returns it.

    Arguments and exceptions are those of `parse_model`.
    """
    values = _without_task(fields)
    for name, least, most in (("longest_side", 1, _LARGEST_INPUT), ("min_neighbors", 0, 1000)):
        if type(values[name]) is not int or not least <= values[name] <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most:,}")
    for name in _CASCADE_NUMBERS:
        values[name] = float(values[name])
        if not isfinite(values[name]):
            raise ValueError(f"{name} must be finite")
    if not 0 < values["smallest_face"] <= 1:
        raise ValueError("smallest_face must be greater than 0 and at most 1")
    if not _LEAST_SCALE_FACTOR <= values["scale_factor"] <= _MOST_SCALE:
        raise ValueError(f"scale_factor must be from {_LEAST_SCALE_FACTOR} to {_MOST_SCALE}")
    _check_scale("frame_scale", values["frame_scale"])
    return CascadeEntry(file=file, **values)


def parse_face_detector(file: str, fields: Fields) -> FaceDetectorEntry:
    """Parses the entry of a face detector network and returns it.

    Arguments and exceptions are those of `parse_model`.
    """
    values = _parse_network_fields(fields)
    values["candidate_threshold"] = float(values["candidate_threshold"])
    if not 0 <= values["candidate_threshold"] <= values["threshold"]:
        raise ValueError("candidate_threshold must be between 0 and threshold")
    for name in _FURTHER_THRESHOLDS:
        if values.get(name) is not None:
            values[name] = float(values[name])
            if not values["candidate_threshold"] <= values[name] <= 1:
                raise ValueError(f"{name} must be between candidate_threshold and 1")
    values["smallest_face"] = float(values["smallest_face"])
    if not 0 < values["smallest_face"] <= 1:
        raise ValueError("smallest_face must be greater than 0 and at most 1")
    values["frame_scale"] = float(values["frame_scale"])
    _check_scale("frame_scale", values["frame_scale"])
    if values.get("largest_input") is not None:
        _check_largest_input(values["largest_input"], values["input_shape"][0])
    values["search"] = SearchLogits(**_parse_numbers("search", values["search"]))
    return FaceDetectorEntry(file=file, **values)


def _check_largest_input(largest: object, usual: int) -> None:
    """Checks `largest_input`; raises `ValueError` if it is invalid."""
    allowed = range(usual, _LARGEST_INPUT + 1)
    if type(largest) is not int or largest not in allowed or largest % INPUT_STEP:
        raise ValueError(
            f"largest_input must be a multiple of {INPUT_STEP} from {usual} to {_LARGEST_INPUT:,}"
        )


def parse_face_refiner(file: str, fields: Fields) -> FaceRefinerEntry:
    """Parses the entry of a face refiner network and returns it.

    Arguments and exceptions are those of `parse_model`.
    """
    values = _parse_shapes(fields)
    for name in _REFINER_NUMBERS:
        values[name] = float(values[name])
        if not isfinite(values[name]):
            raise ValueError(f"{name} must be finite")
    _check_scale("margin", values["margin"])
    if values["lowest"] > values["surest"]:
        raise ValueError("lowest must be at most surest")
    return FaceRefinerEntry(file=file, **values)


def format_entry(task: str, entry: Entry) -> dict[str, Any]:
    """Serialises an entry to a JSON object; the inverse of `parse_model` and the other parsers.

    Args:
        task: Value of the field `task`.
        entry: The entry. Its file name is omitted, because it is the entry's key in the manifest.
    """
    fields = {
        name: value._asdict() if isinstance(value, _NESTED) else value
        for name, value in entry._asdict().items()
        if value is not None and name != "file"
    }
    return {"task": task, **fields}


def _without_task(fields: Fields) -> dict[str, Any]:
    """Returns a copy of the fields without `task`; raises `ValueError` if a text is none."""
    values = {key: value for key, value in fields.items() if key != "task"}
    for name in _TEXTS:
        if not isinstance(values.get(name, ""), str):
            raise ValueError(f"{name} must be a text")
    return values


def _check_scale(name: str, value: float) -> None:
    """Checks a ratio of sides; raises `ValueError` if it is out of range."""
    if not 0 < value <= _MOST_SCALE:
        raise ValueError(f"{name} must be greater than 0 and at most {_MOST_SCALE}")


def _parse_network_fields(fields: Fields) -> dict[str, Any]:
    """Checks the fields common to networks with a threshold; returns a converted copy of all."""
    values = _parse_shapes(fields)
    values["threshold"] = float(values["threshold"])
    if not 0 <= values["threshold"] <= 1:
        raise ValueError("threshold must be between 0 and 1")
    return values


def _parse_shapes(fields: Fields) -> dict[str, Any]:
    """Checks the fields common to all networks; returns a converted copy of all fields."""
    values = _without_task(fields)
    height, width, channels = values["input_shape"]
    values["input_shape"] = (int(height), int(width), int(channels))
    if "float32_variant" in values:
        values["float32_variant"] = _parse_variant(values["float32_variant"])
    return values


def _parse_variant(fields: Fields) -> Float32Variant:
    """Parses `float32_variant`; raises `TypeError` or `ValueError` if it is invalid."""
    variant = Float32Variant(**fields)
    name = variant.file
    if not (isinstance(name, str) and name and "\0" not in name and Path(name).name == name):
        raise ValueError("float32_variant.file must be a file name without a folder")
    return variant


def _parse_face_output(fields: Fields) -> FaceOutput:
    """Parses `face_output`; raises `TypeError` or `ValueError` if it is invalid."""
    output = FaceOutput(**_parse_numbers("face_output", fields))
    if not 0 <= output.lowest <= output.surest <= 1:
        raise ValueError("lowest and surest of face_output must be between 0 and 1, in this order")
    return output


def _parse_frame_output(fields: Fields) -> FrameOutput:
    """Parses `frame_output`; raises `TypeError` or `ValueError` if it is invalid."""
    return FrameOutput(**_parse_numbers("frame_output", fields))


def _parse_numbers(name: str, fields: Fields) -> dict[str, float]:
    """Converts the values of the nested field `name`; raises `ValueError` if one is not finite."""
    numbers = {key: float(value) for key, value in fields.items()}
    if not all(map(isfinite, numbers.values())):
        raise ValueError(f"the numbers of {name} must be finite")
    return numbers
