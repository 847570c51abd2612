"""What goes wrong with a console is told in the user's language."""

import json
from pathlib import Path

import pytest

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from custom_components import rumpus
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox.errors import xbox_errors
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    ConnectResult,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.errors import (
    ChannelError,
    ConnectRefusedError,
    ConsoleMismatchError,
    RejectedError,
    StumpError,
    TextNotOpenError,
    TitleNotLaunchedError,
    WakeTimeoutError,
)

ANONYMOUS = ConnectResult.FAILURE_ANONYMOUS_CONNECTIONS_DISABLED
LIMIT = ConnectResult.FAILURE_DEVICE_LIMIT_EXCEEDED
DISABLED = ConnectResult.FAILURE_SMARTGLASS_DISABLED
LATE = ConnectResult.FAILURE_USER_SIGN_IN_TIMED_OUT
UNKNOWN = ConnectResult.FAILURE_UNKNOWN
NOBODY = ConnectResult.FAILURE_USER_SIGN_IN_REQUIRED


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (DisconnectedError(), "xbox_not_connected"),
        (PeerTimeoutError(), "xbox_timed_out"),
        (ProtocolError(), "xbox_failed"),
        (AuthenticationError(), "xbox_refused"),
        (UnsupportedError(), "xbox_not_supported"),
        (TitleNotLaunchedError(), "xbox_title_not_launched"),
        (TextNotOpenError(), "xbox_no_text_field"),
        (StumpError(), "xbox_tv_failed"),
        (ChannelError(ServiceChannel.SYSTEM_INPUT), "xbox_channel_closed"),
        (RejectedError(), "xbox_rejected"),
        (WakeTimeoutError(), "xbox_wake_timed_out"),
        (ConsoleMismatchError(), "xbox_other_console"),
        (ConnectRefusedError(ANONYMOUS), "xbox_refused_anonymous"),
        (ConnectRefusedError(LIMIT), "xbox_refused_limit"),
        (ConnectRefusedError(DISABLED), "xbox_refused_disabled"),
        (ConnectRefusedError(NOBODY), "xbox_refused_nobody"),
        (ConnectRefusedError(int(NOBODY)), "xbox_refused_nobody"),
        (ConnectRefusedError(LATE), "xbox_refused_nobody"),
        (ConnectRefusedError(UNKNOWN), "xbox_refused_unknown"),
        (ConnectRefusedError(99), "xbox_refused"),
    ],
)
def test_errors(error: RumpusError, key: str) -> None:
    with pytest.raises(HomeAssistantError) as caught, xbox_errors("Den"):
        raise error

    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == {"name": "Den"}
    assert caught.value.__cause__ is error
    is_wish = isinstance(caught.value, ServiceValidationError)
    assert is_wish == (key == "xbox_not_supported")


def test_no_error() -> None:
    with xbox_errors("Den"):
        pass


def test_placeholders() -> None:
    """Every text names the console it is about, but for those about what was written."""
    texts = json.loads(
        (Path(rumpus.__file__).parent / "translations" / "en.json").read_text()
    )["exceptions"]
    nameless = {
        key
        for key, text in texts.items()
        if key.startswith("xbox_") and "{name}" not in text["message"]
    }
    assert nameless <= {
        "xbox_cannot_search",
        "xbox_text_what",
        "xbox_too_many_commands",
        "xbox_unknown_tv_button",
        "xbox_which_channel",
    }
