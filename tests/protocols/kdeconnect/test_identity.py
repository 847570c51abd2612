"""Identities: captured ones, hostile ones, and our own in all its forms."""

from dataclasses import replace
from pathlib import Path
from typing import cast
import unicodedata

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import (
    JsonObject,
    JsonValue,
    decode_json,
)
from custom_components.rumpus.protocols.kdeconnect.identity import (
    MAX_CAPABILITIES,
    MAX_CAPABILITY,
    MAX_NAME,
    DeviceType,
    Identity,
    filter_name,
    is_valid_device_id,
    parse_identity,
)
from custom_components.rumpus.protocols.kdeconnect.packet import (
    Packet,
    decode_packet,
    encode_packet,
)

CAPTURES = (
    (Path(__file__).parent / "vectors" / "identities.jsonl").read_bytes().splitlines()
)
KDE_26, KDE_22, GSCONNECT, VALENT = range(4)

DEVICE_ID = "0123456789abcdef0123456789abcdef"
BODY: JsonObject = {
    "deviceId": DEVICE_ID,
    "deviceName": "Phone",
    "deviceType": "phone",
    "protocolVersion": 8,
    "incomingCapabilities": ["kdeconnect.ping"],
    "outgoingCapabilities": ["kdeconnect.battery"],
}

capabilities = st.frozensets(
    st.from_regex(r"kdeconnect\.[a-z_.]{1,20}", fullmatch=True), max_size=5
)
identities = st.builds(
    Identity,
    st.from_regex(r"[a-zA-Z0-9_-]{32,38}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"])).map(filter_name).filter(bool),
    st.sampled_from(DeviceType),
    st.integers(7, 9),
    capabilities,
    capabilities,
)


def captured(number: int) -> Identity:
    """Return the identity of a captured line."""
    return parse_identity(
        decode_packet(cast(JsonObject, decode_json(CAPTURES[number])))
    )


def parsed(**changes: JsonValue) -> Identity:
    """Return the identity of an ordinary packet with some members changed."""
    return parse_identity(Packet("kdeconnect.identity", {**BODY, **changes}))


def without(key: str) -> Packet:
    """Return an ordinary packet that lacks a member."""
    return Packet("kdeconnect.identity", {k: v for k, v in BODY.items() if k != key})


def test_capture_of_kde_26() -> None:
    identity = captured(KDE_26)

    assert len(identity.incoming) == 35
    assert len(identity.outgoing) == 35
    assert replace(identity, incoming=frozenset(), outgoing=frozenset()) == Identity(
        "4ab2e30b84a944bf80366fb708d7271e",
        "b",
        DeviceType.DESKTOP,
        8,
        target_device_id="278f153dfae74c2f8842deef82f5c7fe",
        target_protocol_version=8,
    )
    assert identity.accepts("kdeconnect.lock.request")
    assert not identity.accepts("kdeconnect.battery.request")
    assert identity.sends("kdeconnect.sftp.request")
    assert not identity.sends("kdeconnect.sftp")


def test_capture_of_kde_22() -> None:
    identity = captured(KDE_22)

    assert identity.device_id == "_1df370f4_ce88_4275_a597_8cdaed203f37_"
    assert identity.protocol_version == 7
    assert identity.accepts("kdeconnect.battery.request")
    assert identity.target_device_id is None
    assert identity.target_protocol_version is None


def test_capture_of_gsconnect() -> None:
    identity = captured(GSCONNECT)

    assert (identity.name, identity.tcp_port) == ("gs", 1716)
    assert (len(identity.incoming), len(identity.outgoing)) == (24, 28)


def test_capture_of_valent() -> None:
    identity = captured(VALENT)

    assert (identity.name, identity.tcp_port) == ("valent", 1716)
    assert identity.target_device_id == "dfd070042cc2462dbcf8a1550f472968"
    assert identity.target_protocol_version == 8


@settings(deadline=None)
@given(identities)
def test_round_trip(identity: Identity) -> None:
    line = encode_packet(identity.to_packet())

    assert (
        parse_identity(decode_packet(cast(JsonObject, decode_json(line)))) == identity
    )


