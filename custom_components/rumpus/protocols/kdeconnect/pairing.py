"""The pairing state machine, free of input and output (the KDE Connect reference, section 7.2).

Every method returns what its caller has to do, in this order: packets to send, the timer to
start or stop, and the outcome to tell. An empty list means that nothing happens. Certificates
are the caller's matter: pin one when an Outcome says PAIRED, drop it when PAIRED ends.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from ..errors import ProtocolError
from ..json_fields import get_bool, get_int
from ..json_lines import JsonObject
from .const import MAX_CLOCK_SKEW, PAIRING_TIMEOUT, TYPE_PAIR
from .packet import Packet

REPEAT_ANSWER_INTERVAL: Final = 2.0
"""Seconds during which a paired peer's repeated request is not answered again.

Peers exist that answer our answer with another request; answering that would never end.
"""

_FIRST_VERSION_WITH_TIMESTAMP: Final = 8


class PairingState(Enum):
    """How far two devices trust each other."""

    UNPAIRED = auto()
    REQUESTED = auto()
    REQUESTED_BY_PEER = auto()
    PAIRED = auto()


class PairingReason(StrEnum):
    """Why a state was reached; a name without "by peer" is an act of our user."""

    ASKED = "asked"
    ASKED_BY_PEER = "asked_by_peer"
    ACCEPTED = "accepted"
    ACCEPTED_BY_PEER = "accepted_by_peer"
    REJECTED = "rejected"
    REJECTED_BY_PEER = "rejected_by_peer"
    CANCELED = "canceled"
    CANCELED_BY_PEER = "canceled_by_peer"
    UNPAIRED = "unpaired"
    UNPAIRED_BY_PEER = "unpaired_by_peer"
    TIMED_OUT = "timed_out"
    LINK_LOST = "link_lost"
    CLOCK_SKEW = "clock_skew"
    """A request was ignored because the clocks differ too much; the state stays UNPAIRED."""


@dataclass(frozen=True, slots=True)
class SendPair:
    """Send a pair packet; `timestamp` is in seconds since 1970."""

    pair: bool
    timestamp: int | None = None

    def to_packet(self) -> Packet:
        """Return the packet to send."""
        body: JsonObject = {"pair": self.pair}
        if self.timestamp is not None:
            body["timestamp"] = self.timestamp
        return Packet(TYPE_PAIR, body)


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Call `timeout` after this time unless the timer is stopped."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """The timer has become needless."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell the user: the state now, and why."""

    state: PairingState
    reason: PairingReason


type Effect = SendPair | StartTimer | StopTimer | Outcome


