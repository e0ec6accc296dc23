"""`--summary json`: the counts of a run for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_the_summary_is_one_json_object(
    quiet: tuple[str, ...], command: Command, folder: Path, out: Path
) -> None:
    (folder / "bad.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture")
    options = ("-i", folder, "-o", out, "--summary", "json", "--resume", *quiet)
    first, second = command(*options), command(*options)
    assert (first.returncode, second.returncode) == (1, 0)
    values = json.loads(first.stdout)
    assert first.stdout.count("\n") == 1
    assert values.pop("seconds") > 0
    assert values == {
        **{"pictures": 4, "female": 1, "male": 0, "uncertain": 0, "no_face": 2, "unreadable": 1},
        **{"reviewed": 0, "internal_errors": 0, "kept": 0, "newly_unreadable": 1, "ignored": 1},
        **{"not_written": 0, "unreadable_folders": 0, "unreadable_files": 0},
    }
    again = json.loads(second.stdout)
    assert (again["kept"], again["newly_unreadable"]) == (4, 0)


def test_a_run_that_does_not_end_has_no_summary(command: Command, folder: Path, out: Path) -> None:
    refused = command("-i", folder, "-o", out, "--summary", "json", "--watch")
    assert refused.returncode == 2
    assert "--summary cannot be used with --watch" in refused.stderr
