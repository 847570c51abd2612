"""How long everything may take (the Apple TV reference, part A, sections 5.1, 6 and 9.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses and time-outs of AirPlay, in seconds."""

    connect: float = 5.0
    """For a TCP connection."""
    first_request: float = 25.0
    """For the first answer: the device may have to wake up."""
    request: float = 15.0
    """For any other one; HomePods have taken 8 s for a SETUP."""
    event_attempts: int = 5
    """Tries to connect to a port that the device has announced, but not opened yet."""
    event_pause: float = 1.0
    """Between these."""
    feedback: float = 2.0
    """Between two signs that we are there."""
    feedback_timeout: float = 10.0
    """For the answer to one, after which the device counts as gone."""
    close: float = 1.0
    """For what is unsent to leave."""

    def __post_init__(self) -> None:
        """Raise ValueError for pauses that are none."""
        pauses = (
            *(self.connect, self.first_request, self.request, self.event_pause),
            *(self.feedback, self.feedback_timeout, self.close, self.event_attempts),
        )
        if min(pauses) <= 0:
            raise ValueError("Pauses must be positive")
