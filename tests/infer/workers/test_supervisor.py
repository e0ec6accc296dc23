"""A picture that crashes a worker affects no other prediction."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from image_gender_classifier import api, pipeline
from image_gender_classifier.engine import Engine
from image_gender_classifier.errors import (
    GenderClassifierError,
    InternalError,
    ModelError,
    RuntimeMissing,
    Unfinished,
)
from image_gender_classifier.imaging import decoding
from image_gender_classifier.imaging.decoding import decode as images_decode
from image_gender_classifier.imaging.picture import Picture
from image_gender_classifier.manifest.cache_key import make_unreadable_prediction
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.results import Prediction
from image_gender_classifier.settings import Settings
from image_gender_classifier.workers import worker
from image_gender_classifier.workers.channel import encode
from image_gender_classifier.workers.exit_status import INTERNAL_ERROR_CODE
from image_gender_classifier.workers.messages import (
    Answer,
    Ended,
    Fork,
    ForkFailed,
    Ready,
    Task,
    Unusable,
)
from image_gender_classifier.workers.supervisor import Outcome, Supervisor

pytestmark = pytest.mark.slow

TASK = Task(Settings(), 2)
NO_SEARCH = Settings(detector="none")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
CRASH, HANG, STOPPED, KILLED, EXIT = b"crash", b"hang", b"stopped", b"killed", b"exit"
SLOW, SLOWER, GREEDY = b"slow", b"slower", b"greedy"
UNKNOWN_ERROR = b"unknown error"
CLOSED, DRIPPING = b"closed", b"dripping"


def framed(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


# What a compromised decoder sends, by the end of the picture.
UNASKED = make_unreadable_prediction("001.jpg", "not asked for", "")
NONSENSE = {
    b"nested": framed(b"[" * 10**6),
    b"wrongly typed": framed(b'["Answer", 0, [1, 2], null, [null, null], {}]'),
    b"another kind": encode(Fork((0,))),
    b"no JSON": framed(b"\xff\xfe"),
    b"too long": b"\xff" * 2**10,
    b"another number": encode(Answer(9, UNASKED)),
    b"neither": encode(Answer(1, None)),
    b"both": encode(Answer(1, UNASKED, "an error")),
    b"absurd time": encode(Answer(1, UNASKED, took=1e299)),
    b"absurd status": encode(Ended(0, 2**40)),
    b"ended": encode(Ended(0, 0)),
    b"fork failed": encode(ForkFailed((0,), "a lie")),
    b"ready": encode(Ready("another key")),
}


def _decode(data: bytes, *others: Any, **named: Any) -> Picture:
    """A decoder that crashes, hangs or misbehaves on request of the picture."""
    if data.endswith(CRASH):
        faulthandler.disable()  # that of pytest
        os.kill(os.getpid(), signal.SIGSEGV)
    if data.endswith(STOPPED):
        os.kill(os.getpid(), signal.SIGSTOP)
    if data.endswith(KILLED):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.endswith(EXIT):
        os._exit(3)
    if data.endswith(HANG):
        time.sleep(600)
    if data.endswith((CLOSED, DRIPPING)):
        signal.setitimer(signal.ITIMER_REAL, 0)  # as a compromised decoder could
        go_silent(closed=data.endswith(CLOSED))
    if data.endswith(SLOW):
        time.sleep(1)
    if data.endswith(GREEDY):
        bytearray(2**29 + (os.cpu_count() or 1) * 2**23)  # never written to
    if data.endswith(SLOWER):
        time.sleep(4)
    if data.endswith(UNKNOWN_ERROR):
        send_from_here(encode(Unusable("annotations", "a hostile text")))
    for ending, nonsense in NONSENSE.items():
        if data.endswith(ending):
            send_from_here(nonsense)
    return images_decode(data, *others, **named)


def send_from_here(data: bytes) -> None:
    """Writes to every pipe that this process can write to."""
    for file in Path("/dev/fd").iterdir():
        with suppress(OSError):
            if stat.S_ISFIFO(file.stat().st_mode):
                os.write(int(file.name), data)


def go_silent(closed: bool) -> None:
    """Closes all pipes, or sends a message that never ends."""
    pipes = [int(file.name) for file in Path("/dev/fd").iterdir()]
    for pipe in pipes:
        with suppress(OSError):
            if closed and stat.S_ISFIFO(os.fstat(pipe).st_mode):
                os.close(pipe)
    send_from_here((1000).to_bytes(4, "big"))
    while True:
        time.sleep(0.3)
        send_from_here(b"[")


@pytest.fixture
def bad_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "decode", _decode)  # workers are forked from this process


def pictures(folder: Path, samples: Path, endings: Sequence[bytes]) -> list[PictureFile]:
    """Writes copies of a real picture, each with some bytes appended."""
    data = (samples / "cat.jpg").read_bytes()
    listed = []
    for number, ending in enumerate(endings):
        name = f"{number:03}"
        (folder / f"{name}.jpg").write_bytes(data + ending)
        listed.append(PictureFile(f"{name}.jpg", f"{name}.xml"))
    return listed


def classified(listed: Sequence[PictureFile], folder: Path, task: Task = TASK) -> list[Outcome]:
    with Supervisor(task._replace(timeout=3.0)) as one:
        return list(one.classify(listed, folder))


def predicted(outcome: Outcome) -> Prediction:
    assert outcome.prediction is not None
    return outcome.prediction


def test_predictions_are_those_of_a_classifier_in_order(samples: Path) -> None:
    names = ("rocket", "astronaut", "cat")
    listed = [PictureFile(f"{name}.jpg", f"{name}.xml") for name in names]
    classifier = api.load()
    outcomes = classified(listed, samples)
    assert [outcome.picture for outcome in outcomes] == listed
    assert [outcome.prediction for outcome in outcomes] == [
        classifier.classify(samples / picture.file, picture.file) for picture in listed
    ]
    assert not any(outcome.kept for outcome in outcomes)


@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_crash_affects_one_prediction(workers: int, samples: Path, tmp_path: Path) -> None:
    endings = [b""] * 30
    endings[0] = endings[7] = endings[8] = endings[29] = CRASH
    listed = pictures(tmp_path, samples, endings)
    task = Task(NO_SEARCH, workers)
    outcomes = classified(listed, tmp_path, task)
    assert [outcome.picture for outcome in outcomes] == listed
    for outcome, ending in zip(outcomes, endings, strict=True):
        assert (predicted(outcome).status == "unreadable") == (ending == CRASH)
        assert predicted(outcome).run
    message = predicted(outcomes[7]).message or ""
    assert "crashed (SIGSEGV)" in message
    assert "save it again" in message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")
@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_decoder_cannot_take_all_memory(workers: int, samples: Path, tmp_path: Path) -> None:
    listed = pictures(tmp_path, samples, [b"", GREEDY, b""])
    task = Task(NO_SEARCH._replace(max_pixels=2**20, max_bytes=2**20), workers)
    outcomes = classified(listed, tmp_path, task)
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False]
    assert outcomes[1].unfinished
    assert "not enough memory" in (outcomes[1].error or "")


@pytest.mark.usefixtures("bad_decoder")
def test_an_exit_is_reported_as_such(samples: Path, tmp_path: Path) -> None:
    outcomes = classified(pictures(tmp_path, samples, [b"", EXIT, b"", b""]), tmp_path)
    statuses = [predicted(outcome).status for outcome in outcomes]
    assert [status == "unreadable" for status in statuses] == [False, True, False, False]
    assert "exit code 3" in (predicted(outcomes[1]).message or "")


@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (KILLED, "too little memory"),
        (HANG, "no result within"),
        (STOPPED, "no result within"),
    ],
)
def test_a_slow_machine_or_little_memory_is_not_a_fault_of_the_picture(
    ending: bytes, said: str, workers: int, samples: Path, tmp_path: Path
) -> None:
    listed = pictures(tmp_path, samples, [b"", ending, b"", b""])
    outcomes = classified(listed, tmp_path, Task(NO_SEARCH, workers, timeout=3.0))
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False, False]
    assert outcomes[1].unfinished
    assert said in (outcomes[1].error or "")


@pytest.mark.usefixtures("bad_decoder")
def test_a_hanging_worker_ends_even_if_its_parent_ignores_and_blocks_the_alarm(
    samples: Path, tmp_path: Path
) -> None:
    handler = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        listed = pictures(tmp_path, samples, [HANG, b"", b""])
        outcomes = classified(listed, tmp_path, Task(NO_SEARCH, 2))
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert [outcome.prediction is None for outcome in outcomes] == [True, False, False]


@needs_proc
@pytest.mark.parametrize("workers", [1, 2])
def test_idle_workers_that_are_killed_are_replaced(
    workers: int, samples: Path, tmp_path: Path
) -> None:
    listed = pictures(tmp_path, samples, [b""] * 3)
    with Supervisor(Task(NO_SEARCH, workers)) as one:
        for _ in range(2):
            outcomes = list(one.classify(listed, tmp_path))
            assert "unreadable" not in {predicted(outcome).status for outcome in outcomes}
            for process in below(os.getpid()):
                os.kill(process, signal.SIGKILL)


@needs_proc
def test_busy_workers_do_not_outlive_the_first_process(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise they would keep their memory, for lack of which the first process may be killed."""
    started = tmp_path / "started"
    classify = pipeline.classify

    def hang_once(picture: Picture, file: str, *others: Any) -> Prediction:
        if file == "001.jpg" and not started.exists():
            started.write_text(str(os.getpid()))
            time.sleep(600)
        return classify(picture, file, *others)

    monkeypatch.setattr(pipeline, "classify", hang_once)  # the workers are forked from here
    listed = pictures(tmp_path, samples, [b""] * 3)
    with Supervisor(Task(NO_SEARCH, 2, timeout=600)) as one:
        outcomes = one.classify(listed, tmp_path)
        next(outcomes)
        deadline = time.monotonic() + 60
        while not (started.exists() and started.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        (first,) = (process for process in below(os.getpid()) if below(process))
        os.kill(first, signal.SIGKILL)
        assert len(list(outcomes)) == 2
    busy = {int(started.read_text())}
    while running(busy) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not running(busy)


@needs_proc
def test_many_idle_workers_that_are_killed_are_replaced(samples: Path, tmp_path: Path) -> None:
    listed = pictures(tmp_path, samples, [b""] * 12)
    with Supervisor(Task(NO_SEARCH, 6)) as one:
        list(one.classify(listed, tmp_path))
        (first,) = (process for process in below(os.getpid()) if below(process))
        for process in below(first):
            os.kill(process, signal.SIGKILL)
        outcomes = list(one.classify(listed[:2], tmp_path))
        assert "unreadable" not in {predicted(outcome).status for outcome in outcomes}


@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("ending", [CLOSED, DRIPPING])
def test_a_worker_that_sends_no_complete_message_is_killed(
    ending: bytes, workers: int, samples: Path, tmp_path: Path
) -> None:
    listed = pictures(tmp_path, samples, [b"", ending, b""])
    with Supervisor(Task(NO_SEARCH, workers, timeout=1.0)) as one:
        outcomes = list(one.classify(listed, tmp_path))
    assert [outcome.prediction is None for outcome in outcomes] == [False, True, False]
    assert outcomes[1].unfinished


@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_slow_machine_has_a_longer_timeout(workers: int, samples: Path, tmp_path: Path) -> None:
    """The first picture takes half of the timeout, the others twice the timeout."""
    listed = pictures(tmp_path, samples, [SLOW, SLOWER, b""])
    outcomes = classified(listed, tmp_path, Task(NO_SEARCH, workers, timeout=2.0))
    assert "unreadable" not in {predicted(outcome).status for outcome in outcomes}


@needs_proc
@pytest.mark.parametrize("waits", ["idle", "listened to late"])
def test_waiting_does_not_count_towards_the_timeout(
    samples: Path, tmp_path: Path, waits: str
) -> None:
    task = Task(NO_SEARCH, 2, timeout=2.0, copies=True)
    listed = pictures(tmp_path, samples, [b""] * 12)

    def slowly() -> Iterator[PictureFile]:
        for picture in listed:
            if picture is listed[-1] and waits == "idle":
                time.sleep(4)
            yield picture

    with Supervisor(task) as one:
        outcomes: list[Outcome] = []
        processes: set[int] = set()
        for outcome in one.classify(slowly(), tmp_path):
            processes |= below(os.getpid())
            if not outcomes and waits == "listened to late":
                time.sleep(4)
            outcomes.append(outcome)
    assert len(outcomes) == 12
    assert "unreadable" not in {predicted(outcome).status for outcome in outcomes}
    assert len(processes) == 3


def test_a_worker_that_hangs_before_its_first_picture(
    monkeypatch: pytest.MonkeyPatch, samples: Path, tmp_path: Path
) -> None:
    fork, here = os.fork, os.getpid()

    def stuck() -> int:
        process = fork()
        if process == 0 and os.getppid() != here:
            time.sleep(600)
        return process

    monkeypatch.setattr(os, "fork", stuck)
    with Supervisor(Task(NO_SEARCH, 2, timeout=2.0)) as one:
        outcomes = list(one.classify(pictures(tmp_path, samples, [b""] * 6), tmp_path))
    assert len(outcomes) == 6
    assert "unreadable" not in {predicted(outcome).status for outcome in outcomes}


@pytest.mark.parametrize(("allowed", "left"), [(2, 2), (0, 1)])
def test_fewer_workers_if_the_system_refuses_to_fork(
    allowed: int, left: int, monkeypatch: pytest.MonkeyPatch, samples: Path, tmp_path: Path
) -> None:
    fork, here = os.fork, os.getpid()
    forked: list[int] = []

    def refuse() -> int:
        if os.getpid() != here:
            if len(forked) == allowed:
                raise BlockingIOError(11, "too many")
            forked.append(1)
        return fork()

    monkeypatch.setattr(os, "fork", refuse)
    listed = pictures(tmp_path, samples, [b""] * 40)
    said: list[str] = []
    with Supervisor(Task(NO_SEARCH, 4, timeout=20), warn=said.append) as one:
        outcomes = list(one.classify(listed, tmp_path))
    assert [outcome.picture for outcome in outcomes] == listed
    assert {predicted(outcome).status for outcome in outcomes} <= {"classified", "uncertain"}
    assert said == [f"only {left} of 4 workers could start (too many)"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("files", [98, 99, 100, 101])
def test_more_workers_than_the_limit_of_open_files_allows(files: int) -> None:
    program = (
        "import os, resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))\n"
        "from image_gender_classifier.settings import Settings\n"
        "from image_gender_classifier.errors import RuntimeMissing\n"
        "from image_gender_classifier.workers.supervisor import Supervisor\n"
        "from image_gender_classifier.workers.messages import Task\n"
        "before = os.listdir('/dev/fd')\n"
        "try:\n"
        "    Supervisor(Task(Settings(), 1000))\n"
        "except RuntimeMissing as error:\n"
        "    print(error)\n"
        "assert os.listdir('/dev/fd') == before\n"
    )
    said = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "Too many open files" in said
    assert "choose fewer" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes the size of a pipe")
def test_answers_that_an_ended_worker_left_in_a_large_pipe_are_used(
    monkeypatch: pytest.MonkeyPatch, samples: Path, tmp_path: Path
) -> None:
    open_pipe, tally = os.pipe, tmp_path / "tally"

    def open_large_pipe() -> tuple[int, int]:
        source, sink = open_pipe()
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 2**20)  # as with memory pages of 64 KiB
        return source, sink

    def decode(data: bytes, *others: Any, **named: Any) -> Picture:
        with tally.open("a") as lines:
            lines.write(f"{zlib.crc32(data)}\n")
        time.sleep(0.03)  # so that answers are not collected before they are sent
        return _decode(data, *others, **named)

    monkeypatch.setattr(os, "pipe", open_large_pipe)
    monkeypatch.setattr(decoding, "decode", decode)
    noise = np.random.default_rng(7).integers(0, 256, (280, 280, 3), np.uint8)
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    # Of two idle workers, the second one gets every second picture.
    endings = [b"", SLOW, *(b"%d" % number for number in range(2, 9)), CRASH]
    listed = pictures(tmp_path, samples, endings)
    for picture, ending in zip(listed, endings, strict=True):
        (tmp_path / picture.file).write_bytes(data + ending)
    with Supervisor(Task(NO_SEARCH, 2, timeout=20, copies=True)) as one:
        assert len(list(one.classify(listed[2:9], tmp_path))) == 7  # now both have started
        tally.unlink()
        outcomes = one.classify(listed, tmp_path)
        found = [next(outcomes)]
        time.sleep(3)  # the second worker fills its pipe and ends
        found += outcomes
    unreadable = [predicted(outcome).status == "unreadable" for outcome in found]
    assert unreadable == [ending == CRASH for ending in endings]
    decoded = tally.read_text().split()
    assert all(decoded.count(str(zlib.crc32(data + ending))) == 1 for ending in endings[3:8:2])


def test_few_pictures_are_shared_even_if_one_worker_starts_later(
    monkeypatch: pytest.MonkeyPatch, samples: Path, tmp_path: Path
) -> None:
    fork, here = os.fork, os.getpid()
    forked: list[int] = []
    tally = tmp_path / "tally"

    def fork_slowly() -> int:
        if os.getpid() != here:
            forked.append(1)
        process = fork()
        if process == 0 and len(forked) == 2:
            time.sleep(0.3)
        return process

    def decode_slowly(*given: Any, **named: Any) -> Picture:
        with tally.open("a") as lines:
            lines.write(f"{os.getpid()}\n")
        time.sleep(1)
        return images_decode(*given, **named)

    monkeypatch.setattr(os, "fork", fork_slowly)
    monkeypatch.setattr(decoding, "decode", decode_slowly)
    listed = pictures(tmp_path, samples, [b""] * 4)
    outcomes = classified(listed, tmp_path, Task(NO_SEARCH, 2))
    assert [outcome.picture for outcome in outcomes] == listed
    assert len(set(tally.read_text().split())) == 2


def test_known_pictures_are_not_classified(samples: Path, tmp_path: Path) -> None:
    listed = pictures(tmp_path, samples, [b""] * 12)
    known = {
        picture.file: Outcome(
            picture, make_unreadable_prediction(picture.file, "known", ""), kept=True
        )
        for picture in listed[::2]
    }
    with Supervisor(TASK) as one:
        outcomes = list(one.classify(listed, tmp_path, lambda picture: known.get(picture.file)))
    assert [outcome.picture for outcome in outcomes] == listed
    assert [outcome.kept for outcome in outcomes] == [True, False] * 6


def test_returns_the_cache_key_of_its_settings() -> None:
    with Supervisor(TASK) as one:
        assert one.cache_key == Engine.open(Settings()).cache_key


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (Task(Settings("/no/such.tflite"), 1), ModelError),
        (Task(Settings(threshold=7.0), 1), GenderClassifierError),
    ],
)
def test_errors_of_a_worker_are_raised_in_the_parent(task: Task, error: type[Exception]) -> None:
    with Supervisor(task) as one, pytest.raises(error):
        _ = one.cache_key


