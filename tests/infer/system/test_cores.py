"""Workers for the cores that this process may use."""

from __future__ import annotations

import os

from image_gender_classifier.system.cores import cores


def test_cores_are_those_that_may_be_used() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