@settings(deadline=None)
@given(identities, identities)
def test_forms(identity: Identity, target: Identity) -> None:
    encrypted = identity.to_packet()
    udp = identity.to_packet(tcp_port=1717)
    clear = identity.to_packet(target=target)

    assert encrypted.body.keys() == BODY.keys()
    assert udp.body == {**encrypted.body, "tcpPort": 1717}
    assert clear.body == {
        **encrypted.body,
        "targetDeviceId": target.device_id,
        "targetProtocolVersion": target.protocol_version,
    }
    assert parse_identity(udp) == replace(identity, tcp_port=1717)
    assert parse_identity(clear) == replace(
        identity,
        target_device_id=target.device_id,
        target_protocol_version=target.protocol_version,
    )


def test_what_was_received_is_not_written_back() -> None:
    identity = parsed(tcpPort=1716, targetDeviceId="x", targetProtocolVersion=8)

    assert identity.to_packet().body == BODY


def test_arrays_are_there_even_when_they_are_left_out() -> None:
    packet = parsed().to_packet(tcp_port=1716, with_capabilities=False)

    assert packet.body["incomingCapabilities"] == []
    assert packet.body["outgoingCapabilities"] == []
    identity = parse_identity(packet)
    assert identity.accepts("kdeconnect.anything")
    assert identity.sends("kdeconnect.anything")


@settings(deadline=None)
@given(
    bodies(*BODY, "tcpPort", "targetDeviceId", "targetProtocolVersion"), st.booleans()
)
def test_any_body_is_an_identity_or_a_protocol_error(
    body: JsonObject, merged: bool
) -> None:
    body = {**BODY, **body} if merged else body
    try:
        identity = parse_identity(Packet("kdeconnect.identity", body))
    except ProtocolError:
        return
    assert is_valid_device_id(identity.device_id)
    assert identity.name == filter_name(identity.name) != ""
    assert identity.protocol_version >= 7


def test_another_packet_type_is_refused() -> None:
    with pytest.raises(ProtocolError):
        parse_identity(Packet("kdeconnect.pair", BODY))


@pytest.mark.parametrize("key", ["deviceId", "deviceName", "protocolVersion"])
def test_required_members(key: str) -> None:
    with pytest.raises(ProtocolError):
        parse_identity(without(key))


@pytest.mark.parametrize(
    "device_id",
    [
        "a" * 32,
        "A" * 38,
        "_1df370f4_ce88_4275_a597_8cdaed203f37_",
        "0-9a-zA-Z_" * 3 + "ab",
    ],
)
def test_valid_device_ids(device_id: str) -> None:
    assert is_valid_device_id(device_id)
    assert parsed(deviceId=device_id).device_id == device_id


@pytest.mark.parametrize(
    "device_id",
    ["", "a" * 31, "a" * 39, "a" * 31 + "é", "a" * 32 + "\n", "a" * 31 + "/", 7, None],
)
def test_limit_of_device_id(device_id: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        parsed(deviceId=device_id)


def test_our_own_identity_is_refused() -> None:
    packet = Packet("kdeconnect.identity", BODY)

    assert parse_identity(packet, own_device_id="f" * 32).device_id == DEVICE_ID
    with pytest.raises(ProtocolError):
        parse_identity(packet, own_device_id=DEVICE_ID)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Phone", "Phone"),
        ("  Anna's phone! ", "Annas phone"),
        ("\"',;:.!?()[]<>x", "x"),
        ("Jörg 📱", "Jörg 📱"),
        ("a\nb\x00c\u2028d", "abcd"),
        ("\u202egnp\u202c", "gnp"),
        ("  \t ", ""),
        ("...", ""),
        ("\ud800", ""),
    ],
)
def test_filter_name(name: str, shown: str) -> None:
    assert filter_name(name) == shown


@settings(deadline=None)
@given(st.text())
def test_filtered_names_stay(name: str) -> None:
    filtered = filter_name(name)

    assert filter_name(filtered) == filtered
    assert len(filtered) <= MAX_NAME
    assert filtered == filtered.strip()


