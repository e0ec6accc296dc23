"""Times one crop through each network, turn by turn: `network ROUNDS STEM [PEER.onnx]`.

STEM names our model without its ending. Prints as JSON the seconds a crop of each round, by
network: `tflite` and `onnx`, each once more with ` twice` for a crop that is looked at twice, and
`peer`. All run on one thread, the peer's with every optimisation of ONNX Runtime.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from image_gender_classifier import manifest
from image_gender_classifier.classification.classifier import Classifier
from image_gender_classifier.errors import RuntimeMissing
from image_gender_classifier.runtimes import registry as runtimes
from image_gender_classifier.runtimes.networks import open_network

_CALLS = 10  # a round: long against the clock, short against what else the machine does
_WARM_UP = 20
Call = Callable[[], object]


def our_call(path: Path, tta_threshold: float) -> Call:
    """One crop through one of our files, as it is judged in use."""
    entry = manifest.find_model(path)._replace(tta_threshold=tta_threshold)
    runtime = runtimes.for_format(entry.format)[0].name
    classifier = Classifier(open_network(runtime, path.parent, entry), entry)
    crop = np.random.default_rng(1).integers(0, 256, (1, *entry.input_shape), np.uint8)
    return lambda: classifier.probabilities(crop)


def peer_call(path: Path) -> Call:
    """One crop through the peer's file, in its form and scaled as it wants it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (details,) = session.get_inputs()
    _, *shape = details.shape
    crop = np.random.default_rng(1).uniform(-0.5, 0.5, (1, *shape)).astype(np.float32)
    return lambda: session.run(None, {details.name: crop})


def open_calls(stem: Path, peer: Path | None) -> dict[str, Call]:
    """Opens every network that there is a runtime for."""
    calls: dict[str, Call] = {}
    for name, runtime in runtimes.RUNTIMES.items():
        try:
            path = stem.with_name(f"{stem.name}.{runtime.format}")
            calls[name] = our_call(path, tta_threshold=0.0)
            calls[f"{name} twice"] = our_call(path, tta_threshold=1.0)
        except RuntimeMissing:
            continue
    if peer is not None:
        calls["peer"] = peer_call(peer)
    return calls


def timed(call: Call) -> float:
    """Seconds of one call in a round, by this thread's clock: it does all the work."""
    started = time.thread_time()
    for _ in range(_CALLS):
        call()
    return (time.thread_time() - started) / _CALLS


def main() -> None:
    """Times the networks."""
    rounds, stem, *peer = sys.argv[1:]
    calls = open_calls(Path(stem), Path(peer[0]) if peer else None)
    for call in calls.values():
        for _ in range(_WARM_UP):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(int(rounds)):
        for name, call in calls.items():
            times[name].append(timed(call))
    json.dump(times, sys.stdout)


if __name__ == "__main__":
    main()
