"""Previews are drawn in worker processes, which may crash."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest
from PIL import Image

from image_gender_classifier.errors import GenderClassifierError, Unfinished
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs import preview
from image_gender_classifier.results import Preview
from image_gender_classifier.review.previewer import Previewer
from image_gender_classifier.review.previews import MISSING, draw_all


def test_draws_each_picture_in_order_or_says_why_not(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    files = ["rocket.jpg", "gone.jpg", "broken.jpg", "astronaut.jpg", "rocket.jpg"]
    rocket, gone, broken, astronaut, again = draw_all(folder, files, 2)
    assert (rocket.width, rocket.height, rocket.message) == (640, 427, None)
    assert rocket == again
    pixels = cv2.imdecode(np.frombuffer(astronaut.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (256, 256, 3)
    assert (gone.message, gone.picture) == (MISSING, "")
    assert broken.jpeg == b""
    assert broken.picture.startswith("image:")
    assert broken.message is not None


def test_a_rotated_picture_is_upright_and_a_small_one_keeps_its_size(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20), "red").save(tmp_path / "turned.jpg", exif=exif)
    (turned,) = draw_all(tmp_path, ["turned.jpg"], 1)
    assert (turned.width, turned.height) == (20, 40)
    pixels = cv2.imdecode(np.frombuffer(turned.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.shape == (40, 20, 3)


def test_a_picture_that_crashes_the_decoder_costs_only_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = preview.draw_file

    def crash_at_cat(path: Path, side: int, limits: Limits) -> Preview:
        return os.abort() if path.name == "cat.jpg" else draw(path, side, limits)

    monkeypatch.setattr(preview, "draw_file", crash_at_cat)  # the workers are forked from here
    astronaut, cat, rocket = draw_all(folder, ["astronaut.jpg", "cat.jpg", "rocket.jpg"], 2)
    assert astronaut.jpeg and rocket.jpeg
    assert cat.message is not None
    assert "crashed" in cat.message


def test_the_previewer_serves_both_sizes(folder: Path) -> None:
    with Previewer(folder, 1) as previewer:
        small, large = (previewer.draw("astronaut.jpg", side) for side in (64, 300))
        assert previewer.draw("../astronaut.jpg", 64).message == MISSING
    assert [_measure_height(one.jpeg) for one in (small, large)] == [64, 300]
    assert small.picture == large.picture


def test_a_fault_of_the_workers_costs_only_the_previews_that_wait_for_them(folder: Path) -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("the kernel does not list the children of processes")
    before = set(children.read_text().split())
    with Previewer(folder, 1) as previewer:
        (first,) = set(children.read_text().split()) - before
        os.kill(int(first), signal.SIGKILL)  # as if memory were short
        with pytest.raises(Unfinished, match="before its first picture"):
            previewer.draw("astronaut.jpg", 64)
        assert _measure_height(previewer.draw("astronaut.jpg", 64).jpeg) == 64


def test_previews_that_wait_at_the_end_are_answered(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4000, 4000), np.uint8)
    cv2.imwrite(str(folder / "slow.png"), pixels)
    answered: list[str] = []

    def draw(file: str) -> None:
        with suppress(GenderClassifierError):
            previewer.draw(file, 64)
        answered.append(file)

    with Previewer(folder, 1) as previewer:
        previewer.draw("astronaut.jpg", 64)
        threads = []
        for file in ("slow.png", "astronaut.jpg"):
            threads.append(Thread(target=draw, args=(file,), daemon=True))
            threads[-1].start()
            time.sleep(0.02)  # the first is being drawn, the second waits
    for thread in threads:
        thread.join(30)
    assert sorted(answered) == ["astronaut.jpg", "slow.png"]


def _measure_height(jpeg: bytes) -> int:
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return int(pixels.shape[0])
