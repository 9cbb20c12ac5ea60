from __future__ import annotations

import _thread
import time

import pytest

from daneo.corpus.ordered_threads import checked_threads, most_taken, ordered

threads = pytest.mark.parametrize("num_threads", [1, 2, 3, 8])


def slow_square(number: int) -> int:
    time.sleep(0.002 * (number % 3))
    return number**2


@threads
@pytest.mark.parametrize("num_items", [0, 1, 2, 40])
def test_results_come_in_the_order_of_the_items(num_threads, num_items):
    assert list(ordered(slow_square, range(num_items), num_threads)) == [number**2 for number in range(num_items)]


@threads
def test_only_a_few_items_are_taken_ahead(num_threads):
    taken = []
    items = (taken.append(number) or number for number in range(100))
    for num_results, _ in enumerate(ordered(slow_square, items, num_threads)):
        # The result in hand is not finished with.
        assert len(taken) - num_results <= most_taken(num_threads)


@threads
def test_first_exception_in_the_order_of_the_items_is_raised(num_threads):
    def fail(number: int) -> int:
        if number >= 5:
            time.sleep(0.02 if number == 5 else 0)
            raise ValueError(f"item {number}")
        return number

    results = []
    with pytest.raises(ValueError, match="item 5"):
        results.extend(ordered(fail, range(20), num_threads))


@threads
def test_exception_of_the_items_is_raised_and_all_threads_end(num_threads):
    def items():
        yield 1
        yield 2
        raise KeyError("source")

    before = _thread._count()
    with pytest.raises(KeyError, match="source"):
        list(ordered(slow_square, items(), num_threads))
    deadline = time.monotonic() + 10
    while _thread._count() > before:
        assert time.monotonic() < deadline


@threads
def test_closing_stops_what_has_not_begun(num_threads):
    done = []

    def work(number: int) -> int:
        time.sleep(0.01)
        done.append(number)
        return number

    results = ordered(work, range(1000), num_threads)
    assert next(results) == 0
    results.close()
    num_done = len(done)
    assert num_done <= 2 * num_threads + 2
    time.sleep(0.05)
    assert len(done) == num_done


def test_number_of_threads():
    assert checked_threads(3) == 3
    assert 1 <= checked_threads(None) <= 8
    with pytest.raises(ValueError, match="at least 1, got 0"):
        checked_threads(0)
