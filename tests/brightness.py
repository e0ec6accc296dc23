"""A network whose logit is the brightness of a crop, and labelled pictures for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from model_entries import write_manifest

SIDE = 16
GAIN = 8.0
Row = tuple[str, str, str, bool]  # age, gender, race and whether the picture is bright


def make_onnx(folder: Path, gain: float = GAIN, **changes: Any) -> Path:
    """Writes the network, whose logit goes from -gain to gain, with the changes to its entry."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, kind = onnx.helper, onnx.TensorProto
    numbers = {"middle": 128.0, "gain": gain / 128}
    graph = make.make_graph(
        [
            make.make_node("Cast", ["pixels"], ["numbers"], to=kind.FLOAT),
            make.make_node("ReduceMean", ["numbers"], ["mean"], axes=[1, 2, 3], keepdims=0),
            make.make_node("Sub", ["mean", "middle"], ["centred"]),
            make.make_node("Mul", ["centred", "gain"], ["logit"]),
        ],
        "brightness",
        [make.make_tensor_value_info("pixels", kind.UINT8, [1, SIDE, SIDE, 3])],
        [make.make_tensor_value_info("logit", kind.FLOAT, [1])],
        [make.make_tensor(name, kind.FLOAT, [1], [value]) for name, value in numbers.items()],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    path = folder / "tiny.onnx"
    path.write_bytes(model.SerializeToString())
    return write_manifest(path, SIDE, **changes)


def write_picture(path: Path, bright: bool, seed: int = 0) -> None:
    """Writes noise, bright or dark."""
    noise = np.random.default_rng(seed).integers(0, 50, (40, 44, 3), np.uint8)
    assert cv2.imwrite(str(path), noise + np.uint8(200 if bright else 10))


def write_fairface(root: Path, rows: Sequence[Row]) -> Path:
    """Writes a validation part in the layout of FairFace, a picture for each row."""
    (root / "val").mkdir(parents=True)
    lines = ["file,age,gender,race,service_test"]
    for number, (age, gender, race, bright) in enumerate(rows):
        write_picture(root / "val" / f"{number}.png", bright, number)
        lines.append(f"val/{number}.png,{age},{gender},{race},True")
    (root / "fairface_label_val.csv").write_text("\n".join(lines) + "\n")
    return root
