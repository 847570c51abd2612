"""What a console says of itself, before it gets anywhere."""

import pytest

from custom_components.rumpus.families.xbox.data import console_name
from custom_components.rumpus.protocols.smartglass.discovery import DiscoveredConsole
from custom_components.rumpus.protocols.smartglass.enums import PrimaryDeviceFlag


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Living room", "Living room"),
        ("XBOX-ONE_2", "XBOX-ONE_2"),
        ("Xbox v2.0 \N{VIDEO GAME}", "Xbox v2.0 \N{VIDEO GAME}"),
        ("[Sign in](http://example.com)", "Sign in http example.com"),
        ("![](//example.com/a.png)", "example.com a.png"),
        ("<https://example.com>", "https example.com"),
        ("Look at WWW.example.com", "Look at WWW example.com"),
        ("somebody@example.com", "somebody example.com"),
        ("**`Xbox`**", "Xbox"),
        ("[]()", "Xbox"),
    ],
)
def test_names_are_no_markup(told: str, name: str) -> None:
    """The dialogs of Home Assistant show Markdown, and anybody can be a console."""
    console = DiscoveredConsole(
        address="127.0.0.1",
        port=5050,
        name=told,
        console_uuid=None,
        flags=PrimaryDeviceFlag.ALLOW_ANONYMOUS_USERS,
        device_type=1,
        live_id="FD00112233445566",
        certificate=b"",
    )
    assert console_name(console) == name
