"""What goes wrong with a device, in words."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import coordinator_of, set_up, wait_connected
from custom_components.rumpus.families.apple_tv.errors import (
    apple_tv_errors,
    check_connected,
    refuse,
)
from custom_components.rumpus.protocols.companion.errors import (
    CommandFailedError,
    NoTextFieldError,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import IdentityError
from tests.fakes.apple_tv import FakeAppleTv


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (NoTextFieldError("none"), "apple_tv_no_text_field"),
        (CommandFailedError("no", 1), "apple_tv_rejected"),
        (IdentityError("other"), "apple_tv_other_device"),
        (UnsupportedError("no"), "apple_tv_not_supported"),
        (DisconnectedError("gone"), "apple_tv_not_connected"),
        (PeerTimeoutError("late"), "apple_tv_timed_out"),
        (AuthenticationError("no"), "apple_tv_refused"),
        (ProtocolError("odd"), "apple_tv_failed"),
    ],
)
def test_errors(error: RumpusError, key: str) -> None:
    """Each says what to do next; only what is impossible is the user's mistake."""
    with pytest.raises(HomeAssistantError) as raised, apple_tv_errors("Living Room"):
        raise error
    assert raised.value.translation_key == key
    assert raised.value.translation_placeholders == {"name": "Living Room"}
    assert isinstance(raised.value, ServiceValidationError) is (
        isinstance(error, UnsupportedError)
    )


def test_special_words() -> None:
    """What was tried may have its own."""
    special: dict[type[RumpusError], str] = {
        PeerTimeoutError: "apple_tv_wake_timed_out"
    }
    with pytest.raises(HomeAssistantError) as raised, apple_tv_errors("A", special):
        raise PeerTimeoutError("late")
    assert raised.value.translation_key == "apple_tv_wake_timed_out"
    with pytest.raises(HomeAssistantError) as raised, apple_tv_errors("A", special):
        raise DisconnectedError("gone")
    assert raised.value.translation_key == "apple_tv_not_connected"


def test_refusals() -> None:
    """Ours are about what was asked for."""
    with pytest.raises(ServiceValidationError) as raised:
        refuse("apple_tv_key", "Living Room", what="x")
    assert raised.value.translation_placeholders == {
        "name": "Living Room",
        "what": "x",
    }


async def test_check_connected(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Without a link there is an error, and not silence."""
    entry = await set_up(hass, apple_tv)
    check_connected(coordinator_of(entry))
    await apple_tv.stop()
    await wait_connected(entry, is_connected=False)
    with pytest.raises(HomeAssistantError) as raised:
        check_connected(coordinator_of(entry))
    assert raised.value.translation_key == "apple_tv_not_connected"
