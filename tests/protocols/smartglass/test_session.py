"""A session, without sockets, at times that the tests say."""

from collections import Counter
import logging
from random import Random

from hypothesis import given, settings, strategies as st
import pytest

from .common import PARTICIPANT, Talk, builds_of, status
from custom_components.rumpus.protocols.errors import PeerTimeoutError, ProtocolError
from custom_components.rumpus.protocols.smartglass.channels import CORE
from custom_components.rumpus.protocols.smartglass.enums import (
    DisconnectReason,
    MessageType,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.events import LossReason
from custom_components.rumpus.protocols.smartglass.messages import (
    Ack,
    Disconnect,
    GameDvrRecord,
    Gamepad,
    Json,
    MessageFragment,
    SystemTextInput,
    UnknownMessage,
    encode_message,
)
from custom_components.rumpus.protocols.smartglass.session import (
    DISCONNECT_COPIES,
    MAX_PENDING_SENDS,
    MessageReceived,
    SendFinished,
    SendOutcome,
    SessionEnded,
)
from custom_components.rumpus.protocols.smartglass.timing import Timing

RECORD = GameDvrRecord(-60, 0)
REQUEST = ServiceChannel.SYSTEM_INPUT_TV_REMOTE


# Acks.


def test_a_message_is_acked_at_once_on_the_core_channel(talk: Talk) -> None:
    ((header, ack),) = talk.say(status(1))
    assert ack == Ack(1, (1,), ())
    assert (header.channel_id, header.target, header.source) == (0, 0, PARTICIPANT)
    assert header.sequence == 1
    assert not header.need_ack


def test_what_needs_no_ack_gets_none(talk: Talk) -> None:
    assert talk.say(status(1), need_ack=False) == []
    assert builds_of(talk) == [19041]


def test_several_messages_share_an_ack(talk: Talk) -> None:
    datagrams = [talk.console.seal(status(1)) for _ in range(3)]
    ((_, ack),) = talk.receive(*datagrams)
    assert ack == Ack(3, (1, 2, 3), ())


def test_the_watermark_is_contiguous(talk: Talk) -> None:
    talk.console.sequence = 1
    ((_, ack),) = talk.say(status(1))
    assert ack == Ack(0, (2,), ())
    ((_, ack),) = talk.receive(talk.console.seal(status(1), number=1))
    assert ack == Ack(2, (1,), ())


def test_a_duplicate_is_acked_again_and_delivered_once(talk: Talk) -> None:
    datagram = talk.console.seal(status(1))
    for _ in range(3):
        ((_, ack),) = talk.receive(datagram)
        assert ack == Ack(1, (1,), ())
    assert builds_of(talk) == [19041]


def test_an_older_number_is_taken_and_an_older_state_is_not(talk: Talk) -> None:
    first = talk.console.seal(status(1, build=1))
    unknown = talk.console.seal_raw(0x7FE, b"x")
    second = talk.console.seal(status(1, build=2))
    talk.receive(second)
    ((_, ack),) = talk.receive(unknown, first)
    assert ack == Ack(3, (2, 1), ())
    events = talk.took()
    assert len(events) == 2
    assert isinstance(events[1], MessageReceived)
    assert events[1].message == UnknownMessage(0x7FE, b"x")
    assert isinstance(events[0], MessageReceived)
    assert events[0].message == status(1, build=2)


def test_what_cannot_be_read_is_rejected_and_the_session_goes_on(talk: Talk) -> None:
    datagram = talk.console.seal_raw(MessageType.CONSOLE_STATUS, b"\0")
    for _ in range(2):
        ((_, ack),) = talk.receive(datagram)
        assert ack == Ack(1, (), (1,))
    silent = talk.console.seal_raw(MessageType.CONSOLE_STATUS, b"\0", need_ack=False)
    assert talk.receive(silent) == []
    assert talk.took() == []
    talk.say(status(1))
    assert builds_of(talk) == [19041]


def test_a_message_of_an_unknown_type_is_acked_and_kept(talk: Talk) -> None:
    ((_, ack),) = talk.receive(talk.console.seal_raw(MessageType.TUNNEL, b"\1\2"))
    assert ack == Ack(1, (1,), ())
    unknown = UnknownMessage(MessageType.TUNNEL, b"\1\2")
    assert talk.took() == [MessageReceived(CORE, unknown)]


def test_what_cannot_be_read_is_logged_without_what_it_says(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    talk.say(Json('{"text": secret}'))
    assert "Message 0x1c refused" in caplog.text
    assert "secret" not in caplog.text


def test_a_message_on_an_unknown_channel_is_acked_and_dropped(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ((_, ack),) = talk.say(Json("{}"), channel=0xDEAD)
    assert "Message 0x1c on unknown channel 0xdead" in caplog.text
    assert ack == Ack(1, (1,), ())
    assert talk.say(Json("{}"), channel=0xDEAD, need_ack=False) == []
    assert talk.took() == []


@given(st.lists(st.integers(0, 11), min_size=1, max_size=40))
@settings(max_examples=40)
def test_any_order_and_repetition_delivers_each_message_once(order: list[int]) -> None:
    talk = Talk()
    datagrams = [talk.console.seal_raw(0x7FE, bytes([index])) for index in range(12)]
    acked: list[int] = []
    for index in order:
        ((_, ack),) = talk.receive(datagrams[index])
        assert isinstance(ack, Ack)
        acked += ack.processed_list
    assert acked == [index + 1 for index in order]
    delivered = [
        event.message.data[0]
        for event in talk.took()
        if isinstance(event, MessageReceived)
        and isinstance(event.message, UnknownMessage)
    ]
    assert delivered == list(dict.fromkeys(order))


@pytest.mark.parametrize("seed", range(10))
def test_on_a_bad_network_every_message_is_acked_in_the_end(seed: int) -> None:
    """15 % of the datagrams of both directions get lost, and the others get mixed up."""
    random = Random(seed)
    talk = Talk(Timing(acks=(0.2,) * 40, silence=1000))
    sends = {talk.session.send(RECORD, talk.now) for _ in range(30)}
    executed: Counter[int] = Counter()
    seen: set[int] = set()
    sent = talk.sent()
    while talk.session.pending_sends:
        random.shuffle(sent)
        for header, message in sent:
            if random.random() < 0.15:
                continue
            if header.sequence not in seen and isinstance(message, GameDvrRecord):
                executed[header.sequence] += 1
            seen.add(header.sequence)
            if header.need_ack and random.random() >= 0.15:
                talk.receive(talk.console.ack([header.sequence]))
        sent = talk.wait(0.2)
    assert executed == Counter(range(1, 31))
    finished = [event for event in talk.took() if isinstance(event, SendFinished)]
    assert {event.send_id for event in finished} == sends
    assert all(event.outcome is SendOutcome.ACKED for event in finished)


# What is not the console's.


def test_a_wrong_mac_is_dropped_without_an_answer(talk: Talk) -> None:
    datagram = talk.console.seal(status(1))
    for index in (0, 5, 30, len(datagram) - 1):
        changed = bytearray(datagram)
        changed[index] ^= 1
        assert talk.receive(bytes(changed)) == []
    assert talk.receive(datagram[:-1], b"", b"\xd0\x0d", bytes(10_000)) == []
    assert talk.took() == []


@pytest.mark.parametrize(
    ("target", "source"), [(PARTICIPANT + 1, 0), (PARTICIPANT, 7), (0, PARTICIPANT)]
)
def test_messages_of_and_for_others_are_dropped(
    talk: Talk, target: int, source: int
) -> None:
    datagram = talk.console.seal(status(1), target=target, source=source)
    assert talk.receive(datagram) == []
    assert talk.took() == []
    assert talk.session.sequence.low_watermark == 0


def test_our_own_messages_that_come_back_are_dropped(talk: Talk) -> None:
    talk.session.send(RECORD, talk.now)
    (datagram,) = talk.session.take_datagrams()
    assert talk.receive(datagram) == []
    assert talk.session.sequence.low_watermark == 0


def test_a_message_for_nobody_in_particular_is_taken(talk: Talk) -> None:
    assert len(talk.receive(talk.console.seal(status(1), target=0))) == 1


# Sending.


def test_numbers_go_up_and_an_ack_finishes_a_message(talk: Talk) -> None:
    first = talk.session.send(RECORD, talk.now)
    second = talk.session.send(RECORD, talk.now)
    sent = talk.sent()
    assert [header.sequence for header, _ in sent] == [1, 2]
    assert all(header.need_ack for header, _ in sent)
    talk.receive(talk.console.ack([2, 77]))
    assert talk.took() == [SendFinished(second, SendOutcome.ACKED)]
    talk.receive(talk.console.ack([1, 2]))
    assert talk.took() == [SendFinished(first, SendOutcome.ACKED)]
    assert talk.session.pending_sends == 0


def test_a_message_without_need_ack_is_sent_once(talk: Talk) -> None:
    talk.session.send(Gamepad(), talk.now, need_ack=False)
    ((header, _),) = talk.sent()
    assert not header.need_ack
    assert talk.session.pending_sends == 0
    assert [type(message) for _, message in talk.wait(1.9)] == []


def test_a_rejected_message_fails(talk: Talk) -> None:
    send_id = talk.session.send(RECORD, talk.now)
    talk.receive(talk.console.ack(rejected=[1, 99]))
    assert talk.took() == [SendFinished(send_id, SendOutcome.REJECTED)]
    assert talk.session.pending_sends == 0


def test_the_same_bytes_are_sent_again_at_the_times_of_timing() -> None:
    talk = Talk(Timing(acks=(0.2, 0.3, 0.5), heartbeat=60, silence=120))
    send_id = talk.session.send(RECORD, talk.now)
    first = talk.session.take_datagrams()
    started, times = talk.now, []
    while talk.session.pending_sends:
        due = talk.session.next_due()
        assert due is not None
        talk.now = due
        talk.session.tick(talk.now)
        if again := talk.session.take_datagrams():
            assert again == first
        times.append(round(talk.now - started, 3))
    assert times == [0.2, 0.5, 1.0]
    assert talk.took() == [SendFinished(send_id, SendOutcome.UNANSWERED)]
    # Only the one operation has failed.
    assert not talk.session.is_over


def test_an_ack_ends_the_repetitions(talk: Talk) -> None:
    talk.session.send(RECORD, talk.now)
    talk.sent()
    assert len(talk.wait(0.25)) == 1
    talk.receive(talk.console.ack([1]))
    assert talk.wait(1.5) == []


def test_what_nobody_waits_for_is_not_sent_again(talk: Talk) -> None:
    send_id = talk.session.send(RECORD, talk.now)
    talk.sent()
    talk.session.forget(send_id)
    talk.session.forget(send_id)
    assert talk.wait(1.5) == []
    talk.receive(talk.console.ack([1]))
    assert talk.took() == []


def test_pending_messages_are_bounded(talk: Talk) -> None:
    for _ in range(MAX_PENDING_SENDS):
        talk.session.send(RECORD, talk.now)
    with pytest.raises(PeerTimeoutError):
        talk.session.send(RECORD, talk.now)
    with pytest.raises(PeerTimeoutError):
        talk.session.send_json({}, talk.now, channel_id=5)
    assert len(talk.sent()) == talk.session.pending_sends == MAX_PENDING_SENDS
    # What waits for no ack takes no room: a button can still be let go.
    talk.session.send(Gamepad(), talk.now, need_ack=False)
    assert len(talk.sent()) == 1
    talk.receive(talk.console.ack([1]))
    talk.session.send(RECORD, talk.now)


def test_long_messages_go_in_fragments(talk: Talk) -> None:
    text = "x" * 2500
    message = SystemTextInput(1, 0, 1, len(text), -1, -1, 0, 0, text)
    send_id = talk.session.send(message, talk.now, channel_id=9)
    datagrams = talk.session.take_datagrams()
    opened = [talk.console.crypto.open_message(datagram) for datagram in datagrams]
    assert [header.sequence for header, _ in opened] == [1, 2, 3]
    assert len(datagrams[0]) == 1098
    whole = b""
    for header, plaintext in opened:
        assert header.is_fragment
        assert header.need_ack
        assert header.message_type == MessageType.SYSTEM_TEXT_INPUT
        assert header.channel_id == 9
        fragment = MessageFragment.decode(plaintext)
        assert (fragment.sequence_begin, fragment.sequence_end) == (1, 4)
        whole += fragment.data
    assert whole == encode_message(message)
    talk.receive(talk.console.ack([1]), talk.console.ack([3]))
    assert talk.took() == []
    talk.receive(talk.console.ack([2]))
    assert talk.took() == [SendFinished(send_id, SendOutcome.ACKED)]


def test_one_rejected_fragment_fails_the_message(talk: Talk) -> None:
    message = SystemTextInput(1, 0, 1, 0, -1, -1, 0, 0, "x" * 2500)
    send_id = talk.session.send(message, talk.now)
    assert len(talk.session.take_datagrams()) == 3
    talk.receive(talk.console.ack([1], [2]))
    assert talk.took() == [SendFinished(send_id, SendOutcome.REJECTED)]
    assert talk.session.pending_sends == 0


def test_long_objects_go_in_pieces(talk: Talk) -> None:
    send_id = talk.session.send_json({"a": "x" * 2000}, talk.now, channel_id=9)
    sent = talk.sent()
    assert len(sent) == 3
    for header, message in sent:
        assert isinstance(message, Json)
        assert not header.is_fragment
        assert header.need_ack
        assert '"datagram_id":"1"' in message.text
    talk.session.send_json({"a": 1}, talk.now, channel_id=9)
    ((_, message),) = talk.sent()
    assert message == Json('{"a":1}')
    talk.receive(talk.console.ack([1, 2, 3]))
    assert talk.took() == [SendFinished(send_id, SendOutcome.ACKED)]


def test_what_does_not_fit_is_not_sent(talk: Talk) -> None:
    with pytest.raises(ProtocolError):
        talk.session.send(GameDvrRecord(2**31, 0), talk.now)
    assert talk.sent() == []
    talk.session.send(RECORD, talk.now)
    assert [header.sequence for header, _ in talk.sent()] == [1]


# Life and death.


def test_heartbeats_are_acks_that_need_an_ack(talk: Talk) -> None:
    talk.say(status(1))
    ((header, heartbeat),) = talk.wait(2.0)
    assert heartbeat == Ack(1)
    assert header.need_ack
    assert header.message_type == MessageType.ACK
    assert header.channel_id == 0
    talk.receive(talk.console.ack([header.sequence]))
    ((header, _),) = talk.wait(2.0)
    assert header.sequence == 3
    assert talk.took()[1:] == []


def test_a_heartbeat_of_the_console_is_acked(talk: Talk) -> None:
    ((_, ack),) = talk.say(Ack(0))
    assert ack == Ack(1, (1,), ())


def test_a_heartbeat_is_repeated_and_not_doubled(talk: Talk) -> None:
    sent = talk.wait(4.1)
    assert {header.sequence for header, _ in sent} == {1}
    assert len(sent) > 3


def test_a_console_that_lives_is_not_given_up(talk: Talk) -> None:
    for _ in range(20):
        sent = talk.wait(2.0)
        talk.receive(talk.console.ack({header.sequence for header, _ in sent}))
    assert not talk.session.is_over


def test_silence_ends_the_session_after_its_time(talk: Talk) -> None:
    talk.say(status(1))
    talk.wait(5.9)
    assert talk.session.next_due() is not None
    assert talk.session.quiet_for(talk.now) == pytest.approx(5.9)
    talk.took()
    talk.wait(0.2)
    assert talk.session.is_over
    assert talk.took() == [SessionEnded(LossReason.SILENCE, None, was_empty=False)]
    assert talk.session.next_due() is None
    talk.session.tick(talk.now)
    assert talk.took() == []


def test_silence_after_an_empty_list_of_titles_comes_sooner(talk: Talk) -> None:
    talk.say(status(1))
    talk.say(status())
    assert talk.session.was_empty
    talk.took()
    talk.wait(4.1)
    assert talk.took() == [SessionEnded(LossReason.SILENCE, None, was_empty=True)]


def test_titles_that_come_back_make_it_not_empty(talk: Talk) -> None:
    talk.say(status())
    talk.say(status(1))
    assert not talk.session.was_empty
    talk.wait(4.1)
    assert not talk.session.is_over


def test_repetitions_of_others_do_not_keep_a_session_alive(talk: Talk) -> None:
    datagram = talk.console.seal(status(1))
    for _ in range(7):
        talk.receive(datagram)
        talk.wait(1.0)
    assert talk.session.is_over


def test_a_loop_that_was_held_up_asks_before_it_gives_up(talk: Talk) -> None:
    talk.now += 60
    talk.session.tick(talk.now)
    assert [message for _, message in talk.sent()] == [Ack(0)]
    talk.wait(3.9)
    assert not talk.session.is_over
    talk.wait(0.2)
    assert talk.session.is_over


def test_a_loop_that_was_held_up_while_it_waited_asks_again(talk: Talk) -> None:
    talk.wait(3.0)
    talk.now += 60
    talk.session.tick(talk.now)
    assert len(talk.sent()) == 1
    talk.wait(3.9)
    assert not talk.session.is_over
    talk.wait(0.2)
    assert talk.session.is_over


@pytest.mark.parametrize("lag", [0.15, 1.0, 5.0])
def test_a_loop_that_is_always_late_finds_out_all_the_same(
    talk: Talk, lag: float
) -> None:
    started = talk.now
    while not talk.session.is_over:
        due = talk.session.next_due()
        assert due is not None
        talk.now = max(talk.now, due) + lag
        talk.session.tick(talk.now)
        talk.sent()
    assert talk.now - started < 2 * talk.timing.silence + 4 * lag


def test_watching_closely_asks_at_once_and_often(talk: Talk) -> None:
    talk.session.watch_closely(0.5, talk.now)
    sent = talk.wait(0.0)
    assert [message for _, message in sent] == [Ack(0)]
    talk.receive(talk.console.ack([1]))
    assert [header.sequence for header, _ in talk.wait(0.5)] == [2]


def test_a_disconnect_of_the_console_ends_the_session(talk: Talk) -> None:
    talk.session.send(RECORD, talk.now)
    talk.sent()
    assert talk.say(Disconnect(DisconnectReason.POWER_OFF), need_ack=False) == []
    assert talk.took() == [
        SessionEnded(LossReason.DISCONNECTED, DisconnectReason.POWER_OFF)
    ]
    assert talk.session.is_over
    assert talk.session.pending_sends == 0
    assert talk.say(status(1)) == []
    assert talk.took() == []


def test_closing_says_goodbye_without_an_event(talk: Talk) -> None:
    talk.session.send(RECORD, talk.now)
    talk.sent()
    talk.session.close(DisconnectReason.APP_CLOSE)
    sent = talk.sent()
    assert len(sent) == DISCONNECT_COPIES
    for header, message in sent:
        assert message == Disconnect(DisconnectReason.APP_CLOSE, 0)
        assert header.sequence == 2
        assert not header.need_ack
    assert talk.took() == []
    assert talk.session.is_over
    talk.session.close(DisconnectReason.APP_CLOSE)
    assert talk.sent() == []


@pytest.mark.parametrize("tuples", [{"acks": ()}, {"connect": ()}, {"acks": (0.0,)}])
def test_timing_that_cannot_be(tuples: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match=r"There has|Pauses"):
        Timing(**tuples)  # type: ignore[arg-type]
