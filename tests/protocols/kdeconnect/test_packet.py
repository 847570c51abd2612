"""Packets: what is written and what is put up with when reading."""

import time
from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import json_objects
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import (
    JsonObject,
    JsonValue,
    decode_json,
)
from custom_components.rumpus.protocols.kdeconnect.packet import (
    ACCEPTED_PAYLOAD_PORTS,
    MAX_TYPE,
    Packet,
    Payload,
    decode_packet,
    encode_packet,
)

ports = st.integers(ACCEPTED_PAYLOAD_PORTS.start, ACCEPTED_PAYLOAD_PORTS.stop - 1)
payloads = st.builds(Payload, st.none() | st.integers(0, 2**53), ports)
packets = st.builds(
    Packet,
    st.from_regex(r"kdeconnect\.[a-z_.]{1,40}", fullmatch=True),
    json_objects,
    st.none() | payloads,
)


def written(packet: Packet) -> JsonObject:
    """Return the JSON object on the line of a packet."""
    return cast(JsonObject, decode_json(encode_packet(packet, now_ms=1)))


@settings(deadline=None)
@given(packets, st.integers(0, 2**53))
def test_round_trip(packet: Packet, now_ms: int) -> None:
    line = encode_packet(packet, now_ms=now_ms)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    message = cast(JsonObject, decode_json(line))
    assert message["id"] == now_ms
    assert decode_packet(message) == packet


@settings(deadline=None)
@given(json_objects)
def test_any_object_is_a_packet_or_a_protocol_error(message: JsonObject) -> None:
    try:
        packet = decode_packet(message)
    except ProtocolError:
        return
    assert packet.type == message["type"]


def test_members_are_all_written() -> None:
    assert written(Packet("kdeconnect.ping")) == {
        "id": 1,
        "type": "kdeconnect.ping",
        "body": {},
    }


def test_id_is_the_clock_in_milliseconds() -> None:
    before = int(time.time() * 1000)
    message = cast(JsonObject, decode_json(encode_packet(Packet("kdeconnect.ping"))))
    after = int(time.time() * 1000)

    number = message["id"]
    assert isinstance(number, int)
    assert before <= number <= after


@pytest.mark.parametrize(("size", "announced"), [(70, 70), (0, 0), (None, -1)])
def test_payload_members_are_written_together(size: int | None, announced: int) -> None:
    message = written(Packet("kdeconnect.mpris", payload=Payload(size, 1739)))

    assert message["payloadSize"] == announced
    assert message["payloadTransferInfo"] == {"port": 1739}


@pytest.mark.parametrize("packet_id", ["1795249507910", 1795249507, 1.5, None, [], {}])
def test_id_is_ignored(packet_id: JsonValue) -> None:
    message: JsonObject = {
        "id": packet_id,
        "type": "kdeconnect.ping",
        "body": {},
        "": 1,
    }

    assert decode_packet(message) == Packet("kdeconnect.ping")


@pytest.mark.parametrize("message", [{}, {"body": None}])
def test_missing_body_is_empty(message: JsonObject) -> None:
    assert decode_packet({"type": "kdeconnect.ping", **message}) == Packet(
        "kdeconnect.ping"
    )


@pytest.mark.parametrize("body", [[], "{}", 0, False])
def test_body_of_another_type_is_refused(body: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_packet({"type": "kdeconnect.ping", "body": body})


@pytest.mark.parametrize(
    "packet_type", [None, 1, [], "", "kdeconnect ping", "a\nb", "kdé"]
)
def test_unusable_type_is_refused(packet_type: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_packet({"type": packet_type, "body": {}})


def test_type_is_required() -> None:
    with pytest.raises(ProtocolError):
        decode_packet({"body": {}})


def test_limit_of_type_length() -> None:
    assert decode_packet({"type": "t" * MAX_TYPE}).type == "t" * MAX_TYPE
    with pytest.raises(ProtocolError):
        decode_packet({"type": "t" * (MAX_TYPE + 1)})


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (70, 70),
        ("70", 70),
        (70.0, 70),
        (0, 0),
        (-1, None),
        (-7, None),
        (None, None),
        ([], None),
    ],
)
def test_payload_size(size: JsonValue, expected: int | None) -> None:
    packet = decode_packet(
        {"type": "t", "payloadSize": size, "payloadTransferInfo": {"port": "1739"}}
    )

    assert packet.payload == Payload(expected, 1739)


@pytest.mark.parametrize("info", [None, {}, [], "1739", 1739])
def test_size_without_transfer_info_is_no_payload(info: JsonValue) -> None:
    packet = decode_packet(
        {"type": "t", "payloadSize": 70, "payloadTransferInfo": info}
    )

    assert packet.payload is None


def test_size_alone_is_no_payload() -> None:
    assert decode_packet({"type": "t", "payloadSize": 70}).payload is None


@pytest.mark.parametrize("port", [1024, 1739, 65535])
def test_payload_port(port: int) -> None:
    packet = decode_packet({"type": "t", "payloadTransferInfo": {"port": port}})

    assert packet.payload == Payload(None, port)


@pytest.mark.parametrize("port", [1023, 65536, 0, -1, None, "http", [], True])
def test_limit_of_payload_port(port: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_packet({"type": "t", "payloadTransferInfo": {"port": port}})


def test_payload_without_a_port_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decode_packet({"type": "t", "payloadTransferInfo": {"uuid": "x"}})


def test_body_is_not_shown() -> None:
    assert "secret" not in repr(Packet("t", {"message": "secret"}))
