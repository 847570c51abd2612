"""Conversations put together from packets that come in no order."""

from hypothesis import given, settings, strategies as st

from custom_components.rumpus.protocols.kdeconnect.plugins.sms import (
    MAX_CONVERSATIONS,
    MAX_STORED,
    Attachment,
    Conversations,
    MessageKind,
    TextMessage,
    TextMessages,
)

SINCE = 1000


def received(
    thread_id: int,
    message_id: int,
    date_ms: int,
    kind: MessageKind = MessageKind.RECEIVED,
    body: str = "",
) -> TextMessage:
    """Return a message."""
    return TextMessage(
        message_id, thread_id, date_ms, kind, addresses=("1",), body=body
    )


def merged(*messages: TextMessage) -> Conversations:
    """Return the conversations after one packet."""
    conversations = Conversations(SINCE)
    conversations.merge(TextMessages(messages))
    return conversations


def arrivals(conversations: Conversations, *messages: TextMessage) -> list[int]:
    """Return the ids of those messages of a packet that have just come."""
    return [message.id for message in conversations.merge(TextMessages(messages))]


def test_list_of_conversations_is_not_new() -> None:
    conversations = Conversations(SINCE)

    assert arrivals(conversations, received(1, 1, 900)) == []
    assert arrivals(conversations, received(2, 2, SINCE)) == []


def test_pushes_are_new_once() -> None:
    conversations = merged(received(1, 1, 900))

    assert arrivals(conversations, received(1, 2, 1001)) == [2]
    assert arrivals(conversations, received(1, 2, 1001)) == []
    # Another conversation, which nobody has heard of.
    assert arrivals(conversations, received(9, 3, 1002)) == [3]


def test_several_at_once_come_in_order() -> None:
    conversations = merged()

    assert arrivals(
        conversations, received(1, 3, 1003), received(1, 1, 1001), received(2, 2, 1002)
    ) == [1, 2, 3]


def test_repeated_in_one_packet_is_new_once() -> None:
    assert arrivals(merged(), received(1, 1, 1001), received(1, 1, 1001)) == [1]


def test_history_is_not_new() -> None:
    conversations = merged(received(1, 9, 2000))

    assert arrivals(conversations, received(1, 8, 1900), received(1, 7, 1800)) == []
    assert [message.id for message in conversations.messages(1)] == [7, 8, 9]


def test_what_we_sent_is_not_new() -> None:
    conversations = merged()

    for kind in set(MessageKind) - {MessageKind.RECEIVED}:
        assert arrivals(conversations, received(1, int(kind), 1001, kind)) == []


def test_newer_state_of_a_message_wins() -> None:
    conversations = merged(received(1, 1, 1001, MessageKind.OUTBOX))
    conversations.merge(TextMessages((received(1, 1, 1001, MessageKind.SENT),)))

    [message] = conversations.messages(1)
    assert message.kind is MessageKind.SENT


def test_same_id_in_other_conversations_is_another_message() -> None:
    conversations = merged(received(1, 1, 1), received(2, 1, 2))

    assert len(conversations.messages(1)) == len(conversations.messages(2)) == 1


def test_newest_of_each_conversation() -> None:
    conversations = merged(
        received(1, 1, 10), received(2, 2, 30), received(1, 3, 20), received(3, 4, 5)
    )

    assert [message.id for message in conversations.newest()] == [2, 3, 4]


def test_unknown_conversation_is_empty() -> None:
    assert merged().messages(1) == ()
    assert merged().newest() == ()


def test_cleared_messages_are_not_new_again() -> None:
    conversations = merged(received(1, 1, 1001))
    conversations.clear()

    assert conversations.newest() == ()
    assert arrivals(conversations, received(1, 1, 1001)) == []
    assert [message.id for message in conversations.messages(1)] == [1]


def test_limit_of_conversations() -> None:
    conversations = merged(
        *(received(number, number, number) for number in range(MAX_CONVERSATIONS + 1))
    )

    assert [message.thread_id for message in conversations.newest()] == list(
        range(MAX_CONVERSATIONS, 0, -1)
    )
    assert conversations.messages(0) == ()


def test_forgotten_conversations_are_not_new_again() -> None:
    conversations = Conversations(SINCE, max_conversations=2)
    messages = [received(number, number, SINCE + number) for number in range(1, 4)]

    assert arrivals(conversations, *messages) == [1, 2, 3]
    assert arrivals(conversations, *messages) == []
    assert arrivals(conversations, received(1, 9, SINCE + 9)) == [9]


def test_limit_of_stored() -> None:
    body = "b" * (MAX_STORED // 10)
    conversations = merged(
        received(1, 100, 1, body="small"),
        *(received(2, number, number, body=body) for number in range(10)),
    )

    # The older half of the bigger one has gone.
    assert [message.id for message in conversations.messages(2)] == [5, 6, 7, 8, 9]
    assert [message.id for message in conversations.messages(1)] == [100]


def test_message_that_is_too_big_alone_is_forgotten() -> None:
    conversations = Conversations(SINCE, max_stored=2000)
    preview = Attachment(1, "image/png", "a", "p" * 2000)
    big = TextMessage(1, 1, 1, MessageKind.RECEIVED, attachments=(preview,))

    conversations.merge(TextMessages((big, received(2, 2, 2))))

    assert [message.id for message in conversations.newest()] == [2]


def test_changed_message_is_counted_once() -> None:
    conversations = Conversations(SINCE, max_stored=2000)

    for _ in range(9):
        conversations.merge(TextMessages((received(1, 1, 1, body="b" * 1000),)))

    assert len(conversations.messages(1)) == 1


@settings(deadline=None)
@given(
    st.lists(
        st.lists(
            st.builds(
                received,
                st.integers(0, 5),
                st.integers(0, 9),
                st.integers(990, 1020),
                st.sampled_from([MessageKind.RECEIVED, MessageKind.SENT]),
                st.sampled_from(["", "b" * 700]),
            ),
            max_size=6,
        ),
        max_size=8,
    )
)
def test_bounds_hold_and_nothing_is_new_twice(
    packets: list[list[TextMessage]],
) -> None:
    conversations = Conversations(SINCE, max_conversations=3, max_stored=6000)
    new: list[TextMessage] = []
    for packet in packets:
        new += conversations.merge(TextMessages(tuple(packet)))

        newest = conversations.newest()
        assert len(newest) <= 3
        for message in newest:
            kept = conversations.messages(message.thread_id)
            assert kept[-1] == message
            assert sum(len(item.body) for item in kept) < 6000
    assert all(message.date_ms > SINCE for message in new)
    seen = [(message.thread_id, message.id, message.date_ms) for message in new]
    assert len(seen) == len(set(seen))
