"""The file of `--corrections` of a watched folder, which other programs replace meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from image_gender_classifier.cli.watched_corrections import WatchedCorrections
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS

KEPT = "the corrections that were read before stay in use"


@pytest.mark.parametrize(
    ("replace", "reason"),
    [
        (os.mkfifo, "cannot be read (not a regular file)"),
        (Path.mkdir, "cannot be read (not a regular file)"),
        (lambda path: path.symlink_to(path), "cannot be read any more"),  # an endless link
    ],
    ids=["pipe", "folder", "link"],
)
def test_something_else_in_its_place_is_reported_once_and_never_waited_for(
    replace: Callable[[Path], None],
    reason: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("file,gender\na.jpg,male\n")
    watched = WatchedCorrections(path, tmp_path, DEFAULT_LIMITS)
    path.rename(tmp_path / "moved.csv")
    replace(path)
    assert not any(watched.refresh() for _ in range(4))
    assert capfd.readouterr().err.count(f"{path}: {reason}; {KEPT}") == 1
    assert watched.corrections.has_row("a.jpg")
    path.rename(tmp_path / "other")
    path.write_text("file,gender\na.jpg,female\nb.jpg,male\n")
    assert [watched.refresh() for _ in range(3)] == [set(), {"a.jpg", "b.jpg"}, set()]
