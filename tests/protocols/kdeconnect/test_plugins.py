"""All plugins together: what we list, understand and ask for."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.kdeconnect.identity import DeviceType, Identity
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    INCOMING_CAPABILITIES,
    OUTGOING_CAPABILITIES,
    decode_message,
    greetings,
)

FIELDS = (
    "albumArtUrl",
    "canAddCommand",
    "commandList",
    "currentCharge",
    "isCharging",
    "isLocked",
    "length",
    "lockResult",
    "loopStatus",
    "message",
    "nowPlaying",
    "player",
    "playerList",
    "thresholdEvent",
    "title",
    "transferringAlbumArt",
    "volume",
)


def peer(*incoming: str) -> Identity:
    """Return the identity of a peer that accepts some types."""
    types = frozenset(f"kdeconnect.{name}" for name in incoming)
    return Identity("a" * 32, "Peer", DeviceType.PHONE, 8, types, frozenset())


def asked(identity: Identity) -> set[str]:
    """Return the types of all greetings."""
    return {packet.type.removeprefix("kdeconnect.") for packet in greetings(identity)}


def test_capabilities() -> None:
    """We list what we handle, and nothing that needs a screen or a pointer of our own."""
    names = {
        name.removeprefix("kdeconnect.")
        for name in INCOMING_CAPABILITIES | OUTGOING_CAPABILITIES
    }
    assert {"battery", "mpris", "ping", "runcommand.request"} <= names
    # What we control on devices, they control here.
    for name in ("mpris", "runcommand", "systemvolume"):
        both = {f"kdeconnect.{name}", f"kdeconnect.{name}.request"}
        assert both <= INCOMING_CAPABILITIES
        assert both <= OUTGOING_CAPABILITIES
    assert not any(name.startswith(("virtualmonitor", "shareinput")) for name in names)
    assert "kdeconnect.mousepad.request" not in INCOMING_CAPABILITIES
    assert "kdeconnect.lock.request" not in INCOMING_CAPABILITIES


@settings(deadline=None)
@given(
    st.sampled_from(sorted(INCOMING_CAPABILITIES)),
    bodies(*FIELDS),
    st.none() | st.just(Payload(1, 1739)),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject, payload: Payload | None
) -> None:
    try:
        message = decode_message(Packet(packet_type, body, payload))
    except ProtocolError:
        return
    assert message is not None


@pytest.mark.parametrize(
    "packet_type",
    [
        "kdeconnect.unheard_of",
        "kdeconnect.identity",
        "ping",
        "x",
    ],
)
def test_other_types_are_not_handled(packet_type: str) -> None:
    assert decode_message(Packet(packet_type, {"playerList": 7})) is None


def test_greetings_ask_for_what_the_peer_accepts() -> None:
    assert asked(peer("lock.request", "ping")) == {"lock.request"}
    assert asked(peer("runcommand.request")) == {"runcommand.request"}
    assert asked(peer("mpris.request")) == {"mpris.request"}
    assert asked(peer("battery.request", "battery")) == {"battery.request"}
    assert asked(peer("ping")) == set()


def test_greetings_of_an_unknown_peer_leave_out_what_is_deprecated() -> None:
    assert asked(peer()) == {"lock.request", "runcommand.request", "mpris.request"}


def test_greetings_change_nothing_at_the_peer() -> None:
    bodies = [packet.body for packet in greetings(peer())]

    assert bodies == [
        {"requestLocked": True},
        {"requestCommandList": True},
        {"requestPlayerList": True},
    ]
