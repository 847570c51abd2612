"""Packets about calls, and what becomes of them."""

import base64

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    telephony,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.telephony import (
    MAX_MESSAGE,
    MAX_NUMBER,
    MAX_THUMBNAIL,
    CallEvent,
    CallEventKind,
    CallKind,
    CallMessage,
    CallState,
    CallTracker,
    OldSms,
)

TYPE = "kdeconnect.telephony"
NUMBER = "+15550001"

messages = st.builds(
    CallMessage,
    st.sampled_from(CallKind),
    st.sampled_from([None, NUMBER, "+15550002"]),
    st.sampled_from([None, "Ann"]),
    st.booleans(),
)


def call(event: str, **fields: JsonValue) -> CallMessage:
    """Return the message in a packet about a call."""
    message = decode_message(Packet(TYPE, {"event": event, **fields}))
    assert isinstance(message, CallMessage)
    return message


def events(*received: CallMessage) -> list[str]:
    """Return what has happened after some messages."""
    tracker = CallTracker()
    found = [tracker.received(message) for message in received]
    return [event.kind.value for event in found if event is not None]


RINGING = call("ringing", phoneNumber=NUMBER, contactName="Ann")
TALKING = call("talking", phoneNumber=NUMBER, contactName="Ann")
MISSED = call("missedCall", phoneNumber=NUMBER, contactName="Ann")
RINGING_OVER = call("ringing", phoneNumber=NUMBER, isCancel="true")
TALKING_OVER = call("talking", phoneNumber=NUMBER, isCancel="true")


def test_ringing_with_everything() -> None:
    packet = Packet(
        TYPE,
        {
            "event": "ringing",
            "phoneNumber": NUMBER,
            "contactName": "Ann",
            "phoneThumbnail": base64.encodebytes(b"\xff\xd8" * 60).decode(),
        },
    )

    message = decode_message(packet)

    assert isinstance(message, CallMessage)
    assert (message.kind, message.number, message.contact, message.is_over) == (
        CallKind.RINGING,
        NUMBER,
        "Ann",
        False,
    )
    assert message.thumbnail == b"\xff\xd8" * 60


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("false", False), (None, False), ("?", False)],
)
def test_end_is_also_sent_as_text(value: JsonValue, expected: bool) -> None:
    assert call("talking", isCancel=value).is_over is expected


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("missedCall", CallKind.MISSED),
        ("disconnected", CallKind.DISCONNECTED),
        ("Unknown", CallKind.UNKNOWN),
        ("onHold", CallKind.UNKNOWN),
    ],
)
def test_unknown_events_survive(event: str, kind: CallKind) -> None:
    assert call(event) == CallMessage(kind)


@pytest.mark.parametrize("picture", [None, "", "A", "***", 7])
def test_unreadable_pictures_are_none(picture: JsonValue) -> None:
    assert call("ringing", phoneThumbnail=picture).thumbnail is None


def test_limit_of_number() -> None:
    fitting = "1" * MAX_NUMBER

    assert call("ringing", phoneNumber=fitting).number == fitting
    assert call("ringing", phoneNumber=fitting + "1").number is None


def test_limit_of_contact() -> None:
    name = "n" * (MAX_TEXT + 1)

    assert call("ringing", contactName=name).contact == name[:-1]


def test_limit_of_thumbnail() -> None:
    fitting = base64.b64encode(bytes(MAX_THUMBNAIL)).decode()
    bigger = base64.b64encode(bytes(MAX_THUMBNAIL + 1)).decode()

    assert call("ringing", phoneThumbnail=fitting).thumbnail == bytes(MAX_THUMBNAIL)
    assert call("ringing", phoneThumbnail=bigger).thumbnail is None
    # Far too long a text is not even kept.
    assert call("ringing", phoneThumbnail=bigger * 3).encoded_thumbnail is None


def test_old_sms() -> None:
    packet = Packet(
        TYPE,
        {
            "event": "sms",
            "phoneNumber": NUMBER,
            "contactName": "Ann",
            "messageBody": "hello",
        },
    )

    assert decode_message(packet) == OldSms(NUMBER, "Ann", "hello")


def test_limit_of_old_sms() -> None:
    text = "m" * (MAX_MESSAGE + 1)

    message = decode_message(Packet(TYPE, {"event": "sms", "messageBody": text}))

    assert message == OldSms(None, None, text[:-1])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": ""},
        {"event": None},
        {"event": 7},
        {"event": "sms"},
        {"event": "sms", "messageBody": "hello", "isCancel": "true"},
    ],
)
def test_packets_of_no_use_are_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, body))


@settings(deadline=None)
@given(
    bodies("event", "phoneNumber", "contactName", "phoneThumbnail", "isCancel"),
    st.sampled_from(["ringing", "sms", None]),
)
def test_any_packet_is_read_or_refused(body: JsonObject, event: str | None) -> None:
    fields = body if event is None else {**body, "event": event}
    try:
        message = decode_message(Packet(TYPE, fields))
    except ProtocolError:
        return
    assert isinstance(message, CallMessage | OldSms)


