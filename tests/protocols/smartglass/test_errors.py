"""Errors of SmartGlass: what they are caught as, and that their text can be read."""

import pytest

from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.smartglass import errors
from custom_components.rumpus.protocols.smartglass.enums import (
    ConnectResult,
    ResultCode,
    ServiceChannel,
)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            errors.ConnectRefusedError(ConnectResult.FAILURE_DEVICE_LIMIT_EXCEEDED),
            AuthenticationError,
            "The console refused the connection: failure device limit exceeded",
        ),
        (
            errors.ConnectRefusedError(77),
            AuthenticationError,
            "The console refused the connection: 0x4d",
        ),
        (
            errors.ChannelError(ServiceChannel.SYSTEM_TEXT),
            RumpusError,
            "Channel SYSTEM_TEXT is not open",
        ),
        (
            errors.ChannelError(ServiceChannel.TITLE, ResultCode.NOT_FOUND),
            RumpusError,
            "Channel TITLE is refused: not found",
        ),
        (errors.RejectedError(), RumpusError, "The console rejected the message"),
        (
            errors.RejectedError(0x8000_9999),
            RumpusError,
            "The console could not do it: 0x80009999",
        ),
    ],
    ids=str,
)
def test_error_tells_what_happened(
    error: RumpusError, kind: type[RumpusError], text: str
) -> None:
    assert isinstance(error, kind)
    assert str(error) == text


def test_errors_keep_what_the_console_said() -> None:
    assert errors.ConnectRefusedError(3).result == 3
    channel = errors.ChannelError(ServiceChannel.TITLE, 5)
    assert (channel.channel, channel.result) == (ServiceChannel.TITLE, 5)
    assert errors.RejectedError(6).result == 6


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.FragmentError, ProtocolError),
        (errors.WakeTimeoutError, PeerTimeoutError),
        (errors.TitleNotLaunchedError, UnsupportedError),
        (errors.ConsoleMismatchError, RumpusError),
        (errors.TextNotOpenError, RumpusError),
        (errors.StumpError, RumpusError),
    ],
)
def test_errors_are_of_the_kinds_that_programs_know(
    error: type[RumpusError], kind: type[RumpusError]
) -> None:
    assert issubclass(error, kind)
