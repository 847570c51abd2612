"""What can go wrong with a command, beyond the errors of every protocol."""

from enum import IntEnum

from ..errors import RumpusError
from .enums import Command, HandlerReturnStatus, SendError


class CommandRejectedError(RumpusError):
    """The device did not do what it was told (part B, section 4.2)."""

    def __init__(
        self, command: int, send_error: int | None, status: int | None
    ) -> None:
        """Keep the device's two numbers; None for one that it did not give."""
        super().__init__(
            f"{_name(Command, command)} failed: {_name(SendError, send_error)},"
            f" {_name(HandlerReturnStatus, status)}"
        )
        self.command = command
        self.send_error = send_error
        self.status = status


def _name(kind: type[IntEnum], number: int | None) -> str:
    if number is None:
        return "no answer"
    try:
        return kind(number).name
    except ValueError:
        return str(number)
