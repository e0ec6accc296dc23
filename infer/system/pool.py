"""A pool of objects that only one thread may use at a time: interpreters, cascades."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from image_gender_classifier.system.cores import cores

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pool(Generic[Item]):
    """A pool that opens items on demand; safe for threads.

    It has as many items as threads use at the same time, up to a limit; further threads wait. The
    item returned last is reused first.

    Args:
        open_item: Opens an item; several threads may call it at the same time.
        most: The limit; by default one item per core.
    """

    def __init__(self, open_item: Callable[[], Item], most: int | None = None) -> None:
        self._open_item = open_item
        self._most = most or cores()
        self._idle: list[Item] = []
        self.forget_lent()
        _pools.add(self)

    def use(self, work: Callable[[Item], Result]) -> Result:
        """Calls `work` with an item that no other thread uses and returns its result.

        Raises:
            Exception: Any exception of `open_item` or `work`; the item stays in the pool.
        """
        lent: list[Item] = []
        counted = False
        try:  # from here on, so that an interruption between two lines costs no place in the pool
            with self._lock:
                while self._lent >= self._most:
                    self._returned.wait()
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
                    self._returned.notify()

    def forget_lent(self) -> None:
        """Forgets the items in use: in a forked process, their threads do not exist."""
        self._lock = threading.Lock()
        self._returned = threading.Condition(self._lock)
        self._lent = 0


_pools: WeakSet[Pool[Any]] = WeakSet()


def _forget_lent() -> None:
    for pool in _pools:
        pool.forget_lent()


os.register_at_fork(after_in_child=_forget_lent)
