"""What can go wrong with a console, beyond what can with every device."""

from ..errors import (
    AuthenticationError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from .enums import ConnectResult, ResultCode, ServiceChannel


class ConnectRefusedError(AuthenticationError):
    """The console does not let us in (the SmartGlass reference, section 8.4)."""

    def __init__(self, result: ConnectResult | int) -> None:
        """Take the result code that the console answered."""
        super().__init__(f"The console refused the connection: {describe(result)}")
        self.result = result


class ChannelError(RumpusError):
    """A channel is not open, or the console refused to open it.

    `result` is None when the console did not say anything.
    """

    def __init__(
        self, channel: ServiceChannel, result: ResultCode | int | None = None
    ) -> None:
        """Take the channel and the console's result code, if there was one."""
        reason = "not open" if result is None else f"refused: {describe(result)}"
        super().__init__(f"Channel {channel.name} is {reason}")
        self.channel = channel
        self.result = result


class FragmentError(ProtocolError):
    """The parts of a message do not fit together, or there are too many of them."""


class RejectedError(RumpusError):
    """The console rejected a message, or answered it with a result that is not success.

    `result` is None for a message that an ack lists as rejected.
    """

    def __init__(self, result: ResultCode | int | None = None) -> None:
        """Take the result code, if there was one."""
        super().__init__(
            "The console rejected the message"
            if result is None
            else f"The console could not do it: {describe(result)}"
        )
        self.result = result


class ConsoleMismatchError(RumpusError):
    """Another console answers at this address."""


class WakeTimeoutError(PeerTimeoutError):
    """The console did not wake up in time."""


class TextNotOpenError(RumpusError):
    """No text field is open on the console."""


class TitleNotLaunchedError(UnsupportedError):
    """The console did not start a title that it was asked for."""


class StumpError(RumpusError):
    """The console answered a request of its TV remote with an error."""


def describe(code: int) -> str:
    """Return the name of a code, or its number when nobody knows it."""
    name: str | None = getattr(code, "name", None)
    return f"{code:#x}" if name is None else name.lower().replace("_", " ")
