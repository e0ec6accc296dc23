from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from image_gender_classifier.system.pool import Pool


def test_one_thread_needs_one_item() -> None:
    numbers = count()
    pool = Pool(lambda: next(numbers), most=4)
    assert [pool.use(lambda item: item) for _ in range(5)] == [0] * 5
    assert next(numbers) == 1


def test_nothing_is_opened_before_it_is_needed() -> None:
    numbers = count()
    Pool(lambda: next(numbers))
    assert next(numbers) == 0


def test_an_item_has_one_user_at_a_time_and_there_are_no_more_than_allowed() -> None:
    opened: list[threading.Lock] = []

    def opening() -> threading.Lock:
        opened.append(threading.Lock())
        return opened[-1]

    def work(item: threading.Lock) -> None:
        assert item.acquire(blocking=False)
        os.sched_yield()
        item.release()

    pool = Pool(opening, most=3)
    with ThreadPoolExecutor(16) as threads:
        for done in [threads.submit(pool.use, work) for _ in range(500)]:
            done.result()
    assert 1 <= len(opened) <= 3


def test_two_threads_use_two_items() -> None:
    numbers = count()
    pool = Pool(lambda: next(numbers), most=2)
    both = threading.Barrier(2, timeout=60)

    def work(item: int) -> int:
        both.wait()
        return item

    with ThreadPoolExecutor(2) as threads:
        used = [threads.submit(pool.use, work) for _ in range(2)]
        assert {one.result() for one in used} == {0, 1}


def test_an_item_is_used_again_after_an_exception() -> None:
    pool = Pool(object, most=1)
    before = pool.use(lambda item: item)

    def fail(_: object) -> None:
        raise ValueError("strange picture")

    with pytest.raises(ValueError, match="strange picture"):
        pool.use(fail)
    assert pool.use(lambda item: item) is before


def test_what_cannot_be_opened_is_an_error_for_each_thread_and_stops_none() -> None:
    def opening() -> object:
        raise ValueError("damaged")

    pool = Pool(opening, most=2)
    with ThreadPoolExecutor(8) as threads:
        for failed in [threads.submit(pool.use, id) for _ in range(50)]:
            with pytest.raises(ValueError, match="damaged"):
                failed.result(timeout=60)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_meanwhile_can_use_the_pool() -> None:
    numbers = count()
    pool = Pool(lambda: next(numbers), most=1)
    taken, finish = threading.Event(), threading.Event()

    def work(item: int) -> int:
        taken.set()
        assert finish.wait(60)
        return item

    with ThreadPoolExecutor(1) as threads:
        used = threads.submit(pool.use, work)
        assert taken.wait(60)
        process = os.fork()
        if process == 0:
            signal.alarm(60)
            os._exit(pool.use(lambda item: item))  # the other thread's item is not in this process
        _, status = os.waitpid(process, 0)
        finish.set()
        assert used.result() == 0
    assert os.waitstatus_to_exitcode(status) == 1
    assert pool.use(lambda item: item) == 0
