"""New text messages are told from old ones, whatever the phone's clock says."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.kdeconnect.plugins.inbox import (
    GRAIN_MS,
    LATE_MS,
    MAX_RECENT_IDS,
    MAX_THREADS,
    SKEW_MS,
    Inbox,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.sms import (
    MessageKind,
    TextMessage,
    TextMessages,
)

NOW = 1_800_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
SENT = MessageKind.SENT


def received(
    thread_id: int,
    message_id: int,
    date_ms: int,
    kind: MessageKind = MessageKind.RECEIVED,
) -> TextMessage:
    """Return a message."""
    return TextMessage(message_id, thread_id, date_ms, kind, addresses=("1",))


def new(
    inbox: Inbox, *messages: TextMessage, now: int = NOW, asked: tuple[int, ...] = ()
) -> list[int]:
    """Return the ids of those messages of a packet that are new."""
    found = inbox.merge(TextMessages(messages), now, asked)
    return [message.id for message in found]


def listed(*messages: TextMessage, now: int = NOW) -> Inbox:
    """Return an inbox after the first list of conversations, one packet for each."""
    inbox = Inbox()
    inbox.begin_list(now)
    for message in messages:
        assert new(inbox, message, now=now) == []
    inbox.end_list(now)
    return inbox


@pytest.mark.parametrize("ahead", [0, HOUR, -HOUR, 20 * HOUR, -400 * DAY])
def test_the_clock_of_the_phone_does_not_matter(ahead: int) -> None:
    """Only what comes after the list is new, and once."""
    phone = NOW + ahead
    inbox = listed(received(1, 1, phone - 5000), received(2, 2, phone - 9000))

    assert new(inbox, received(1, 3, phone)) == [3]
    assert new(inbox, received(1, 3, phone)) == []
    # Another conversation, which nobody has heard of.
    assert new(inbox, received(9, 4, phone + 1)) == [4]
    assert new(inbox, received(9, 4, phone + 1)) == []


def test_several_at_once_come_in_order() -> None:
    inbox = listed(received(1, 1, NOW - 5000))
    found = [received(2, 7, NOW + 3), received(1, 5, NOW + 1), received(1, 6, NOW + 2)]
    assert new(inbox, *found) == [5, 6, 7]


def test_what_is_sent_or_unfinished_is_not_new() -> None:
    inbox = listed(received(1, 1, NOW - 5000))
    for kind in MessageKind:
        if kind is not MessageKind.RECEIVED:
            assert new(inbox, received(1, 100 + kind, NOW, kind)) == []


def test_a_draft_of_the_future_hides_nothing() -> None:
    inbox = listed(
        received(1, 1, NOW - 5000),
        received(2, 2, NOW + 30 * DAY, MessageKind.DRAFT),
        received(1, 3, NOW + HOUR, MessageKind.QUEUED),
    )
    assert new(inbox, received(1, 4, NOW), received(2, 5, NOW)) == [4, 5]


def test_a_message_of_the_future_hides_other_conversations_not() -> None:
    inbox = listed(received(1, 1, NOW - 5000), received(2, 2, NOW + 30 * DAY))
    assert new(inbox, received(1, 3, NOW), received(3, 4, NOW)) == [3, 4]


def test_history_is_not_new() -> None:
    """Also of a conversation whose newest message was sent, and in the same second."""
    inbox = listed(received(1, 9, NOW - 50, SENT), received(2, 8, NOW - 60))
    history = [received(1, number, NOW - 60 - number) for number in range(1, 8)]
    assert new(inbox, *history, asked=(1,)) == []
    assert new(inbox, *history, asked=(1,)) == []
    assert new(inbox, received(5, 7, NOW - 100)) == []
    # But what is newer than everything has just come.
    assert new(inbox, *history, received(1, 20, NOW), asked=(1,)) == [20]


def test_dates_in_whole_seconds() -> None:
    """A message may have come after one with a later date."""
    inbox = listed(received(1, 1, NOW + 300, SENT))
    assert new(inbox, received(1, 2, NOW)) == [2]
    assert new(inbox, received(1, 2, NOW)) == []
    assert new(inbox, received(1, 3, NOW + 300 - GRAIN_MS)) == []


def test_two_messages_of_one_moment() -> None:
    """Short messages and those with pictures have ids of their own kind."""
    inbox = listed(received(1, 1, NOW - 5000))
    assert new(inbox, received(1, 2, NOW)) == [2]
    assert new(inbox, received(1, 3, NOW)) == [3]
    assert new(inbox, received(1, 2, NOW + 1)) == [2]
    assert new(inbox, received(1, 2, NOW), received(1, 3, NOW)) == []


def test_what_becomes_read_is_not_new() -> None:
    inbox = listed(received(1, 5, NOW - 5000))
    assert new(inbox, received(1, 5, NOW - 5000), received(1, 4, NOW - 9000)) == []


def test_a_message_that_comes_during_the_first_list() -> None:
    inbox = Inbox()
    inbox.begin_list(NOW)
    assert new(inbox, received(1, 1, NOW - 1), now=NOW + 5) == []
    assert new(inbox, received(1, 2, NOW + 10), now=NOW + 10) == [2]
    assert new(inbox, received(2, 3, NOW + 20), now=NOW + 20) == [3]
    assert new(inbox, received(2, 3, NOW + 20), now=NOW + 30) == []
    # From a clock that is wrong.
    assert new(inbox, received(3, 4, NOW + 41 + SKEW_MS), now=NOW + 40) == []
    inbox.end_list(NOW + 50)
    assert new(inbox, received(1, 2, NOW + 10), now=NOW + 60) == []


def test_what_came_while_the_phone_was_away() -> None:
    """It is news for a short time, and only once."""
    inbox = listed(received(1, 1, NOW), received(2, 2, NOW - 1))
    later = NOW + HOUR
    inbox.begin_list(later)
    assert new(inbox, received(1, 3, later - 5000), now=later) == [3]
    assert new(inbox, received(1, 3, later - 5000), now=later) == []
    assert new(inbox, received(2, 4, later - LATE_MS), now=later) == []
    assert new(inbox, received(5, 5, later - LATE_MS + 1), now=later) == [5]
    assert new(inbox, received(6, 6, NOW), now=later) == []
    inbox.end_list(later)
    assert new(inbox, received(2, 4, later - LATE_MS), now=later) == []


def test_nothing_is_new_before_the_list_was_asked_for() -> None:
    inbox = Inbox()
    inbox.end_list(NOW)
    assert new(inbox, received(1, 1, NOW)) == []


def test_a_phone_without_messages() -> None:
    """Our clock decides, since nothing else can."""
    inbox = listed()
    assert new(inbox, received(1, 1, NOW + 1)) == [1]
    assert new(inbox, received(2, 2, NOW)) == []


def test_max_threads() -> None:
    """What is forgotten does not become new again."""
    messages = [
        received(thread, thread, NOW - 5000 + thread)
        for thread in range(MAX_THREADS + 1)
    ]
    inbox = listed(*messages)
    assert len(inbox) == MAX_THREADS
    assert new(inbox, messages[0]) == []
    assert len(inbox) == MAX_THREADS
    many = [
        received(thread, 1, NOW + thread) for thread in range(9000, 9001 + MAX_THREADS)
    ]
    assert len(new(inbox, *many)) == MAX_THREADS + 1
    assert len(inbox) == MAX_THREADS
    assert new(inbox, many[0], received(1, 1, NOW - 1)) == []


def test_max_recent_ids() -> None:
    inbox = listed(received(1, 1, NOW - 5000))
    burst = [received(1, number, NOW) for number in range(10, 11 + MAX_RECENT_IDS)]
    assert len(new(inbox, *burst)) == MAX_RECENT_IDS + 1
    assert len(new(inbox, *burst)) == 1
    assert new(inbox, *burst, asked=(1,)) == []


@settings(deadline=None)
@given(
    st.integers(-9 * DAY, 9 * DAY),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 10**6)), max_size=20),
    st.data(),
)
def test_the_order_of_the_list_does_not_matter(
    ahead: int, past: list[tuple[int, int]], data: st.DataObject
) -> None:
    """None of it is new, in any order and however often it comes; what follows is."""
    phone = min(NOW + ahead, NOW + DAY - 1)
    old = [
        received(thread, number, phone - age)
        for number, (thread, age) in enumerate(past, 1)
    ]
    inbox = Inbox()
    inbox.begin_list(NOW + 10 * DAY)
    for message in data.draw(st.permutations(old)):
        assert new(inbox, message, now=NOW + 10 * DAY) == []
    inbox.end_list(NOW)
    for message in data.draw(st.permutations(old)):
        assert new(inbox, message, asked=(1, 2, 3, 4, 5)) == []
    if old:
        thread = data.draw(st.integers(1, 9))
        assert new(inbox, received(thread, 1000, phone)) == [1000]
        assert new(inbox, received(thread, 1000, phone)) == []
