"""Which channels are open (the SmartGlass reference, section 9)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import ProtocolError, RumpusError
from .const import ACK_CHANNEL_ID, CORE_CHANNEL_ID
from .enums import ResultCode, ServiceChannel
from .errors import ChannelError

if TYPE_CHECKING:
    from .messages import StartChannelResponse

MAX_REQUESTS: Final = 16
"""Requests that wait for an answer; the oldest one is given up for a new one."""
MAX_CHANNELS: Final = 32
"""Channels that are open at once."""

_FIXED_IDS: Final = {
    ServiceChannel.CORE: CORE_CHANNEL_ID,
    ServiceChannel.ACK: ACK_CHANNEL_ID,
}


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a session; those of titles are told apart by the title."""

    service: ServiceChannel
    title_id: int = 0


CORE: Final = Channel(ServiceChannel.CORE)
ACK: Final = Channel(ServiceChannel.ACK)


class ChannelManager:
    """Matches the console's answers with our requests, in whatever order they come."""

    CHANNEL_CORE: Final = CORE_CHANNEL_ID
    CHANNEL_ACK: Final = ACK_CHANNEL_ID

    def __init__(self) -> None:
        """Begin a session: only the core and ack channels are open."""
        self._last_request = 0
        self._requests: dict[int, Channel] = {}
        self._ids: dict[Channel, int] = {}
        self._channels: dict[int, Channel] = {}
        self.reset()

    def reset(self) -> None:
        """Forget all channels and requests."""
        self._last_request = 0
        self._requests.clear()
        self._ids = {Channel(service): id_ for service, id_ in _FIXED_IDS.items()}
        self._channels = {id_: channel for channel, id_ in self._ids.items()}

    @property
    def open_channels(self) -> frozenset[ServiceChannel]:
        """The channels that were opened and can be used."""
        return frozenset(
            channel.service
            for channel in self._ids
            if channel.service not in _FIXED_IDS
        )

    def is_open(self, channel: Channel) -> bool:
        """Tell whether a channel can be used."""
        return channel in self._ids

    @property
    def is_waiting(self) -> bool:
        """Whether a request is not answered yet."""
        return bool(self._requests)

    def get_next_request_id(self, channel: ServiceChannel, title_id: int = 0) -> int:
        """Return the id of a new request for a channel."""
        self._last_request += 1
        self._requests[self._last_request] = Channel(channel, title_id)
        if len(self._requests) > MAX_REQUESTS:
            del self._requests[next(iter(self._requests))]
        return self._last_request

    def requested(self, request_id: int) -> Channel | None:
        """Return the channel of a request that is not answered yet."""
        return self._requests.get(request_id)

    def handle_channel_start_response(self, response: StartChannelResponse) -> Channel:
        """Take the answer to a request and return the channel that is open now.

        Raises ChannelError with the console's result when the channel is refused, and
        ProtocolError for an answer to no request or with an id that cannot be.
        """
        channel = self._requests.pop(response.channel_request_id, None)
        if channel is None:
            raise ProtocolError("Answer to a channel request that nobody waits for")
        if response.result != ResultCode.SUCCESS:
            raise ChannelError(channel.service, response.result)
        channel_id = response.target_channel_id
        if self._channels.get(channel_id, channel) != channel:
            raise ChannelError(channel.service, ResultCode.INVALID_DATA)
        if channel not in self._ids and len(self._ids) >= MAX_CHANNELS:
            raise ChannelError(channel.service, ResultCode.NO_MORE_CAPACITY)
        # A channel that is opened a second time may get another id.
        self.close(channel)
        self._ids[channel] = channel_id
        self._channels[channel_id] = channel
        return channel

    def close(self, channel: Channel) -> None:
        """Forget a channel, so that what still comes on it is unknown."""
        if (channel_id := self._ids.pop(channel, None)) is not None:
            del self._channels[channel_id]

    def lookup(self, channel_id: int) -> Channel | None:
        """Return what an id in the header of a message stands for; None when unknown."""
        return self._channels.get(channel_id)

    def get_channel(self, channel_id: int) -> ServiceChannel:
        """Return the service that an id stands for. Raises RumpusError when unknown."""
        if (channel := self._channels.get(channel_id)) is None:
            raise RumpusError(f"No channel has the id {channel_id:#x}")
        return channel.service

    def get_channel_id(self, channel: ServiceChannel, title_id: int = 0) -> int:
        """Return the id for the header of messages. Raises ChannelError when not open."""
        channel_id = self._ids.get(Channel(channel, title_id))
        if channel_id is None:
            raise ChannelError(channel)
        return channel_id
