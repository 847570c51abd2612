"""The peer's screen as one more monitor."""

from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_ID, MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    virtualmonitor,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.virtualmonitor import (
    MAX_RESOLUTIONS,
    MAX_SCALE,
    MAX_URL,
    MonitorFailed,
    MonitorOffer,
    MonitorRequest,
    Resolution,
)

TYPE = "kdeconnect.virtualmonitor"
REQUEST = "kdeconnect.virtualmonitor.request"

resolutions = st.builds(
    Resolution,
    st.integers(1, 99_999),
    st.integers(1, 99_999),
    st.floats(0.1, MAX_SCALE),
)


def found(*entries: JsonValue) -> tuple[Resolution, ...]:
    """Return the resolutions of an offer."""
    packet = Packet(TYPE, {"resolutions": list(entries)})
    return cast(MonitorOffer, decode_message(packet)).resolutions


@settings(deadline=None)
@given(st.lists(resolutions, max_size=4), st.booleans(), st.booleans())
def test_offer_round_trip(
    wanted: list[Resolution], rdp: bool, virtual_monitor: bool
) -> None:
    packet = virtualmonitor.offer(
        wanted, supports_rdp=rdp, supports_virtual_monitor=virtual_monitor
    )

    assert decode_message(packet) == MonitorOffer(
        tuple(wanted), rdp, False, virtual_monitor
    )


def test_offer_of_kde_25() -> None:
    packet = Packet(
        TYPE,
        {
            "resolutions": [{"resolution": "1920x1080", "scale": 1}],
            "supports_vnc": True,
            "supports_virt_mon": False,
        },
    )

    assert decode_message(packet) == MonitorOffer(
        (Resolution(1920, 1080),), supports_vnc=True
    )
    assert decode_message(Packet(TYPE, {})) == MonitorOffer(())


@pytest.mark.parametrize(
    "text",
    ["", "x", "1920", "0x1", "1x0", "-1x1", "1x1x1", "100000x1", " 1x1", None, 7],
)
def test_unusable_resolutions_are_left_out(text: JsonValue) -> None:
    assert found({"resolution": text}, None, {"resolution": "99999x1"}) == (
        Resolution(99_999, 1),
    )


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (MAX_SCALE, MAX_SCALE),
        (MAX_SCALE + 1, 1.0),
        (0, 1.0),
        (-1, 1.0),
        ("1.5", 1.5),
        (None, 1.0),
    ],
)
def test_limit_of_scale(scale: JsonValue, expected: float) -> None:
    assert found({"resolution": "1x1", "scale": scale}) == (Resolution(1, 1, expected),)


def test_limit_of_resolutions() -> None:
    entries: list[JsonValue] = [{"resolution": "1x1"}] * (MAX_RESOLUTIONS + 1)

    assert len(found(*entries)) == MAX_RESOLUTIONS


@pytest.mark.parametrize(
    ("value", "reason"), [("No display", "No display"), (0, None), (None, None)]
)
def test_failures(value: JsonValue, reason: str | None) -> None:
    packet = Packet(TYPE, {"failed": value, "resolutions": []})

    assert decode_message(packet) == MonitorFailed(reason)


def test_failure_round_trip() -> None:
    assert virtualmonitor.fail("No") == Packet(TYPE, {"failed": "No"})
    assert decode_message(virtualmonitor.fail("No")) == MonitorFailed("No")


def test_limit_of_reason() -> None:
    message = decode_message(virtualmonitor.fail("r" * (MAX_TEXT + 1)))

    assert message == MonitorFailed("r" * MAX_TEXT)


def test_request_round_trip() -> None:
    packet = virtualmonitor.request("u", "p", 3389)

    assert packet == Packet(
        REQUEST,
        {"protocol": "rdp", "username": "u", "password": "p", "port": "3389"},
    )
    assert decode_message(packet) == MonitorRequest("rdp", "u", "p", 3389)


def test_request_of_old_peers() -> None:
    packet = Packet(REQUEST, {"url": "vnc://u:p@192.0.2.7:5900"})

    assert decode_message(packet) == MonitorRequest(url="vnc://u:p@192.0.2.7:5900")


@pytest.mark.parametrize(
    "body",
    [{}, {"protocol": "rdp"}, {"port": 0}, {"port": 65536, "url": "x"}, {"url": ""}],
)
def test_request_that_leads_nowhere_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("protocol", MAX_ID),
        ("username", MAX_ID),
        ("password", MAX_ID),
        ("url", MAX_URL),
    ],
)
def test_limits_of_members(key: str, limit: int) -> None:
    message = decode_message(Packet(REQUEST, {"port": 1, key: "m" * limit}))

    assert getattr(message, key) == "m" * limit
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, {"port": 1, key: "m" * (limit + 1)}))


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST]),
    bodies(
        "resolutions",
        "supports_rdp",
        "failed",
        "protocol",
        "username",
        "password",
        "port",
        "url",
    ),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject
) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, MonitorOffer | MonitorFailed | MonitorRequest)


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(MonitorRequest("rdp", "secret", "secret", 1, "secret"))
