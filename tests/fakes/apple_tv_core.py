"""What fake Apple TVs and HomePods are: their systems and models.

The Apple TV reference, part A, sections 1.10, 4.8 and 9.1.
"""

from dataclasses import dataclass
import hashlib
from typing import Literal, Protocol
import uuid

from tests.fakes.apple_tv_stream import Wire

type Kind = Literal["apple_tv", "homepod"]
type OsName = Literal["tvos_14", "tvos_15", "tvos_17", "tvos_18", "tvos_26", "tvos_27"]
type AirPlayPairing = Literal["hap", "legacy", "transient", "none"]
#: What FetchAttentionState gets as long as nobody sent TVRCSessionStart.
type Attention = Literal["answer", "silence", "refusal"]


@dataclass(frozen=True, slots=True)
class OsFlavour:
    """How one release behaves; a test may replace any of it."""

    version: str
    build: str
    companion_version: str
    model: str
    board: str
    has_mrp_port: bool = False  # MRP over a connection of its own
    shows_mrp: bool = False  # in mDNS; no port is behind it from tvOS 15 on
    has_rp_id: bool = True  # rpMRtID in Companion's TXT
    knows_tvrc: bool = True  # TVRCSessionStart
    attention: Attention = "answer"
    status_events: tuple[str, ...] = ("SystemStatus", "TVSystemStatus")
    evicts_twins: bool = True  # clients with the same _i push each other out
    needs_client_name: bool = False  # for the PIN of AirPlay
    tells_focus: bool = True  # _tiStarted and _tiStopped


_4K, _4K_2, _4K_3 = (
    ("AppleTV6,2", "J105aAP"),
    ("AppleTV11,1", "J305AP"),
    ("AppleTV14,1", "J255AP"),
)
FLAVOURS: dict[OsName, OsFlavour] = {
    "tvos_14": OsFlavour(
        "14.7",
        "18M60",
        "195.2",
        *_4K,
        has_mrp_port=True,
        shows_mrp=True,
        has_rp_id=False,
        knows_tvrc=False,
        status_events=("SystemStatus",),
        evicts_twins=False,
    ),
    "tvos_15": OsFlavour(
        "15.6",
        "19M65",
        "320.10",
        *_4K,
        shows_mrp=True,
        has_rp_id=False,
        knows_tvrc=False,
        status_events=("SystemStatus",),
        evicts_twins=False,
    ),
    "tvos_17": OsFlavour("17.5.1", "21L580", "550.1", *_4K_2, evicts_twins=False),
    "tvos_18": OsFlavour("18.4", "22L255", "620.3", *_4K_2),
    "tvos_26": OsFlavour(
        "26.1",
        "23J582",
        "700.2",
        *_4K_3,
        attention="silence",
        status_events=("TVSystemStatus",),
    ),
    "tvos_27": OsFlavour(
        "27.0",
        "24J300",
        "710.1",
        *_4K_3,
        attention="refusal",
        status_events=("TVSystemStatus",),
        needs_client_name=True,
    ),
}
HOMEPOD_MODEL = "AudioAccessory5,1"
HOMEPOD_BOARD = "B520AP"

ASLEEP, SCREENSAVER, AWAKE = 1, 2, 3

APPS: dict[str, str] = {
    "com.apple.TVWatchList": "TV",
    "com.apple.TVMusic": "Music",
    "com.apple.TVPhotos": "Photos",
    "com.apple.TVSettings": "Settings",
    "com.apple.TVAppStore": "App Store",
    "com.apple.Arcade": "Arcade",
    "com.apple.podcasts": "Podcasts",
    "com.apple.TVSearch": "Search",
    "com.example.LoopbackFilms": "Loopback Films",
    "com.example.News24": "Nyheter 24 åäö",
    "com.example.radio": "Radio",
    "com.example.weather": "Weather",
    "com.example.tube": "Tube",
    "com.example.sports": "Sports",
    "com.example.kids": "Kids",
    "com.example.games": "Games",
}
ACCOUNTS: dict[str, str] = {
    "7A1C1B9E-55B2-4E3E-9B53-3E9C0E1B8A01": "Anna",
    "0E9D2C44-6A0B-47B7-8C1F-D1A2B3C4D502": "Ben",
}


class Server(Protocol):
    """One of the device's sockets."""

    wire: Wire

    async def start(self, address: str, port: int = 0) -> int:
        """Listen, return the port."""
        ...

    async def stop(self) -> None:
        """Close everything."""
        ...

    def drop(self) -> None:
        """Break off all connections."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device is called by its protocols; made of its name, so that it stays."""

    device_id: str  # a MAC, upper case
    pi: uuid.UUID
    psi: uuid.UUID
    rp_id: uuid.UUID
    mrp_id: uuid.UUID
    rp_installation: str  # `_i` in its own system info

    @classmethod
    def of(cls, seed: str) -> Identity:
        """Make the identity that belongs to a text."""
        digest = hashlib.sha256(seed.encode()).digest()
        mac = bytes((digest[0] & 0xFC, *digest[1:6]))
        space = uuid.UUID(bytes=digest[16:])
        pi, psi, rp, mrp = (
            uuid.uuid5(space, what) for what in ("pi", "psi", "rp", "mrp")
        )
        return cls(mac.hex(":").upper(), pi, psi, rp, mrp, digest[6:12].hex())
