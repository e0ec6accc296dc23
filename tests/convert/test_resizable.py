"""Networks for inputs of any size give the outputs of those for one size."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("keras")
import keras

from image_gender_classifier.convert.resizable import make_resizable
from image_gender_classifier.train.detector import network


@pytest.mark.parametrize("name", [network.SMALL, network.LITE0])
def test_a_resizable_network_has_the_same_outputs(name: str) -> None:
    keras.utils.set_random_seed(5)
    models = {
        size: network.make_inference_detector(
            network.build_detector_network(name, False, size), name
        )
        for size in (64, 96)
    }
    models[96].set_weights(models[64].get_weights())
    resizable = make_resizable(models[64])
    random = np.random.default_rng(0)
    for size, fixed in models.items():
        pixels = random.integers(0, 256, (2, size, size, 3)).astype(np.float32)
        expected, found = (model.predict_on_batch(pixels) for model in (fixed, resizable))
        for output in (network.HEAT, network.BOX):
            assert np.ptp(expected[output]) > 0
            np.testing.assert_allclose(found[output], expected[output], rtol=1e-4, atol=1e-5)
    wide = resizable.predict_on_batch(np.zeros((1, 32, 96, 3), np.float32))
    assert wide[network.HEAT].shape == (1, 4, 12, 1)
