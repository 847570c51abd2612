"""The device that a button is meant for."""

import pytest

from homeassistant.exceptions import ServiceValidationError

from .states import device, tv
from custom_components.rumpus.families.xbox.state import TvState
from custom_components.rumpus.families.xbox.tv import button_ids, find_device

TELEVISION = device("0", "tv", "power", "vol_up", name="Television")
BOX = device("1", "stb", "power", "guide")
RECEIVER = device("2", "avr", "vol_up")
ALL = tv(BOX, TELEVISION, RECEIVER)


@pytest.mark.parametrize(
    ("button", "wanted", "device_id"),
    [
        ("vol_up", None, "2"),
        ("vol_up", "television", "0"),
        ("vol_up", "0", "0"),
        ("vol_up", "TV", "0"),
        ("guide", None, "1"),
        ("power", None, "1"),
        ("power", " tv ", "0"),
    ],
)
def test_device(button: str, wanted: str | None, device_id: str) -> None:
    """The volume is the receiver's; any other button is that of the first who has it."""
    found = find_device("Den", ALL, f"btn.{button}", wanted)
    assert found.device_id == device_id


@pytest.mark.parametrize(
    ("known", "wanted", "key", "placeholders"),
    [
        (None, None, "xbox_no_tv", {}),
        (tv(), None, "xbox_no_tv", {}),
        (
            ALL,
            "radio",
            "xbox_unknown_tv_device",
            {"known": "1 (stb), 0 (tv) Television, 2 (avr)"},
        ),
        (
            ALL,
            None,
            "xbox_no_tv_button",
            {"button": "red", "known": "guide, power, vol_up"},
        ),
        (
            tv(device("tuner", "tuner")),
            None,
            "xbox_no_tv_button",
            {"button": "red", "known": "-"},
        ),
    ],
)
def test_no_such_device(
    known: TvState | None, wanted: str | None, key: str, placeholders: dict[str, str]
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        find_device("Den", known, "btn.red", wanted)

    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == {"name": "Den", **placeholders}


def test_buttons() -> None:
    assert button_ids(ALL) == {"btn.power", "btn.vol_up", "btn.guide"}
    assert button_ids(None) == frozenset()
