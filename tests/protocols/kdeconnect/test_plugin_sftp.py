"""Access to files over SFTP."""

from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, sftp
from custom_components.rumpus.protocols.kdeconnect.plugins.sftp import (
    MAX_CREDENTIAL,
    MAX_PATH,
    MAX_ROOTS,
    StorageOffer,
    StorageRefused,
    StorageWanted,
)

TYPE = "kdeconnect.sftp"
REQUEST = "kdeconnect.sftp.request"

OFFER: JsonObject = {
    "ip": "192.0.2.7",
    "port": 1740,
    "user": "kdeconnect",
    "password": "p" * 28,
    "path": "/",
}

words = texts.filter(bool)
paths = words.filter(lambda path: "\x00" not in path)


def offered(**body: JsonValue) -> StorageOffer:
    """Return the offer in a packet that has all that is required."""
    return cast(StorageOffer, decode_message(Packet(TYPE, {**OFFER, **body})))


@pytest.mark.parametrize("port", [1740, "1740"])
def test_offer_of_one_root(port: JsonValue) -> None:
    assert offered(port=port) == StorageOffer(
        1740, "kdeconnect", "p" * 28, "/", (("/", "/"),)
    )


def test_offer_of_several_roots() -> None:
    assert offered(
        multiPaths=["/storage/0", "/storage/1"], pathNames=["Internal", "Card"]
    ).roots == (("Internal", "/storage/0"), ("Card", "/storage/1"))


@pytest.mark.parametrize(
    ("roots", "names", "expected"),
    [
        (["/a", "/b"], ["A"], (("A", "/a"), ("/b", "/b"))),
        (["/a"], ["A", "B"], (("A", "/a"),)),
        (["/a", 7, "", "/d\x00"], ["A", "B", "C", "D"], (("A", "/a"),)),
        ([None, "/b"], ["A", "B"], (("B", "/b"),)),
        (["/a", "/b"], [None, ""], (("/a", "/a"), ("/b", "/b"))),
        (["/a"], "A", (("/a", "/a"),)),
        ([], ["A"], (("/", "/"),)),
        ("/a", ["A"], (("/", "/"),)),
        (None, None, (("/", "/"),)),
    ],
)
def test_names_belong_to_their_roots(
    roots: JsonValue, names: JsonValue, expected: tuple[tuple[str, str], ...]
) -> None:
    assert offered(multiPaths=roots, pathNames=names).roots == expected


def test_limit_of_roots() -> None:
    roots: list[JsonValue] = [f"/{number}" for number in range(MAX_ROOTS + 1)]

    found = offered(multiPaths=roots, pathNames=[*roots]).roots

    assert found == tuple((root, root) for root in roots[:-1])


def test_limit_of_path() -> None:
    fitting = "/".ljust(MAX_PATH, "a")

    assert offered(path=fitting).path == fitting
    assert offered(multiPaths=[fitting + "a", fitting]).roots == ((fitting, fitting),)
    with pytest.raises(ProtocolError):
        offered(path=fitting + "a")


def test_limit_of_root_name() -> None:
    assert offered(multiPaths=["/a"], pathNames=["n" * (MAX_TEXT + 1)]).roots == (
        ("n" * MAX_TEXT, "/a"),
    )


@pytest.mark.parametrize("key", ["user", "password"])
def test_limit_of_credentials(key: str) -> None:
    fitting = "c" * MAX_CREDENTIAL

    assert fitting in {
        offered(**{key: fitting}).user,
        offered(**{key: fitting}).password,
    }
    with pytest.raises(ProtocolError):
        offered(**{key: fitting + "c"})


@pytest.mark.parametrize("port", [1024, 65535])
def test_limits_of_port(port: int) -> None:
    assert offered(port=port).port == port


@pytest.mark.parametrize("port", [0, 22, 1023, 65536, -1, None, "ssh"])
def test_ports_that_no_peer_may_name(port: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        offered(port=port)


@pytest.mark.parametrize("key", ["user", "password", "path"])
@pytest.mark.parametrize("value", [None, "", 7, []])
def test_required_members(key: str, value: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        offered(**{key: value})


def test_path_with_a_nul_is_refused() -> None:
    with pytest.raises(ProtocolError):
        offered(path="/\x00")


def test_refusal() -> None:
    packet = Packet(TYPE, {**OFFER, "errorMessage": "No permission"})

    assert decode_message(packet) == StorageRefused("No permission")
    assert decode_message(sftp.refuse("No")) == StorageRefused("No")
    assert sftp.refuse("No") == Packet(TYPE, {"errorMessage": "No"})
    assert offered(errorMessage="").port == 1740


def test_limit_of_reason() -> None:
    message = decode_message(sftp.refuse("r" * (MAX_TEXT + 1)))

    assert message == StorageRefused("r" * MAX_TEXT)


def test_reason_is_required_of_a_refusal() -> None:
    with pytest.raises(ProtocolError):
        StorageRefused.from_packet(Packet(TYPE, OFFER))


def test_request_round_trip() -> None:
    assert sftp.start_browsing() == Packet(REQUEST, {"startBrowsing": True})
    assert decode_message(sftp.start_browsing()) == StorageWanted()


@pytest.mark.parametrize("body", [{}, {"startBrowsing": False}])
def test_request_of_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(REQUEST, body))


@settings(deadline=None)
@given(
    st.integers(1024, 65535),
    words,
    words,
    paths,
    st.lists(st.tuples(words, paths), min_size=1, max_size=4),
)
def test_offer_round_trip(
    port: int, user: str, password: str, path: str, roots: list[tuple[str, str]]
) -> None:
    packet = sftp.offer(port, user, password, path, roots)

    assert decode_message(packet) == StorageOffer(
        port, user, password, path, tuple(roots)
    )


def test_smallest_offer_and_largest() -> None:
    required: JsonObject = {"port": 1739, "user": "u", "password": "p", "path": "/"}

    assert sftp.offer(1739, "u", "p", "/") == Packet(TYPE, required)
    assert sftp.offer(
        1739, "u", "p", "/", [("A", "/a")], address="192.0.2.7"
    ) == Packet(
        TYPE,
        {**required, "ip": "192.0.2.7", "multiPaths": ["/a"], "pathNames": ["A"]},
    )


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST]),
    bodies(*OFFER, "multiPaths", "pathNames", "errorMessage", "startBrowsing"),
    st.booleans(),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject, is_complete: bool
) -> None:
    try:
        message = decode_message(
            Packet(packet_type, {**body, **OFFER} if is_complete else body)
        )
    except ProtocolError:
        return
    assert isinstance(message, StorageOffer | StorageRefused | StorageWanted)


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(offered(password="secret"))
