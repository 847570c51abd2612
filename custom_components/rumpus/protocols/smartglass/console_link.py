"""What the services of a console see of its session."""

from collections.abc import Callable

from ..errors import DisconnectedError
from ..json_lines import JsonObject
from .channels import Channel
from .messages import Message
from .protocol import SmartglassProtocol

type ProtocolGetter = Callable[[], SmartglassProtocol | None]


class ConsoleLink:
    """One channel of a console's session, whichever session it has by now."""

    def __init__(self, protocol: ProtocolGetter, channel: Channel) -> None:
        """Use the session that there is when something is to be sent."""
        self._protocol = protocol
        self._channel = channel

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent now."""
        protocol = self._protocol()
        return (
            protocol is not None
            and protocol.session is not None
            and protocol.is_joined
            and protocol.session.channels.is_open(self._channel)
        )

    async def send(self, message: Message) -> None:
        """Send a message and wait for its ack; see `ChannelLink.send`."""
        channel = self._channel
        await self._require().send_message(
            message, channel.service, title_id=channel.title_id
        )

    def send_nowait(self, message: Message) -> None:
        """Send a message that nobody waits for; see `ChannelLink.send_nowait`."""
        channel = self._channel
        self._require().send_nowait(message, channel.service, title_id=channel.title_id)

    async def send_json(self, obj: JsonObject) -> None:
        """Send an object, in pieces when it is long; see `ChannelLink.send_json`."""
        channel = self._channel
        await self._require().json(obj, channel.service, title_id=channel.title_id)

    def _require(self) -> SmartglassProtocol:
        if (protocol := self._protocol()) is None:
            raise DisconnectedError("There is no session with the console")
        return protocol
