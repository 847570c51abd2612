"""Mutated messages for a session that is up, and mutated objects for what reads JSON."""

from collections.abc import Callable
import copy
import json
import random
from typing import Any, Final

from .mutation import Mutator
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.smartglass.crypto import Crypto
from custom_components.rumpus.protocols.smartglass.enums import (
    MessageType,
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Json,
    StartChannelResponse,
    decode_message,
)
from custom_components.rumpus.protocols.smartglass.packets import MessageHeader
from custom_components.rumpus.protocols.smartglass.services import tv_decode
from custom_components.rumpus.protocols.smartglass.services.broadcast_models import (
    decode_broadcast,
)
from custom_components.rumpus.protocols.smartglass.session import Session
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.protocols.smartglass import vectors

LIFETIME: Final = 2_000
"""Packets until a new session begins."""
STEP: Final = 0.004
"""Seconds between two packets, as far as the session knows."""
CHANNELS: Final = (
    ServiceChannel.SYSTEM_INPUT,
    ServiceChannel.SYSTEM_MEDIA,
    ServiceChannel.SYSTEM_TEXT,
    ServiceChannel.SYSTEM_INPUT_TV_REMOTE,
    ServiceChannel.SYSTEM_BROADCAST,
)

_CHANNEL: Final = {"id": "c1", "channelId": "c1", "channelNum": "5", "name": "One"}
_PROVIDER: Final = {
    "id": "p1",
    "headendId": "h1",
    "providerName": "Cable",
    "source": "tuner",
    "titleId": "0x162615AD",
    "canStream": True,
    "foundChannels": [_CHANNEL, _CHANNEL],
    "cqsChannels": ["c1", "c2"],
    "channels": [_CHANNEL],
    "providerImageUrl": "https://example.org/a.png",
    "primaryColor": "ff107c10",
}
OBJECTS: Final[tuple[Any, ...]] = (
    [{"device_id": "0", "device_type": "tv", "buttons": {"btn.power": "Power"}}],
    {"providers": [_PROVIDER], "preferredProvider": _PROVIDER, "streamingPort": "1"},
    {"pauseBufferInfo": {"Enabled": True, "MaxBufferSize": 5, "Epoch": 9}},
    [_PROVIDER, _PROVIDER],
    [_CHANNEL],
    {"type": 3, "state": 2, "sessionId": "{0}", "udpPort": 1, "tcpPort": 2},
    {"type": 4, "enabled": True, "majorProtocolVersion": 6},
    {"type": 5, "errorType": 2, "errorValue": 1},
    {"type": 7, "isPublicPreview": True},
    {
        "datagram_size": "8",
        "datagram_id": "1",
        "fragment_offset": "0",
        "fragment_length": "4",
        "fragment_data": "eyJh",
    },
    {"response": "GetConfiguration", "msgid": "00000000.1", "params": []},
)
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63 - 1, -(2**63), 0.5, 1e308),
    *("", "0", "tv", "-1", "9" * 30, "x" * 3000, "ü\0\ud7ff", "https://"),
    *([], {}, [[]], [{}], {"": None}, [None] * 300, {str(n): n for n in range(300)}),
)
type _Node = dict[str, Any] | list[Any]

DECODERS: Final[tuple[Callable[[Any], object], ...]] = (
    tv_decode.decode_configuration,
    tv_decode.decode_headend,
    tv_decode.decode_live_tv,
    tv_decode.decode_lineups,
    tv_decode.decode_app_providers,
    tv_decode.decode_recent_channels,
    tv_decode.decode_streaming,
)


def mutated_object(chance: random.Random) -> Any:
    """Return a copy of an object with one to four values replaced, added or taken away."""
    whole = [copy.deepcopy(chance.choice(OBJECTS))]
    for _ in range(chance.randint(1, 4)):
        nodes: list[_Node] = [whole]
        while (below := _containers(nodes[-1])) and chance.random() < 0.7:
            nodes.append(chance.choice(below))
        node = nodes[-1]
        value = copy.deepcopy(chance.choice(ODD_VALUES))
        if isinstance(node, dict):
            names = [*node, "other"]
            if chance.random() < 0.2:
                node.pop(chance.choice(names), None)
            else:
                node[chance.choice(names)] = value
        elif node and chance.random() < 0.8:
            node[chance.randrange(len(node))] = value
        else:
            node.append(value)
    return whole[0]


def _containers(node: _Node) -> list[_Node]:
    children = node.values() if isinstance(node, dict) else node
    return [child for child in children if isinstance(child, (dict, list))]


class SessionTarget:
    """A session with open channels, at which messages with a valid MAC are thrown."""

    def __init__(self, mutator: Mutator) -> None:
        """Begin the first session."""
        self._mutator = mutator
        self._chance = mutator.chance
        self._console = Crypto.from_expanded_secret(vectors.KEYS[0].expanded)
        self._vectors = list(vectors.MESSAGES.values())
        self._renew()

    def _renew(self) -> None:
        client = Crypto.from_expanded_secret(vectors.KEYS[0].expanded)
        self._now = 0.0
        self._count = 0
        self._sequence = 0
        self._session = Session(client, vectors.PARTICIPANT, Timing(), self._now)
        for number, service in enumerate(CHANNELS, 0x94):
            request = self._session.channels.get_next_request_id(service)
            response = StartChannelResponse(request, number, ResultCode.SUCCESS)
            self._receive(MessageType.START_CHANNEL_RESPONSE, response.encode(), 0)

    def payload(self) -> bytes:
        """Return what the next message holds; its type comes with it."""
        if self._chance.random() < 0.3:
            text = json.dumps(mutated_object(self._chance))
            data, self._type = Json(text).encode(), MessageType.JSON.value
        else:
            vector = self._chance.choice(self._vectors)
            data, self._type = vector.plaintext, vector.type
        # Most of what is broken is refused at once: half of it stays whole.
        return data if self._chance.random() < 0.5 else self._mutator.mutated(data)

    def __call__(self, data: bytes) -> None:
        """Let the session take it; it must neither raise nor keep too much."""
        chance = self._chance
        self._count += 1
        if self._session.is_over or self._count > LIFETIME:
            self._renew()
        if not data:
            return
        channel = chance.choice((0, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99))
        self._receive(self._type, data, channel)
        self._session.tick(self._now)
        self._session.take_datagrams()
        self._session.take_events()
        decode_message(self._type, data)

    def _receive(self, message_type: int, data: bytes, channel: int) -> None:
        chance = self._chance
        self._now += STEP
        header = MessageHeader(
            self._number(),
            vectors.PARTICIPANT,
            0,
            message_type,
            channel,
            need_ack=chance.random() < 0.8,
            is_fragment=bool(self._count) and chance.random() < 0.2,
        )
        self._session.datagram_received(
            self._console.seal_message(header, data), self._now
        )

    def _number(self) -> int:
        """Return the next sequence number, sometimes an old one or one too early."""
        chance = self._chance.random() if self._count else 1.0
        if chance < 0.001:
            # All that follow are old after that.
            return self._chance.getrandbits(32)
        if chance < 0.1:
            return max(0, self._sequence + self._chance.randint(-40, 4))
        self._sequence += 1
        return self._sequence


def read_object(chance: random.Random) -> None:
    """Let a decoder of JSON objects read a mutated one. Raises ProtocolError like it."""
    value = mutated_object(chance)
    if isinstance(value, dict) and chance.random() < 0.4:
        decode_broadcast(value)
    for decoder in DECODERS:
        try:
            repr(decoder(value))
        except ProtocolError:
            continue
