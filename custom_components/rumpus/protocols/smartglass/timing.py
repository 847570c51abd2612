"""How long everything may take (the SmartGlass reference, sections 6.4 and 10.2)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """All pauses of a session, in seconds.

    A console in the same network answers within 20 ms, so the first pauses are short: what
    comes twice the receiver drops. Of a tuple of pauses each one follows a try.
    """

    discovery: float = 4.0
    """For the console's answer before a connect, which is asked for again and again."""
    discovery_interval: float = 0.5
    connect: tuple[float, ...] = (1.0, 1.0, 1.0, 1.5, 1.5, 2.0)
    """For the answer to each ConnectRequest."""
    pending_interval: float = 2.0
    """Until the request is sent again when the console says that it signs the user in."""
    pending: float = 30.0
    """For that sign-in altogether."""
    acks: tuple[float, ...] = (
        *(0.2, 0.3, 0.4, 0.5, 0.5, 0.6, 0.6),
        *(0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6),
    )
    """For the ack of each transmission of a message."""
    channel: float = 5.0
    """For the answer to a StartChannelRequest; a later one still opens the channel."""
    status: float = 2.0
    """For the first ConsoleStatus of a session."""
    heartbeat: float = 2.0
    """Between two packets that show both ends that the other one is there."""
    silence: float = 6.0
    """Without any valid packet, after which the console counts as gone."""
    farewell: float = 4.0
    """The same once it has sent an empty list of titles, as those do that go off."""
    power_off: float = 10.0
    """For a console that was told to go off to do so."""
    power_off_silence: float = 3.0
    """Without any valid packet, after which that console counts as off."""
    power_off_heartbeat: float = 0.5
    """Between two looks whether it is still there."""
    launch: float = 3.0
    """For a title to show up that the console was asked to start."""

    def __post_init__(self) -> None:
        """Raise ValueError for tries without an end or a beginning."""
        if not self.connect or not self.acks:
            raise ValueError("There has to be one try at least")
        if min(*self.connect, *self.acks, self.heartbeat) <= 0:
            raise ValueError("Pauses must be positive")
