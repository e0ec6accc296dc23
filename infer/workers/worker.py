"""The worker processes: the first one loads the libraries and models and forks the others.

Forked workers share the memory of the first process and start within milliseconds. They decode the
pictures, so a crash of a decoder ends only one of them. A single worker needs no fork: the first
process classifies the pictures itself.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NoReturn, cast

from image_gender_classifier.errors import GenderClassifierError, Unfinished, describe_bug
from image_gender_classifier.imaging.files import OUT_OF_MEMORY
from image_gender_classifier.system import memory, profiling
from image_gender_classifier.workers import classifying
from image_gender_classifier.workers.channel import Channel, encode
from image_gender_classifier.workers.exit_status import INTERNAL_ERROR_CODE
from image_gender_classifier.workers.isolation import (
    detach,
    print_traceback,
    silence_standard_streams,
)
from image_gender_classifier.workers.loaded import Answerer
from image_gender_classifier.workers.messages import (
    Answer,
    Ended,
    Fork,
    ForkFailed,
    Job,
    Started,
    Task,
    Unusable,
)

_OUT_OF_MEMORY = (
    "not enough memory for the libraries; free some memory, raise the limit on it, or use fewer"
    " --workers"
)
_SEND_INTERVAL = 0.01  # seconds: answers are sent together, so the parent process wakes less often
_THREAD_STACK = 2**23  # bytes; some decoders start a thread for each core
_MAX_STALE_BYTES = 2**20  # more than a pipe holds


def main(ends: Sequence[int], task: Task) -> NoReturn:
    """Runs the first process and the workers forked from it.

    They end when the parent process closes its ends of the pipes. The exit code is 0, or
    `INTERNAL_ERROR_CODE` after an exception.

    Args:
        ends: File descriptors in pairs: the read end of one pipe and the write end of another, for
            the first process, then for each worker. They are above those of the standard streams.
        task: The settings of the workers.
    """
    detach(ends)
    control, *channels = map(Channel, ends[::2], ends[1::2])
    try:
        _load_and_work(task, control, channels)
    except BrokenPipeError:  # the parent process has ended
        pass
    except BaseException:  # also in a forked worker
        print_traceback()
        os._exit(INTERNAL_ERROR_CODE)
    os._exit(0)  # skips the exit handlers of Python


def _load_and_work(task: Task, control: Channel, channels: Sequence[Channel]) -> None:
    clock = profiling.make_clock(task.profile)
    try:
        silence_standard_streams(keep_errors=task.debug)
        if task.previews:
            from image_gender_classifier.workers import previewing

            loaded = previewing.load(task)
        else:
            loaded = classifying.load(task, clock)
    except (GenderClassifierError, MemoryError) as error:
        if task.debug:
            print_traceback()
        why = Unfinished(_OUT_OF_MEMORY) if isinstance(error, MemoryError) else error
        control.send(encode(Unusable.from_exception(why)))
        return
    control.send(encode(loaded.ready))
    stacks = (os.cpu_count() or 1) * _THREAD_STACK
    memory.limit_growth(loaded.memory + stacks)
    gc.freeze()  # the garbage collector must not write to shared memory
    gc.enable()

    own_channel = _fork_workers(control, channels)
    if own_channel is not None:
        _answer_jobs(own_channel, loaded.answer, clock)


def _fork_workers(control: Channel, channels: Sequence[Channel]) -> Channel | None:
    """Forks workers on request and reports those that end, until the parent closes the pipe.

    Returns:
        In a forked worker, and in the first process if it is the only worker: the worker's channel.
        Otherwise None, after all workers have ended.
    """
    running: dict[int, int] = {}  # index of the worker by process id
    while (requests := control.receive()) is not None:
        for request in cast(Iterator[Fork], requests):
            if not request.workers:
                return channels[0]
            for place, worker in enumerate(request.workers):
                try:
                    process = os.fork()
                except OSError as error:
                    failed = ForkFailed(request.workers[place:], str(error.strerror))
                    control.send(encode(failed))
                    break
                if process == 0:
                    for channel in {control, *channels} - {channels[worker]}:
                        channel.close()
                    return channels[worker]
                running[process] = worker
        if running:
            process, status = os.wait()
            control.send(encode(Ended(running.pop(process), status)))  # it may be forked again
    for _ in running:
        os.wait()  # adds their CPU time to that of this process
    return None


def _answer_jobs(channel: Channel, answer: Answerer, clock: profiling.Clock) -> None:
    """Answers jobs until the parent process closes the pipe."""
    os.set_blocking(channel.source, False)
    with suppress(BlockingIOError):  # jobs of an ended worker, which are sent again
        os.read(channel.source, _MAX_STALE_BYTES)
    os.set_blocking(channel.source, True)
    channel.send(encode(Started()))
    unsent, sent = b"", 0.0
    while (received := channel.receive()) is not None:
        jobs = list(cast(Iterator[Job], received))
        for job in jobs:
            clock.lap("wait for a picture")
            started = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, job.timeout)  # then SIGALRM ends this process
            message = answer(job)
            signal.setitimer(signal.ITIMER_REAL, 0)
            if isinstance(message, Answer):
                message = message._replace(took=round(time.monotonic() - started, 3))
            unsent += _encode_answer(job, message)
            if job is jobs[-1] or time.monotonic() >= sent + _SEND_INTERVAL:
                channel.send(unsent)  # may block until the parent process reads
                unsent, sent = b"", time.monotonic()


def _encode_answer(job: Job, message: Answer | Unusable) -> bytes:
    """Encodes an answer; replaces it by an internal error if it cannot be encoded."""
    try:
        return encode(message)
    except Exception as error:
        short = isinstance(error, MemoryError)
        why = OUT_OF_MEMORY if short else describe_bug(error)
        return encode(Answer(job.number, None, why, unfinished=short))