def test_no_more_is_looked_at_of_a_name_than_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Strangers may send long ones with every datagram."""
    looked_at: list[str] = []
    category = unicodedata.category

    def noted(character: str) -> str:
        looked_at.append(character)
        return category(character)

    monkeypatch.setattr(unicodedata, "category", noted)
    assert filter_name("a" * 7000) == "a" * MAX_NAME
    assert len(looked_at) == MAX_NAME


def test_limit_of_name() -> None:
    assert parsed(deviceName="n" * (MAX_NAME + 1)).name == "n" * MAX_NAME


def test_names_are_filtered_before_they_are_cut() -> None:
    assert parsed(deviceName="!" * 40 + "n").name == "n"


@pytest.mark.parametrize("name", ["", "   ", "()[]", " " * 32 + "x", 7, None, ["x"]])
def test_unusable_names_are_refused(name: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        parsed(deviceName=name)


@pytest.mark.parametrize(
    ("text", "device_type"),
    [
        ("desktop", DeviceType.DESKTOP),
        ("laptop", DeviceType.LAPTOP),
        ("phone", DeviceType.PHONE),
        ("smartphone", DeviceType.PHONE),
        ("tablet", DeviceType.TABLET),
        ("tv", DeviceType.TV),
        ("unknown", DeviceType.UNKNOWN),
        ("fridge", DeviceType.UNKNOWN),
        ("", DeviceType.UNKNOWN),
        (None, DeviceType.UNKNOWN),
        (3, DeviceType.UNKNOWN),
    ],
)
def test_device_type(text: JsonValue, device_type: DeviceType) -> None:
    assert parsed(deviceType=text).device_type is device_type


def test_device_type_may_be_missing() -> None:
    assert parse_identity(without("deviceType")).device_type is DeviceType.UNKNOWN


@pytest.mark.parametrize(
    ("version", "number"), [(7, 7), (8, 8), ("8", 8), (8.0, 8), (9, 9)]
)
def test_protocol_version(version: JsonValue, number: int) -> None:
    assert parsed(protocolVersion=version).protocol_version == number


@pytest.mark.parametrize("version", [6, "6", 0, -8, None, True, "eight", [8]])
def test_limit_of_protocol_version(version: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        parsed(protocolVersion=version)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (1716, 1716),
        ("1764", 1764),
        (1715, None),
        (1765, None),
        (None, None),
        ("x", None),
    ],
)
def test_limit_of_tcp_port(port: JsonValue, expected: int | None) -> None:
    assert parsed(tcpPort=port).tcp_port == expected


def test_target_members_as_others_write_them() -> None:
    identity = parsed(targetDeviceId="manual", targetProtocolVersion="8")

    assert (identity.target_device_id, identity.target_protocol_version) == (
        "manual",
        8,
    )


@pytest.mark.parametrize("value", [None, "kdeconnect.ping", 7, {"kdeconnect.ping": 1}])
def test_capabilities_that_are_no_array_are_unknown(value: JsonValue) -> None:
    identity = parsed(incomingCapabilities=value, outgoingCapabilities=value)

    assert identity.incoming == identity.outgoing == frozenset()


def test_missing_capabilities_are_unknown() -> None:
    assert parse_identity(without("incomingCapabilities")).incoming == frozenset()


def test_capabilities_of_other_types_are_left_out() -> None:
    assert parsed(incomingCapabilities=[1, "a", None, ["b"]]).incoming == {"a"}


def test_limit_of_capabilities() -> None:
    many: list[JsonValue] = [
        f"kdeconnect.{number}" for number in range(MAX_CAPABILITIES + 1)
    ]

    assert parsed(incomingCapabilities=many).incoming == frozenset(many[:-1])


def test_limit_of_capability_length() -> None:
    fitting = "k" * MAX_CAPABILITY

    assert parsed(outgoingCapabilities=[fitting, fitting + "k"]).outgoing == {fitting}
