"""Outputs, streams and signals that are lost or ignored during a run."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_runs import MANY, Command, Start, contents, ended, error_line


@pytest.mark.slow
def test_an_output_folder_deleted_during_the_run_ends_it(
    start: Start, many_pictures: Path, undisturbed: Path, out: Path
) -> None:
    running = start("-i", many_pictures, "-o", out)
    while running.poll() is None and not (out / "004.xml").exists():
        pass
    moved = out.rename(out.with_name("moved"))
    lost = ended(running)
    assert lost.returncode == 3
    assert "cannot be written" in error_line(lost)
    # Moved just before a file took its name, the folder keeps that file's part.
    found = contents(moved)
    written = {name: data for name, data in found.items() if not name.startswith(".igc-")}
    assert len(found) - len(written) <= 1
    assert written.items() <= contents(undisturbed).items()
    assert 5 <= len(written) < MANY
    assert not out.exists()


@pytest.mark.slow
def test_a_full_disk_ends_the_run(
    process: Command, many_pictures: Path, undisturbed: Path, small_disk: Path
) -> None:
    lost = process("-i", many_pictures, "-o", small_disk)
    assert lost.returncode == 3
    assert "No space left" in error_line(lost)
    written = contents(small_disk)
    assert 0 < len(written) < MANY
    assert written.items() <= contents(undisturbed).items()


def test_a_table_that_cannot_be_written_is_an_output_error(
    command: Command, folder: Path, out: Path
) -> None:
    lost = command("-i", folder, "-o", out, "--csv", "/proc/t.csv")  # has no new files
    assert lost.returncode == 3
    assert "t.csv: cannot be written" in error_line(lost)


@pytest.mark.parametrize(
    "redirection",
    ["2>&-", ">&-", ">&- 2>&-", "<&- >&- 2>&- --debug", "2>/dev/full", ">/dev/full"],
)
def test_closed_standard_streams_are_ignored(redirection: str, folder: Path, out: Path) -> None:
    (folder / "broken.png").write_bytes(b"broken")
    command = f'"$0" -m image_gender_classifier -i "$1" -o "$2" {redirection}'
    run = ["sh", "-c", command, sys.executable, str(folder), str(out)]
    reported = subprocess.run(run, check=False, capture_output=True, text=True)
    assert reported.returncode == 1
    assert "Traceback" not in reported.stderr and "Exception" not in reported.stderr
    assert len(contents(out)) == 4


def test_the_summary_has_the_rate_of_a_run_without_new_pictures(
    command: Command, folder: Path, out: Path
) -> None:
    for options in ((), ("--resume",)):
        done = command("-i", folder, "-o", out, *options)
        assert done.returncode == 0
        assert re.search(r"; [\d.]+ s, [\d.]+ pictures per second$", done.stdout.rstrip())


def test_an_early_interruption_prints_no_traceback() -> None:
    program = "import signal, image_gender_classifier.__main__; signal.raise_signal(signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.mark.slow
def test_ignored_signals_stay_ignored(
    start: Start, many_pictures: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        running = start("-i", many_pictures, "-o", out)
    finally:
        signal.signal(signal.SIGHUP, before)
    while not (out / "004.xml").exists():
        assert running.poll() is None
        time.sleep(0.001)
    running.send_signal(signal.SIGHUP)
    assert ended(running).returncode == 0
    assert len(list(out.glob("*.xml"))) == MANY


def test_workers_are_waited_for_even_if_sigchld_is_ignored(folder: Path, out: Path) -> None:
    program = (
        "import signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "from image_gender_classifier.cli.program import main; sys.exit(main())"
    )
    run = [sys.executable, "-c", program, "-i", str(folder), "-o", str(out)]
    done = subprocess.run(run, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
