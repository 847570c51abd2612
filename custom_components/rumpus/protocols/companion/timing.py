"""How long everything may take on the Companion link."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses and time-outs, in seconds."""

    connect: float = 5.0
    """For the TCP connection."""
    authenticate: float = 5.0
    """For the answer to each message of pairing or verification (section 4.2)."""
    request: float = 5.0
    """For the answer to a request; a later one does no harm (section 4.3)."""
    optional: float = 2.0
    """For the answer to what some devices do not know, while the session comes up."""
    attention: float = 1.0
    """For the first word about the power before the session counts as up without it."""
    volume: float = 5.0
    """For the new volume to be told after it was set."""
    farewell: float = 1.0
    """For the answers to all that ends a session."""
    quiet: float = 4.0
    """Without a word from the device until it is asked for one."""
    probe: float = 4.0
    """For its answer; without one it is asked once more, and then counts as gone."""
    hold: float = 1.0
    """How long a button is held when nobody says how long."""
    click: float = 0.02
    """How long a click of the touch pad lasts."""
    touch: float = 0.016
    """Between two points of a swipe (section 4.7)."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no time."""
        if any(getattr(self, entry.name) <= 0 for entry in fields(self)):
            raise ValueError("Times must be positive")
