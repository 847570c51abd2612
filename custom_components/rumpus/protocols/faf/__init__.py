"""The lobby of Forged Alliance Forever: where players meet and games are found."""

from ..errors import DisconnectedError
from .gpgnet import GpgNetClientProtocol, GpgNetServerProtocol
from .protocol import Protocol
from .qdatastream import QDataStreamProtocol
from .simple_json import SimpleJsonProtocol

__all__ = [
    "DisconnectedError",
    "GpgNetClientProtocol",
    "GpgNetServerProtocol",
    "Protocol",
    "QDataStreamProtocol",
    "SimpleJsonProtocol",
]
