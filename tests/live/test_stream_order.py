"""Packets of several NICs in the order of their time, and how long each is kept back for that."""

from __future__ import annotations

from srv6lab.live.stream_order import Window

SECOND = 10**9


def blocks(*times: float) -> list[tuple[int, bytes]]:
    return [(int(time * SECOND), b"%g" % time) for time in times]


def joined(taken: list[bytes]) -> str:
    return b" ".join(taken).decode()


def test_what_is_read_within_the_window_comes_out_in_order() -> None:
    window = Window(0.2, 1000)
    window.add(blocks(5, 7), now=100)
    window.add(blocks(4, 6), now=100.1)
    assert window.take(100.19) == []
    assert joined(window.take(100.2)) == "4 5 6 7"
    assert (window.late, window.bytes) == (0, 0)


def test_what_is_younger_than_all_that_waited_long_enough_still_waits() -> None:
    window = Window(0.2, 1000)
    window.add(blocks(5), now=100)
    window.add(blocks(6), now=100.1)
    assert joined(window.take(100.2)) == "5"
    assert joined(window.take(100.3)) == "6"


def test_what_comes_later_than_the_window_goes_out_at_once_and_is_counted() -> None:
    window = Window(0.2, 1000)
    window.add(blocks(5), now=100)
    assert joined(window.take(101)) == "5"
    window.add(blocks(4, 6), now=101)
    assert joined(window.take(101.2)) == "4 6"
    assert window.late == 1


def test_packets_of_one_instant_stay_in_their_order() -> None:
    window = Window(0.2, 1000)
    window.add([(1, b"b"), (1, b"a")], now=100)
    window.add([(1, b"0")], now=100)
    assert joined(window.take(101)) == "b a 0"


def test_nothing_passes_a_nic_that_is_not_read_that_far() -> None:
    """However long it waited: what is missing is in a file and will be read."""
    window = Window(0.2, 1000)
    window.add(blocks(5, 9), now=100)
    assert joined(window.take(200, limit=6 * SECOND)) == "5"
    assert joined(window.take(200)) == "9"


def test_who_catches_up_does_not_wait_for_the_clock() -> None:
    window = Window(0.2, 1000)
    window.add(blocks(1, 2, 3), now=100)
    assert joined(window.take(100, limit=3 * SECOND)) == "1 2"


def test_where_too_much_is_held_it_goes_out_without_waiting() -> None:
    window = Window(0.2, 3)
    window.add(blocks(5, 6, 7), now=100)
    assert not window.full
    window.add(blocks(8), now=100)
    assert window.full
    assert joined(window.take(100, limit=6 * SECOND)) == "5 6"
    assert not window.full
    window.add(blocks(9, 10), now=100)
    assert joined(window.take(100)) == "7 8 9 10"


def test_at_the_end_all_comes_out() -> None:
    window = Window(0.2, 1000)
    window.add(blocks(7, 5), now=100)
    assert joined(window.rest()) == "5 7"
    assert window.rest() == []
