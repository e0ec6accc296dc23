"""Shares objects that are not thread-safe, such as interpreters and cascades, among threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from image_gender_classifier.system.cores import count_cores

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(Generic[Item]):
    """A thread-safe object pool that opens items on demand.

    The pool opens as many items as threads use at the same time, up to a limit; then a thread waits
    until an item is returned. The item returned last is reused first. Items are never closed.

    Args:
        open_item: Opens an item; must be thread-safe.
        most: Maximum number of items; by default one per core.
    """

    def __init__(self, open_item: Callable[[], Item], most: int | None = None) -> None:
        self._open_item = open_item
        self._most = most or count_cores()
        self._idle: list[Item] = []
        self.reset_after_fork()
        _pools.add(self)

    def use(self, work: Callable[[Item], Result]) -> Result:
        """Calls `work` with an item that no other thread uses meanwhile; waits if all are in use.

        Returns:
            The result of `work`.

        Raises:
            Exception: Propagated from `open_item` or `work`. If `work` fails, its item returns to
                the pool.
        """
        lent: list[Item] = []
        counted = False
        try:  # an exception between any two lines, such as Ctrl-C, must not leak a slot
            with self._lock:
                while self._lent >= self._most:
                    self._waiting += 1
                    try:
                        self._returned.wait()
                    finally:
                        self._waiting -= 1
                self._lent += 1
                counted = True
                if self._idle:
                    lent.append(self._idle.pop())
            if not lent:
                lent.append(self._open_item())
            return work(lent[0])
        finally:
            if counted:
                with self._lock:
                    self._idle += lent
                    self._lent -= 1
                    if self._waiting:
                        self._returned.notify()

    def reset_after_fork(self) -> None:
        """Unlocks the pool and drops the items in use.

        Called in the child process after a fork, which copies neither the threads that use the
        items nor the one that may hold the lock.
        """
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)
        self._lent = self._waiting = 0  # items, threads


_pools: WeakSet[Pool[Any]] = WeakSet()


def _reset_pools_after_fork() -> None:
    for pool in _pools:
        pool.reset_after_fork()


os.register_at_fork(after_in_child=_reset_pools_after_fork)
