"""Numbers of messages, in both directions."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.smartglass.sequence import (
    LAST_SEQUENCE_NUMBER,
    MAX_ACK_NUMBERS,
    MAX_PENDING_ACKS,
    MAX_REJECTED,
    RECEIVED_WINDOW,
    SequenceManager,
)


def test_our_numbers_begin_with_1_and_go_up_by_1() -> None:
    manager = SequenceManager()
    assert [manager.next_sequence_num() for _ in range(3)] == [1, 2, 3]


def test_there_is_a_last_number() -> None:
    manager = SequenceManager()
    manager._last_sent = LAST_SEQUENCE_NUMBER - 1
    assert manager.next_sequence_num() == LAST_SEQUENCE_NUMBER
    with pytest.raises(DisconnectedError):
        manager.next_sequence_num()


def test_each_number_is_new_once() -> None:
    manager = SequenceManager()
    assert manager.add_received(1)
    assert not manager.add_received(1)
    assert manager.add_received(3)
    assert not manager.add_received(3)
    assert manager.is_duplicate(1)
    assert not manager.is_duplicate(2)


def test_the_watermark_stops_at_a_gap_and_goes_on_when_it_is_filled() -> None:
    manager = SequenceManager()
    assert manager.low_watermark == 0
    for number in (1, 2, 4, 5):
        manager.add_received(number)
    assert manager.low_watermark == 2
    manager.add_received(3)
    assert manager.low_watermark == 5


def test_a_gap_that_is_older_than_the_window_is_left_behind() -> None:
    manager = SequenceManager()
    for number in range(2, RECEIVED_WINDOW + 2):
        assert manager.add_received(number)
    # The first one may still come.
    assert manager.low_watermark == RECEIVED_WINDOW + 1
    assert not manager.add_received(1)


def test_the_received_window_is_bounded() -> None:
    manager = SequenceManager()
    for number in range(2, 20 * RECEIVED_WINDOW, 2):
        assert manager.add_received(number)
        assert len(manager._above) <= RECEIVED_WINDOW
    assert manager.add_received(2**32 - 1)
    assert manager.low_watermark == 2**32 - 1 - RECEIVED_WINDOW
    assert len(manager._above) == 1


@given(st.permutations(range(1, 40)))
def test_any_order_comes_to_the_same(numbers: list[int]) -> None:
    manager = SequenceManager()
    assert all(manager.add_received(number) for number in numbers)
    assert manager.low_watermark == 39


def test_acks_list_what_was_processed_and_rejected() -> None:
    manager = SequenceManager()
    assert manager.take_acks() is None
    manager.add_processed(1)
    manager.add_processed(3)
    manager.add_rejected(2)
    assert manager.take_acks() == ((1, 3), (2,))
    assert manager.take_acks() is None


def test_a_repetition_is_acked_as_before() -> None:
    manager = SequenceManager()
    manager.add_rejected(2)
    manager.take_acks()
    manager.add_duplicate(1)
    manager.add_duplicate(2)
    assert manager.take_acks() == ((1,), (2,))


def test_an_ack_lists_a_bounded_number() -> None:
    manager = SequenceManager()
    for number in range(MAX_ACK_NUMBERS + 1):
        manager.add_processed(number)
    manager.add_rejected(1000)
    first = manager.take_acks()
    assert first == (tuple(range(MAX_ACK_NUMBERS)), ())
    assert manager.take_acks() == ((MAX_ACK_NUMBERS,), (1000,))


def test_a_bounded_number_waits_for_the_next_ack() -> None:
    manager = SequenceManager()
    for number in range(MAX_PENDING_ACKS + 10):
        manager.add_processed(number)
        manager.add_rejected(number)
    count = 0
    while (lists := manager.take_acks()) is not None:
        count += len(lists[0]) + len(lists[1])
    assert count == 2 * MAX_PENDING_ACKS


def test_a_bounded_number_of_rejections_is_remembered() -> None:
    manager = SequenceManager()
    for number in range(1, MAX_REJECTED + 2):
        manager.add_rejected(number)
    while manager.take_acks() is not None:
        pass
    manager.add_duplicate(1)
    manager.add_duplicate(2)
    assert manager.take_acks() == ((1,), (2,))
