"""Sandboxes hide files that inference libraries read; the predictions stay the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# As systemd does with `ProcSubset=pid`.
WITHOUT_CPU_INFO = (
    *("unshare", "--map-root-user", "--mount", "--pid", "--fork"),
    *("sh", "-c", 'mount -t proc -o subset=pid proc /proc && exec "$@"', "sh"),
)


def can_hide() -> bool:
    if shutil.which("unshare") is None:
        return False
    test = [*WITHOUT_CPU_INFO, "test", "!", "-e", "/proc/cpuinfo"]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_hide(), reason="this system forbids namespaces, or lacks unshare")
@pytest.mark.parametrize("runtime", ["tflite", "onnx"])
def test_the_same_predictions_without_proc_cpuinfo(
    runtime: str, samples: Path, tmp_path: Path
) -> None:
    pytest.importorskip({"tflite": "ai_edge_litert", "onnx": "onnxruntime"}[runtime])
    written: list[dict[str, bytes]] = []
    for sandbox in ((), WITHOUT_CPU_INFO):
        output = tmp_path / str(len(written))
        output.mkdir()
        command = [sys.executable, "-m", "image_gender_classifier", "--runtime", runtime]
        subprocess.run([*sandbox, *command, "-i", samples, "-o", output], check=True)
        written.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert len(written[0]) == len(list(samples.glob("*.jpg")))
    assert written[0] == written[1]
