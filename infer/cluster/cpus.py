"""Counts the CPUs of a Ray cluster, to choose the number of workers and to report lost CPUs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from image_gender_classifier.errors import UsageError

_INTERVAL = 3.0  # seconds between two counts of the CPUs
_PATIENCE = 2  # counts that are too low; Ray itself replaces actors within seconds


def choose_workers(wanted: int | None) -> int:
    """Returns the number of workers for the cluster that this process is connected to.

    With as many workers as CPUs, Ray would wait forever for a CPU to read the pictures with.

    Raises:
        UsageError: The cluster has too few CPUs.
    """
    cpus = count_cpus()
    most = cpus - 1
    if most < 1:
        raise UsageError(
            f"the cluster has {cpus} CPU, and reading needs one besides each worker; add a node or "
            "CPUs"
        )
    if wanted is None:
        return most
    if not 1 <= wanted <= most:
        raise UsageError(
            f"{wanted} workers: the cluster has {cpus} CPUs, of which reading needs one; give 1 to "
            f"{most}"
        )
    return wanted


def count_cpus() -> int:
    """Returns the number of CPUs of the cluster that this process is connected to."""
    import ray

    return int(ray.cluster_resources().get("CPU", 0))


@contextmanager
def watch_cpus(needed: int, say: Callable[[str], None]) -> Iterator[None]:
    """Reports, while the context is open, if the cluster has lost CPUs that the run needs.

    Ray waits for them, but does not report it.

    Args:
        needed: Number of CPUs.
        say: Called in another thread with the text of a message.
    """
    ended = threading.Event()

    def watch() -> None:
        low_counts = 0
        while not ended.wait(_INTERVAL):
            try:
                cpus = count_cpus()
            except Exception:  # the connection is lost, which ends the run
                return
            low_counts = low_counts + 1 if cpus < needed else 0
            if low_counts == _PATIENCE:
                say(
                    f"the cluster has only {cpus} of the {needed} CPUs of this run; it waits for a "
                    "node to join; or stop it, and continue with --resume"
                )

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