class Pairing:
    """Pairing with one peer.

    `state` is the current state, `timestamp` the requester's time in seconds since 1970 for the
    verification key (None with a version 7 peer and while nobody asked).
    """

    def __init__(self, protocol_version: int, paired: bool = False) -> None:
        """Start with what is known: the peer's protocol version and whether it is pinned."""
        self.protocol_version = protocol_version
        self.state = PairingState.PAIRED if paired else PairingState.UNPAIRED
        self.timestamp: int | None = None
        self._answered_at: float | None = None
        self._told_unpaired = False

    def request(self, now: float) -> list[Effect]:
        """Ask for pairing, or accept if the peer has asked; `now` is in seconds since 1970."""
        if self.state is PairingState.REQUESTED_BY_PEER:
            return self.accept()
        if self.state is not PairingState.UNPAIRED:
            return []
        self.timestamp = int(now) if self._has_timestamps else None
        return [
            SendPair(True, self.timestamp),
            StartTimer(PAIRING_TIMEOUT),
            self._enter(PairingState.REQUESTED, PairingReason.ASKED),
        ]

    def accept(self) -> list[Effect]:
        """Accept the peer's request."""
        if self.state is not PairingState.REQUESTED_BY_PEER:
            return []
        return [SendPair(True), *self._end(PairingState.PAIRED, PairingReason.ACCEPTED)]

    def reject(self) -> list[Effect]:
        """Refuse the peer's request."""
        if self.state is not PairingState.REQUESTED_BY_PEER:
            return []
        return [
            SendPair(False),
            *self._end(PairingState.UNPAIRED, PairingReason.REJECTED),
        ]

    def cancel(self) -> list[Effect]:
        """Take our own request back."""
        if self.state is not PairingState.REQUESTED:
            return []
        return [
            SendPair(False),
            *self._end(PairingState.UNPAIRED, PairingReason.CANCELED),
        ]

    def unpair(self) -> list[Effect]:
        """End the pairing; sending may fail, since the peer may be away."""
        if self.state is not PairingState.PAIRED:
            return []
        return [
            SendPair(False),
            self._enter(PairingState.UNPAIRED, PairingReason.UNPAIRED),
        ]

    def timeout(self) -> list[Effect]:
        """Give up an unanswered request: the timer ran out."""
        if self.state not in _IN_PROGRESS:
            return []
        # Said for the peer's request too: with version 7 a late acceptance looks like a new
        # request, and a peer that believes itself paired must learn that it is not.
        return [
            SendPair(False),
            self._enter(PairingState.UNPAIRED, PairingReason.TIMED_OUT),
        ]

    def link_lost(self) -> list[Effect]:
        """Forget what was under way: the link is gone, or its certificate is another one now."""
        self._told_unpaired = False
        self._answered_at = None
        if self.state not in _IN_PROGRESS:
            return []
        return self._end(PairingState.UNPAIRED, PairingReason.LINK_LOST)

    def received(self, body: JsonObject, now: float) -> list[Effect]:
        """Take in a pair packet of the peer; `now` is in seconds since 1970.

        Raises ProtocolError, and changes nothing, when the packet does not say yes or no.
        """
        pair = get_bool(body, "pair")
        if pair is None:
            raise ProtocolError("pair packet that says neither yes nor no")
        if pair:
            return self._received_yes(get_int(body, "timestamp"), now)
        return self._received_no()

    def received_other(self) -> list[Effect]:
        """Answer any other packet of a peer that is not paired; the caller must drop it.

        The answer tells a peer that believes itself paired; it is given once per link.
        """
        if self.state is not PairingState.UNPAIRED or self._told_unpaired:
            return []
        self._told_unpaired = True
        return [SendPair(False)]

    def _received_yes(self, timestamp: int | None, now: float) -> list[Effect]:
        if self.state is PairingState.UNPAIRED:
            return self._received_request(timestamp, now)
        if self.state is PairingState.REQUESTED:
            # Some peers put a timestamp into their acceptance; the key is made of ours.
            return self._end(PairingState.PAIRED, PairingReason.ACCEPTED_BY_PEER)
        if self.state is PairingState.PAIRED:
            return self._received_repeated_request(timestamp, now)
        return []

    def _received_request(self, timestamp: int | None, now: float) -> list[Effect]:
        if not self._has_timestamps:
            timestamp = None
        elif timestamp is None:
            return []
        elif abs(timestamp - now) > MAX_CLOCK_SKEW:
            return [Outcome(PairingState.UNPAIRED, PairingReason.CLOCK_SKEW)]
        self.timestamp = timestamp
        return [
            StartTimer(PAIRING_TIMEOUT),
            self._enter(PairingState.REQUESTED_BY_PEER, PairingReason.ASKED_BY_PEER),
        ]

    def _received_repeated_request(
        self, timestamp: int | None, now: float
    ) -> list[Effect]:
        """Answer a peer that forgot us; the pin proves who asks (section 7.4)."""
        if timestamp is None:
            return []
        if (
            self._answered_at is not None
            and abs(now - self._answered_at) < REPEAT_ANSWER_INTERVAL
        ):
            return []
        self._answered_at = now
        return [SendPair(True)]

    def _received_no(self) -> list[Effect]:
        if self.state is PairingState.REQUESTED:
            return self._end(PairingState.UNPAIRED, PairingReason.REJECTED_BY_PEER)
        if self.state is PairingState.REQUESTED_BY_PEER:
            return self._end(PairingState.UNPAIRED, PairingReason.CANCELED_BY_PEER)
        if self.state is PairingState.PAIRED:
            return [self._enter(PairingState.UNPAIRED, PairingReason.UNPAIRED_BY_PEER)]
        return []

    @property
    def _has_timestamps(self) -> bool:
        return self.protocol_version >= _FIRST_VERSION_WITH_TIMESTAMP

    def _end(self, state: PairingState, reason: PairingReason) -> list[Effect]:
        return [StopTimer(), self._enter(state, reason)]

    def _enter(self, state: PairingState, reason: PairingReason) -> Outcome:
        self.state = state
        self._told_unpaired = False
        self._answered_at = None
        if state is PairingState.UNPAIRED:
            self.timestamp = None
        return Outcome(state, reason)


_IN_PROGRESS: Final = frozenset(
    {PairingState.REQUESTED, PairingState.REQUESTED_BY_PEER}
)
