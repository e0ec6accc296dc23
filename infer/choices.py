"""What a user may choose about how pictures are judged; free of anything heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

RuntimeChoice = Literal["auto", "tflite", "onnx"]
DetectorChoice = Literal["cascade", "none"]


@dataclass(frozen=True, slots=True)
class Choices:
    """How pictures are judged.

    Attributes:
        model: Path of a model file beside its manifest, or None for the shipped one.
        runtime: Which runtime runs it; `auto` takes LiteRT, or ONNX Runtime without it.
        detector: `cascade` searches each picture for a face; `none` takes each picture as a face
            crop.
        threshold: Confidence below which a verdict is `uncertain`, or None for the manifest's.
        all_faces: Judge every face found, not only the main one.
    """

    model: str | None = None
    runtime: RuntimeChoice = "auto"
    detector: DetectorChoice = "cascade"
    threshold: float | None = None
    all_faces: bool = False
