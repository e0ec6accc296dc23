"""The file of `--corrections` of a watched folder, which other programs replace meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from image_gender_classifier.cli.watched_corrections import WatchedCorrections
from image_gender_classifier.imaging.limits import DEFAULT_LIMITS

GONE = "cannot be read any more; the corrections that were read before stay in use"


@pytest.mark.parametrize(
    "replace",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)],
    ids=["pipe", "folder", "endless link"],
)
def test_something_else_in_its_place_is_reported_once_and_never_waited_for(
    replace: Callable[[Path], None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text("file,gender\na.jpg,male\n")
    watched = WatchedCorrections(path, tmp_path, DEFAULT_LIMITS)
    path.rename(tmp_path / "moved.csv")
    replace(path)
    assert not any(watched.refresh() for _ in range(4))
    assert capfd.readouterr().err.count(f"{path}: {GONE}") == 1
    assert watched.corrections.has_row("a.jpg")
    path.rename(tmp_path / "other")
    path.write_text("file,gender\na.jpg,female\nb.jpg,male\n")
    assert [watched.refresh() for _ in range(3)] == [set(), {"a.jpg", "b.jpg"}, set()]


def test_a_pipe_is_read_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As `--corrections <(COMMAND)` gives one."""
    reader, writer = os.pipe()
    os.write(writer, b"file,gender\na.jpg,male\n")
    os.close(writer)
    watched = WatchedCorrections(Path(f"/dev/fd/{reader}"), tmp_path, DEFAULT_LIMITS)
    assert not any(watched.refresh() for _ in range(4))
    assert watched.corrections.has_row("a.jpg")
    assert capfd.readouterr().err == ""
    os.close(reader)
