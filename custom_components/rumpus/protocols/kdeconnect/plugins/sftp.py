"""Access to a phone's files over SFTP (the KDE Connect reference, section 11.17)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import MAX_ID, MAX_TEXT, get_bool, get_int, get_str
from ...json_lines import JsonObject, JsonValue
from ..packet import ACCEPTED_PAYLOAD_PORTS, Packet
from .message import Decoders, Message

TYPE: Final = "kdeconnect.sftp"
TYPE_REQUEST: Final = "kdeconnect.sftp.request"

MAX_ROOTS: Final = 100
"""Roots kept of an offer."""
MAX_PATH: Final = 4096
"""Characters of a path; a longer one is dropped."""
MAX_CREDENTIAL: Final = MAX_ID
"""Characters of a user and of a password; an offer with longer ones is refused."""


@dataclass(frozen=True, slots=True)
class StorageOffer(Message):
    """The peer runs an SFTP server at the address of the link, for as long as it is connected.

    `path` is the root of all, `roots` are the names and paths of what there is to see; there
    is always one. It takes the password or the key of our certificate, and its own key is new.
    """

    port: int
    user: str
    password: str = field(repr=False)
    path: str
    roots: tuple[tuple[str, str], ...]

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read an offer; raises ProtocolError when a required member is missing.

        The address that is in the packet does not count, and neither does a port of the system.
        """
        body = packet.body
        port = get_int(body, "port")
        if port is None or port not in ACCEPTED_PAYLOAD_PORTS:
            raise ProtocolError("sftp packet without a usable port")
        path = _path(body.get("path"))
        if path is None:
            raise ProtocolError("sftp packet without a usable path")
        user, password = _credential(body, "user"), _credential(body, "password")
        return cls(port, user, password, path, _roots(body) or ((path, path),))


@dataclass(frozen=True, slots=True)
class StorageRefused(Message):
    """The peer does not offer its files; `reason` is a text for the user."""

    reason: str

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a refusal; raises ProtocolError when it is none."""
        reason = get_str(packet.body, "errorMessage")
        if not reason:
            raise ProtocolError("sftp packet without a reason")
        return cls(reason)


@dataclass(frozen=True, slots=True)
class StorageWanted(Message):
    """The peer wants to see our files."""


def decode(packet: Packet) -> StorageOffer | StorageRefused:
    """Tell the two forms apart. Raises ProtocolError when the packet is neither."""
    if get_str(packet.body, "errorMessage"):
        return StorageRefused.from_packet(packet)
    return StorageOffer.from_packet(packet)


def decode_request(packet: Packet) -> StorageWanted:
    """Read a request; raises ProtocolError when it does not ask for anything."""
    if not get_bool(packet.body, "startBrowsing"):
        raise ProtocolError("sftp request of nothing")
    return StorageWanted()


def start_browsing() -> Packet:
    """Ask the peer to start its server."""
    return Packet(TYPE_REQUEST, {"startBrowsing": True})


def offer(
    port: int,
    user: str,
    password: str,
    path: str,
    roots: Iterable[tuple[str, str]] = (),
    *,
    address: str | None = None,
) -> Packet:
    """Tell where our files are; peers are to use the address of the link."""
    body: JsonObject = {
        "port": port,
        "user": user,
        "password": password,
        "path": path,
    }
    if address is not None:
        body["ip"] = address
    names: list[JsonValue] = []
    paths: list[JsonValue] = []
    for name, root in roots:
        names.append(name)
        paths.append(root)
    if paths:
        body["multiPaths"] = paths
        body["pathNames"] = names
    return Packet(TYPE, body)


def refuse(reason: str) -> Packet:
    """Tell why we offer no files."""
    return Packet(TYPE, {"errorMessage": reason})


def _path(value: JsonValue) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_PATH:
        return None
    return None if "\x00" in value else value


def _credential(body: JsonObject, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_CREDENTIAL:
        raise ProtocolError("sftp packet without usable credentials")
    return value


def _roots(body: JsonObject) -> tuple[tuple[str, str], ...]:
    """Return the roots in their order; the lists belong together entry by entry."""
    paths, names = body.get("multiPaths"), body.get("pathNames")
    if not isinstance(paths, list):
        return ()
    pairs = zip_longest(
        paths[:MAX_ROOTS], names[: len(paths)] if isinstance(names, list) else ()
    )
    return tuple(
        (name[:MAX_TEXT] if isinstance(name, str) and name else path, path)
        for value, name in islice(pairs, MAX_ROOTS)
        if (path := _path(value)) is not None
    )


DECODERS: Final[Decoders] = {TYPE: decode, TYPE_REQUEST: decode_request}
