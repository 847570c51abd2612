"""What keys, swipes and floods amount to; nothing here needs a network."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.kde_connect.remote_commands import parse
from custom_components.rumpus.families.kde_connect.tv_data import TvSettings
from custom_components.rumpus.families.kde_connect.tv_pad import (
    MAX_STEPS,
    STEP,
    TouchPad,
)
from custom_components.rumpus.families.kde_connect.tv_presets import (
    GENERIC,
    PLAYERS,
    REMOTES,
    Keyboard,
)
from custom_components.rumpus.families.kde_connect.tv_rate import (
    KEYS_PER_SECOND,
    MAX_BURST,
    KeyRate,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.mousepad import (
    Button,
    PointerRequest,
    TvKey,
    press,
)

ARROWS_AND_MORE = (
    TvKey.LEFT,
    TvKey.RIGHT,
    TvKey.UP,
    TvKey.DOWN,
    TvKey.SELECT,
    TvKey.HOME,
    TvKey.BACK,
)


def settings(
    remote: str | None = "remote.tv",
    device: str | None = None,
    commands: dict[TvKey, str] | None = None,
) -> TvSettings:
    """Return the settings of a TV."""
    return TvSettings("TV", "media_player.tv", remote, device, commands or {})


@pytest.mark.parametrize("platform", [*REMOTES, "broadlink"])
def test_every_remote_knows_the_keys_of_phones(platform: str) -> None:
    keyboard = Keyboard.create(settings(), platform, None)

    assert all(keyboard.name_of(key) for key in ARROWS_AND_MORE)
    assert len({keyboard.name_of(key) for key in ARROWS_AND_MORE}) == 7


@pytest.mark.parametrize("platform", list(PLAYERS))
def test_every_player_knows_the_keys_of_phones(platform: str) -> None:
    keyboard = Keyboard.create(settings(None), None, platform)

    for key in ARROWS_AND_MORE:
        command = keyboard.command(key)
        assert command is not None
        assert command.domain == platform
        assert command.entity_id == command.data["entity_id"] == "media_player.tv"
    assert keyboard.text_command("x") is None


@pytest.mark.parametrize(
    ("platform", "key", "name"),
    [
        ("androidtv", TvKey.SELECT, "CENTER"),
        ("androidtv_remote", TvKey.SELECT, "DPAD_CENTER"),
        ("androidtv_remote", TvKey.BACKSPACE, "DEL"),
        ("apple_tv", TvKey.BACK, "menu"),
        ("braviatv", TvKey.BACK, "Return"),
        ("philips_js", TvKey.UP, "CursorUp"),
        ("roku", TvKey.SELECT, "select"),
        ("rumpus", TvKey.HOME, "tv_home"),
        ("samsungtv", TvKey.SELECT, "KEY_ENTER"),
        ("vizio", TvKey.HOME, "smartcast"),
        ("xbox", TvKey.SELECT, "A"),
        (None, TvKey.HOME, "home"),
    ],
)
def test_names(platform: str | None, key: TvKey, name: str) -> None:
    command = Keyboard.create(settings(), platform, "webostv").command(key)

    assert command is not None
    assert (command.domain, command.service) == ("remote", "send_command")
    assert command.data == {
        "entity_id": "remote.tv",
        "command": [name],
        "delay_secs": 0,
    }


def test_our_own_remotes() -> None:
    """Each key and each text is to another device what it was to the TV."""
    keyboard = Keyboard.create(settings(), "rumpus", None)

    for key in TvKey:
        assert parse(keyboard.name_of(key) or "").packets == (press(key),)
    command = keyboard.text_command("a: b")
    assert command is not None
    assert [packet.body["key"] for packet in parse(command).packets] == ["a: b"]


def test_device_of_the_remote() -> None:
    command = Keyboard.create(settings(device="Box"), "harmony", None).command(TvKey.UP)

    assert command is not None
    assert command.data["device"] == "Box"


def test_commands_of_the_user() -> None:
    keyboard = Keyboard.create(
        settings(commands={TvKey.UP: "b64:xyz", TvKey.CLOSE: "off"}), None, None
    )

    assert keyboard.name_of(TvKey.UP) == "b64:xyz"
    assert keyboard.name_of(TvKey.CLOSE) == "off"
    assert keyboard.name_of(TvKey.DOWN) == GENERIC.keys[TvKey.DOWN]
    assert keyboard.command(TvKey.TAB) is None


def test_nothing_takes_keys() -> None:
    keyboard = Keyboard.create(settings(None, commands={TvKey.UP: "up"}), None, "cast")

    assert keyboard.command(TvKey.UP) is None
    assert keyboard.command(TvKey.DOWN) is None
    assert keyboard.text_command("x") is None


@pytest.mark.parametrize(
    ("platform", "command"),
    [
        ("androidtv_remote", "text:a {} b"),
        ("roku", "Lit_a {} b"),
        ("rumpus", "text:a {} b"),
        ("xbox", "text:a {} b"),
        # These would take a text for something else.
        ("androidtv", None),
        ("apple_tv", None),
        (None, None),
    ],
)
def test_texts(platform: str | None, command: str | None) -> None:
    assert Keyboard.create(settings(), platform, None).text_command("a {} b") == command


def test_commands_are_not_shown() -> None:
    command = Keyboard.create(settings(), None, None).command(TvKey.UP)

    assert "command=" not in repr(command)
    assert "'up'" not in repr(command)


# The pad


@pytest.mark.parametrize(
    ("moves", "keys"),
    [
        ([(STEP, 0)], [TvKey.RIGHT]),
        ([(-STEP, 20)], [TvKey.LEFT]),
        ([(10, -STEP)], [TvKey.UP]),
        ([(0, STEP)], [TvKey.DOWN]),
        ([(STEP - 1, 0)], []),
        ([(STEP / 2, 0), (STEP / 2, 0)], [TvKey.RIGHT]),
        ([(STEP / 2, 0), (-STEP / 2, 0), (0, STEP)], [TvKey.DOWN]),
        ([(2.5 * STEP, 0), (STEP / 2, 0)], [TvKey.RIGHT] * 2),
        ([(100_000, 0)], [TvKey.RIGHT] * MAX_STEPS),
    ],
)
def test_swipes(moves: list[tuple[float, float]], keys: list[TvKey]) -> None:
    pad = TouchPad()

    assert [key for dx, dy in moves for key in pad.keys(PointerRequest(dx, dy))] == keys


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        (PointerRequest(button=Button.LEFT, clicks=1), [TvKey.SELECT]),
        (PointerRequest(button=Button.RIGHT, clicks=1), [TvKey.BACK]),
        (PointerRequest(button=Button.BACK, clicks=1), [TvKey.BACK]),
        (PointerRequest(button=Button.MIDDLE, clicks=1), []),
        (PointerRequest(dy=9 * STEP, is_scroll=True), []),
        (PointerRequest(x=5, y=900), []),
        (PointerRequest(is_hold=True), []),
    ],
)
def test_clicks(request_: PointerRequest, keys: list[TvKey]) -> None:
    assert TouchPad().keys(request_) == keys


@given(st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))))
def test_swipes_are_bounded(moves: list[tuple[float, float]]) -> None:
    pad = TouchPad()

    for dx, dy in moves:
        assert len(pad.keys(PointerRequest(dx, dy))) <= MAX_STEPS


# The rate


def test_rate() -> None:
    rate = KeyRate()

    assert [rate.admit(0.0) for _ in range(MAX_BURST + 2)] == [True] * MAX_BURST + [
        False
    ] * 2
    # Then as many as somebody presses who holds a key.
    later = 1 / KEYS_PER_SECOND + 0.001
    assert rate.admit(later)
    assert not rate.admit(later)


def test_rate_after_a_pause() -> None:
    rate = KeyRate()
    assert [rate.is_calm for _ in range(2) if rate.admit(0.0)] == [True, False]

    assert [rate.admit(1e6) for _ in range(MAX_BURST + 1)] == [True] * MAX_BURST + [
        False
    ]