@pytest.mark.parametrize(
    ("end", "error", "why", "remedy"),
    [
        (signal.SIGSEGV, RuntimeMissing, r"crashed \(SIGSEGV\)", "another --runtime"),
        (signal.SIGKILL, Unfinished, "was killed", "free some memory"),
        (signal.SIGALRM, Unfinished, "took too long", "overloaded"),
        (INTERNAL_ERROR_CODE, InternalError, "exit code 70", "--debug"),
    ],
)
def test_workers_that_end_at_once_are_not_replaced_forever(
    end: int, error: type[Exception], why: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_at_once(*_: object) -> None:
        faulthandler.disable()  # that of pytest
        if isinstance(end, signal.Signals):
            os.kill(os.getpid(), end)
        os._exit(end)

    monkeypatch.setattr(worker, "main", end_at_once)
    with Supervisor(TASK) as one, pytest.raises(error, match=f"{why}.*{remedy}"):
        _ = one.cache_key


def below(process: int) -> set[int]:
    """Returns the descendants of a process."""
    parents: dict[int, int] = {}
    for process_stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, *_ = process_stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state != "Z":
            parents[int(process_stat.parent.name)] = int(parent)
    found: set[int] = set()
    while more := {one for one, parent in parents.items() if parent in found | {process}} - found:
        found |= more
    return found


def running(processes: set[int]) -> bool:
    return any(Path(f"/proc/{process}").exists() for process in processes)


@needs_proc
@pytest.mark.parametrize(("most", "processes"), [(0, 1), (1, 1), (2, 3), (9, 4)])
def test_no_more_workers_than_pictures(most: int, processes: int, samples: Path) -> None:
    with Supervisor(Task(NO_SEARCH, 3)) as one:
        one.limit(most)
        listed = [PictureFile(f"{name}.jpg", "x") for name in ("cat", "rocket")]
        assert len(list(one.classify(listed, samples))) == 2
        deadline = time.monotonic() + 60
        while len(below(os.getpid())) != processes and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(below(os.getpid())) == processes


@needs_proc
def test_the_workers_end_with_a_killed_command(samples: Path, tmp_path: Path) -> None:
    pictures(tmp_path, samples, [b""] * 12)
    program = (
        "from image_gender_classifier.scan import list_pictures\n"
        "from image_gender_classifier.workers.supervisor import Supervisor\n"
        "from image_gender_classifier.workers.messages import Task\n"
        "from image_gender_classifier.settings import Settings\n"
        "from pathlib import Path\n"
        "import sys, time\n"
        "with Supervisor(Task(Settings(), 3)) as one:\n"
        "    folder = Path(sys.argv[1])\n"
        "    assert len(list(one.classify(list_pictures(folder).pictures, folder))) == 12\n"
        "    print('done', flush=True)\n"
        "    time.sleep(60)\n"
    )
    started = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(started, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"done\n"
        processes = below(command.pid)
        os.kill(command.pid, signal.SIGKILL)
    assert len(processes) >= 3
    deadline = time.monotonic() + 60
    while running(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(processes)


@needs_proc
@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("ending", [CRASH, HANG])
def test_only_the_crashed_worker_is_replaced(ending: bytes, samples: Path, tmp_path: Path) -> None:
    listed = pictures(tmp_path, samples, [ending] + [b""] * 40)
    with Supervisor(Task(NO_SEARCH, 3, timeout=3.0)) as one:
        _ = one.cache_key
        outcomes = one.classify(listed, tmp_path)
        deadline = time.monotonic() + 60
        while len(before := below(os.getpid())) < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert (next(outcomes).prediction is None) == (ending == HANG)
        after = below(os.getpid())
        assert len(before & after) >= 2  # the process that loads, and a worker
        assert len(list(outcomes)) == 40


@pytest.mark.usefixtures("bad_decoder")
def test_an_error_of_an_unknown_class_is_reported_as_one_of_ours(
    samples: Path, tmp_path: Path
) -> None:
    listed = pictures(tmp_path, samples, [UNKNOWN_ERROR])
    with pytest.raises(GenderClassifierError, match="a hostile text"):
        classified(listed, tmp_path, Task(NO_SEARCH, 2))


@needs_proc
@pytest.mark.usefixtures("bad_decoder")
def test_a_hanging_worker_ends_after_its_command_is_killed(samples: Path, tmp_path: Path) -> None:
    listed = pictures(tmp_path, samples, [HANG, b""])
    command = os.fork()
    if command == 0:
        with Supervisor(Task(NO_SEARCH, 2, timeout=2.0)) as one:
            _ = one.cache_key
            next(one.classify(listed, tmp_path))
    while len(processes := below(command)) < 3:
        time.sleep(0.01)
    time.sleep(0.5)  # for the worker to read the picture
    os.kill(command, signal.SIGKILL)
    os.waitpid(command, 0)
    deadline = time.monotonic() + 60
    while running(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(processes)


@pytest.mark.usefixtures("bad_decoder")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sent", NONSENSE)
def test_a_worker_that_sends_invalid_messages_is_killed(
    sent: bytes, workers: int, samples: Path, tmp_path: Path
) -> None:
    listed = pictures(tmp_path, samples, [b"", sent, b"", b"", b"", b""])
    outcomes = classified(listed, tmp_path, Task(NO_SEARCH, workers))
    statuses = [outcome.prediction and predicted(outcome).status for outcome in outcomes]
    assert [status == "unreadable" for status in statuses] == [False, True] + [False] * 4


@pytest.mark.parametrize("debug", [False, True])
def test_a_traceback_reaches_the_terminal_on_request(
    debug: bool, monkeypatch: pytest.MonkeyPatch, samples: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(pipeline, "classify", fault)
    with Supervisor(Task(Settings(), 2, debug=debug)) as one:
        (outcome,) = one.classify([PictureFile("cat.jpg", "cat.xml")], samples)
    assert outcome.prediction is None
    assert outcome.error == "internal error (ZeroDivisionError: a bug)"
    assert ("in fault" in capfd.readouterr().err) == debug


def test_a_new_interpreter_has_the_same_predictions(samples: Path) -> None:
    listed = [PictureFile(f"{name}.jpg", f"{name}.xml") for name in ("astronaut", "cat")]
    with Supervisor(TASK, fork=False) as one:
        fresh = list(one.classify(listed, samples))
    assert fresh == classified(listed, samples)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's prctl")
def test_orphans_are_reaped_in_a_container(samples: Path, tmp_path: Path) -> None:
    """In a container, the command is process 1 and inherits all orphans."""
    pictures(tmp_path, samples, [CRASH] * 3)
    program = (
        "import ctypes, os, signal, sys\n"
        "from pathlib import Path\n"
        "from image_gender_classifier.imaging import decoding\n"
        "from image_gender_classifier.settings import Settings\n"
        "from image_gender_classifier.scan import list_pictures\n"
        "from image_gender_classifier.workers.supervisor import Supervisor\n"
        "from image_gender_classifier.workers.messages import Task\n"
        "decoding.decode = lambda *_, **__: os.kill(os.getpid(), signal.SIGSEGV)\n"
        "PR_SET_CHILD_SUBREAPER = 36\n"
        "assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0\n"
        "folder = Path(sys.argv[1])\n"
        "with Supervisor(Task(Settings(), 3, timeout=20)) as one:\n"
        "    assert len(list(one.classify(list_pictures(folder).pictures, folder))) == 3\n"
        "try:\n"
        "    print(os.waitpid(-1, os.WNOHANG))\n"
        "except ChildProcessError:\n"
        "    print('none')\n"
    )
    started = [sys.executable, "-c", program, str(tmp_path)]
    assert subprocess.check_output(started, text=True) == "none\n"


@needs_proc
def test_no_file_of_the_command_stays_open(samples: Path, tmp_path: Path) -> None:
    """Otherwise a lock would outlive a killed command."""
    with (tmp_path / "lock").open("wb"), Supervisor(Task(Settings(), 2)) as one:
        assert list(
            one.classify([PictureFile(f"{name}.jpg", "x") for name in ("cat", "rocket")], samples)
        )
        processes = below(os.getpid())
        assert len(processes) >= 2
        for process in processes:
            opened = {str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()}
            assert {name.partition(":")[0] for name in opened} == {"/dev/null", "pipe"}


def test_a_missing_null_device_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "devnull", str(tmp_path / "null"))  # the workers are forked from here
    with (
        pytest.raises(RuntimeMissing, match=r"null cannot be opened \(No such file"),
        Supervisor(Task(Settings(), 1)) as one,
    ):
        _ = one.cache_key