def test_nothing_private_is_shown() -> None:
    shown = repr(
        [
            call("ringing", phoneNumber="secret", contactName="secret"),
            CallMessage(CallKind.RINGING, encoded_thumbnail="secret"),
            OldSms("secret", "secret", "secret"),
            CallEvent(CallEventKind.RINGING, "secret", "secret"),
        ]
    )

    assert "secret" not in shown


def test_mute() -> None:
    assert telephony.request_mute() == Packet(
        "kdeconnect.telephony.request_mute", {"event": "mute", "action": "mute"}
    )


def test_unanswered_call() -> None:
    assert events(RINGING, RINGING_OVER, MISSED) == ["ringing", "ended", "missed"]


def test_answered_call() -> None:
    assert events(RINGING, TALKING, TALKING_OVER) == ["ringing", "talking", "ended"]


def test_state_and_other_of_a_call() -> None:
    tracker = CallTracker()
    assert (tracker.state, tracker.number, tracker.contact) == (
        CallState.IDLE,
        None,
        None,
    )

    tracker.received(RINGING)
    assert (tracker.state, tracker.number, tracker.contact) == (
        CallState.RINGING,
        NUMBER,
        "Ann",
    )

    # The rest of the call lacks the number.
    assert tracker.received(call("talking")) == CallEvent(
        CallEventKind.TALKING, NUMBER, "Ann"
    )
    assert tracker.state is CallState.TALKING

    assert tracker.received(call("talking", isCancel=True)) == CallEvent(
        CallEventKind.ENDED, NUMBER, "Ann"
    )
    assert (tracker.state, tracker.number, tracker.contact) == (
        CallState.IDLE,
        None,
        None,
    )


def test_repeated_messages_happen_once() -> None:
    assert events(RINGING, RINGING, TALKING, TALKING, TALKING_OVER, TALKING_OVER) == [
        "ringing",
        "talking",
        "ended",
    ]


def test_ringing_again_with_the_number_tells_it() -> None:
    tracker = CallTracker()

    assert tracker.received(call("ringing")) == CallEvent(CallEventKind.RINGING)
    assert tracker.received(RINGING) == CallEvent(CallEventKind.RINGING, NUMBER, "Ann")
    assert tracker.received(call("ringing")) is None


def test_second_call_during_another() -> None:
    tracker = CallTracker()
    tracker.received(TALKING)

    assert tracker.received(call("ringing", phoneNumber="2")) == CallEvent(
        CallEventKind.RINGING, "2"
    )
    assert tracker.state is CallState.RINGING
    # Refused; the first goes on.
    assert tracker.received(TALKING) == CallEvent(CallEventKind.TALKING, NUMBER, "Ann")


def test_unnamed_second_call_is_not_taken_for_the_first() -> None:
    tracker = CallTracker()
    tracker.received(TALKING)

    assert tracker.received(call("ringing")) == CallEvent(CallEventKind.RINGING)
    assert tracker.number is None


def test_missed_without_an_end_stops_the_ringing() -> None:
    tracker = CallTracker()
    tracker.received(RINGING)

    assert tracker.received(call("missedCall")) == CallEvent(
        CallEventKind.MISSED, NUMBER, "Ann"
    )
    assert tracker.state is CallState.IDLE


def test_missed_during_a_call_does_not_end_it() -> None:
    tracker = CallTracker()
    tracker.received(TALKING)

    assert tracker.received(call("missedCall", phoneNumber="2")) == CallEvent(
        CallEventKind.MISSED, "2"
    )
    assert (tracker.state, tracker.number) == (CallState.TALKING, NUMBER)


def test_missed_that_is_taken_back_is_nothing() -> None:
    assert events(call("missedCall", isCancel=True)) == []


def test_modems_disconnect() -> None:
    assert events(TALKING, call("disconnected"), call("disconnected")) == [
        "talking",
        "ended",
    ]


def test_unknown_events_change_nothing() -> None:
    assert events(RINGING, call("onHold"), call("onHold", isCancel=True)) == ["ringing"]


def test_end_of_a_call_that_began_before_the_link() -> None:
    assert events(TALKING_OVER, TALKING_OVER) == ["ended"]
    assert events(MISSED, TALKING_OVER) == ["missed"]


def test_reset() -> None:
    tracker = CallTracker()
    tracker.received(RINGING)
    tracker.reset()

    assert (tracker.state, tracker.number) == (CallState.IDLE, None)
    # What was missed of the call is not known.
    assert tracker.received(TALKING_OVER) is not None


@settings(deadline=None)
@given(st.lists(messages, max_size=12))
def test_any_sequence_leaves_a_sound_state(received: list[CallMessage]) -> None:
    tracker = CallTracker()
    for message in received:
        before = tracker.state
        event = tracker.received(message)

        if event is None:
            assert tracker.state is before
        elif event.kind is CallEventKind.ENDED:
            assert tracker.state is CallState.IDLE
        elif event.kind is CallEventKind.MISSED:
            assert tracker.state is not CallState.RINGING
        else:
            assert tracker.state.value == event.kind.value
            assert tracker.number == event.number
        if tracker.state is CallState.IDLE:
            assert tracker.number is tracker.contact is None
