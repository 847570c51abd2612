"""Wrong, strange and hostile things that a fake Apple TV sends on demand."""

import os
from typing import TYPE_CHECKING

from tests.fakes.apple_tv_companion import E_OPACK, NO_OP, CompanionConnection
from tests.fakes.apple_tv_opack import OpackValue

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv

type _To = CompanionConnection | None


class Mischief:
    """Each method sends something to the newest client, or to the one that is named."""

    def __init__(self, device: FakeAppleTv) -> None:
        self._device = device

    def _to(self, client: _To) -> CompanionConnection:
        return client or self._device.companion.connection

    def raw(self, data: bytes, client: _To = None) -> None:
        """Send any bytes."""
        self._to(client).link.write(data)

    def frame(self, kind: int, payload: bytes = b"", client: _To = None) -> None:
        """Send any frame, properly encrypted."""
        self._to(client).frame(kind, payload)

    def message(self, message: dict[str, OpackValue], client: _To = None) -> None:
        """Send any message."""
        self._to(client).message(message)

    def no_ops(self, count: int = 1, client: _To = None) -> None:
        """Send keep-alives."""
        for _ in range(count):
            self.frame(NO_OP, client=client)

    def unknown_frame(self, kind: int = 0x42, client: _To = None) -> None:
        """Send an encrypted frame of a type that nobody knows."""
        self.frame(kind, os.urandom(40), client)

    def unknown_event(self, name: str = "_strange", client: _To = None) -> None:
        """Send an event that nobody knows."""
        self._to(client).event(name, {"x": [1, {"y": b"z"}]})

    def unknown_request(self, name: str = "_askedBack", client: _To = None) -> None:
        """Ask the client something."""
        self.message({"_i": name, "_t": 2, "_x": 77, "_c": {}}, client)

    def unknown_message_type(self, client: _To = None) -> None:
        """Send a message that is neither event nor request nor response."""
        self.message({"_i": "_x", "_t": 99, "_x": 1, "_c": {}}, client)

    def stray_response(self, transfer: int = 0x7FFFFFFF, client: _To = None) -> None:
        """Answer what nobody asked."""
        self.message({"_i": "Foo", "_t": 3, "_x": transfer, "_c": {}}, client)

    def flood(self, count: int, name: str = "_iMC", client: _To = None) -> None:
        """Send many events."""
        content: dict[str, OpackValue] = {"_mcF": self._device.media_flags}
        for _ in range(count):
            self._to(client).event(name, dict(content))

    def not_opack(self, client: _To = None) -> None:
        """Send an encrypted message that is no OPACK."""
        self.frame(E_OPACK, b"\x00\xff\x00", client)

    def not_a_dictionary(self, client: _To = None) -> None:
        """Send an encrypted message that is an array."""
        self.frame(E_OPACK, b"\xd1\x01", client)

    def deep_opack(self, depth: int = 10000, client: _To = None) -> None:
        """Send a message that is nested as deeply as one wants."""
        self.frame(E_OPACK, b"\xd1" * depth + b"\x01", client)

    def pointer_to_nothing(self, client: _To = None) -> None:
        """Send a message whose pointer leads nowhere."""
        self.frame(E_OPACK, b"\xe1\x42_i\xc0", client)

    def wrong_types(self, client: _To = None) -> None:
        """Send the known events with contents of other types."""
        to = self._to(client)
        contents: dict[str, OpackValue] = {
            "_iMC": {"_mcF": "many"},
            "SystemStatus": {"state": [3]},
            "TVSystemStatus": {"state": None},
            "_tiStarted": {"_tiD": 5},
        }
        for name, content in contents.items():
            to.message({"_i": name, "_t": 1, "_x": 1, "_c": content})
            to.message({"_i": name, "_t": 1, "_x": 1, "_c": 7})

    def undecryptable(self, client: _To = None) -> None:
        """Send a frame whose last bit is wrong."""
        to = self._to(client)
        data = to.encoded(E_OPACK, b"\xe0")
        to.link.write(data[:-1] + bytes((data[-1] ^ 1,)))

    def plain(self, client: _To = None) -> None:
        """Send a frame that should be encrypted and is not."""
        self.raw(bytes((E_OPACK, 0, 0, 1)) + b"\xe0", client)

    def half_frame(self, *, closes: bool = False, client: _To = None) -> None:
        """Send half a frame, and end the connection if wanted."""
        to = self._to(client)
        data = to.encoded(E_OPACK, b"\xe1\x42_i\x44_iMC")
        to.link.write(data[: len(data) // 2])
        if closes:
            to.link.close()

    def oversized(self, size: int = 0xFFFFFF, client: _To = None) -> None:
        """Begin a frame that claims to be as long as one can be."""
        self.raw(bytes((E_OPACK,)) + size.to_bytes(3) + bytes(1000), client)

    def close(self, client: _To = None) -> None:
        """Close the connection in order."""
        self._to(client).link.close()

    def abort(self, client: _To = None) -> None:
        """Break the connection off."""
        self._to(client).link.abort()
