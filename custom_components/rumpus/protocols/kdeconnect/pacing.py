"""Who announces itself when, where several of our identities share an address.

Other programs take announcements for a flood when they come too close together: Android
ignores a second one within a second of the same device *and* of the same address, whoever
it is from, KDE within half a second of the same device (the KDE Connect reference, section
4.1).  So those of different identities that reach the same ears keep a distance.  `Pacer`
only decides; it knows neither clocks nor sockets.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

# Between two identities at the same ears, in seconds: a little more than Android asks for.
STAGGER: Final = 1.1
# Announcements of one identity to single hosts that wait for their turn.  What is meant for
# everybody is one more at most, and always has its place.
MAX_WAITING: Final = 32
# Hosts of which is known who was announced to them last; none counts for longer than STAGGER.
MAX_HOSTS: Final = 255
# A timer may be early by so much, in seconds.
TOLERANCE: Final = 0.001


@dataclass(frozen=True, slots=True)
class Turn:
    """One identity (by its device id) that wants to be announced to a host, or everybody."""

    sender: str
    host: str | None


class Pacer:
    """Keeps those waiting who would come too early.

    Whoever asks first is announced first; only the leading identity goes before the others
    that wait, unless it was itself the last one there.  Times are monotonic, in seconds.
    """

    def __init__(self) -> None:
        """Nobody has been announced yet, and nobody waits."""
        # Who was announced last to a host or to everybody, and when.
        self._gone: OrderedDict[str | None, tuple[str, float]] = OrderedDict()
        # Who waits, in this order, and when the time of each will come as it looks now.
        self._waiting: OrderedDict[Turn, float] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._waiting)

    @property
    def next_time(self) -> float | None:
        """When to take the next, as of the last `take`; None while nobody waits."""
        return min(self._waiting.values(), default=None)

    def time_of(self, turn: Turn) -> float | None:
        """Return when the time of one that waits will come, as of the last `take`."""
        return self._waiting.get(turn)

    def add(self, turn: Turn, *, leads: bool = False) -> bool:
        """Let one wait for the next `take`; false when there is no room.

        One that waits already keeps its place.
        """
        if turn in self._waiting:
            return True
        if turn.host is not None and self._hosts_of(turn.sender) >= MAX_WAITING:
            return False
        self._waiting[turn] = 0
        if leads and self._last_sender(turn.host) != turn.sender:
            self._waiting.move_to_end(turn, last=False)
        return True

    def drop(self, sender: str, host: str | None = None) -> None:
        """Let an identity wait no more, or no more for one host."""
        for turn in list(self._waiting):
            if turn.sender == sender and (host is None or turn.host == host):
                del self._waiting[turn]

    def take(self, now: float) -> list[Turn]:
        """Return those whose time has come, in their order, as announced from now on."""
        for host, (_, time) in list(self._gone.items()):
            if time + STAGGER <= now:
                del self._gone[host]
        planned = dict(self._gone)
        taken: list[Turn] = []
        for turn in list(self._waiting):
            time = _earliest(turn, planned, now)
            planned[turn.host] = (turn.sender, time)
            if time - now > TOLERANCE:
                self._waiting[turn] = time
                continue
            del self._waiting[turn]
            taken.append(turn)
            self._gone[turn.host] = (turn.sender, now)
            self._gone.move_to_end(turn.host)
            if len(self._gone) > MAX_HOSTS:
                self._gone.popitem(last=False)
        return taken

    def _hosts_of(self, sender: str) -> int:
        return sum(
            turn.sender == sender and turn.host is not None for turn in self._waiting
        )

    def _last_sender(self, host: str | None) -> str | None:
        reached = [
            (time, sender)
            for other, (sender, time) in self._gone.items()
            if host is None or other is None or other == host
        ]
        return max(reached)[1] if reached else None


def _earliest(
    turn: Turn, planned: dict[str | None, tuple[str, float]], now: float
) -> float:
    """Return when one may go, after those who were or will be announced to the same ears."""
    hosts = planned if turn.host is None else (turn.host, None)
    time = now
    for host in hosts:
        if (last := planned.get(host)) is not None:
            sender, begun = last
            time = max(time, begun if sender == turn.sender else begun + STAGGER)
    return time
