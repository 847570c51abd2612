"""How long everything may take (the Apple TV reference, part B, sections 3.5 and 4)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses and limits of a session, in seconds."""

    connect: float = 5.0
    """For the TCP connection."""
    request: float = 5.0
    """For the answer to any request."""
    pairing: float = 10.0
    """For the device's answer to a message of pairing: slow ones calculate for seconds."""
    heartbeat: float = 8.0
    """Without any message, after which the device is asked whether it is there."""
    heartbeat_answer: float = 3.0
    """For any message to come after that; it is asked twice.

    A device that vanished is noticed after `heartbeat + 2 * heartbeat_answer`.
    """
    change: float = 5.0
    """For a new volume or new output devices to be reported after we asked for them."""
    hold: float = 1.0
    """Between the down and the up of a key that is held."""
    menu: float = 0.1
    """For the menu to open whose first entry sends the device to sleep."""
    tap: float = 0.1
    """Between the beginning and the end of a tap on the touch pad."""
    touch: float = 0.016
    """Between two samples of a gesture."""
    close: float = 1.0
    """For what is unsent to leave when the connection is closed."""
