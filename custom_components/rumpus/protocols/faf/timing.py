"""How long everything may take with a lobby."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses and time-outs, in seconds."""

    connect: float = 20.0
    """For the connection, and for the address of the gateway."""
    session: float = 10.0
    """For the answer to `ask_session` (the FAF reference, section 6.1)."""
    proof: float = 35.0
    """For the token and the machine proof, whose helper is slow at first (section 6.3)."""
    welcome: float = 20.0
    """For the answer to a login."""
    pong: float = 10.0
    """For the answer to a ping: without any word until then the link is dead."""
    silence: float = 25.0
    """Without a word from the lobby until it is asked for one (section 10)."""
    ping: float = 60.0
    """Between two pings that measure how long an answer takes."""
    reply: float = 10.0
    """For the answer to a command."""
    change: float = 5.0
    """For a change to be announced, which the lobby does once a second (section 5.1)."""
    queues: float = 600.0
    """Between two requests for all queues: the lobby tells only of those that change."""

    def __post_init__(self) -> None:
        """Raise ValueError for what is no time."""
        if any(getattr(self, entry.name) <= 0 for entry in fields(self)):
            raise ValueError("Times must be positive")
