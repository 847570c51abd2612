"""Dictated text for a TV."""

from hypothesis import given, settings
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    bigscreen,
    decode_message,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.bigscreen import (
    MAX_DICTATION,
    Dictation,
)

TYPE = "kdeconnect.bigscreen.stt"


@settings(deadline=None)
@given(texts.filter(bool))
def test_round_trip(content: str) -> None:
    packet = bigscreen.dictate(content)

    assert packet == Packet(TYPE, {"type": "stt", "content": content})
    assert decode_message(packet) == Dictation(content)


@pytest.mark.parametrize("content", [None, "", 7, []])
def test_no_text_is_refused(content: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"type": "stt", "content": content}))


def test_limit_of_text() -> None:
    fitting = "t" * MAX_DICTATION

    assert decode_message(bigscreen.dictate(fitting)) == Dictation(fitting)
    with pytest.raises(ProtocolError):
        decode_message(bigscreen.dictate(fitting + "t"))


@settings(deadline=None)
@given(bodies("type", "content"))
def test_any_packet_is_a_message_or_a_protocol_error(body: JsonObject) -> None:
    try:
        message = decode_message(Packet(TYPE, body))
    except ProtocolError:
        return
    assert isinstance(message, Dictation)


def test_text_is_not_shown() -> None:
    assert "secret" not in repr(Dictation("secret"))
