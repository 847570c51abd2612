"""What the keys of a phone's TV remote are called by the integrations that control TVs.

Nothing here does input or output.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from homeassistant.components.remote.const import DOMAIN as REMOTE_DOMAIN
from homeassistant.const import ATTR_ENTITY_ID

from ...const import DOMAIN
from ...protocols.kdeconnect.plugins.mousepad import TvKey
from .tv_data import TvSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """How an integration is told of keys.

    `keys` are its names of them. `text` is what makes a command of a typed text, with `{}`
    where the text goes; None where it takes none.
    """

    keys: Mapping[TvKey, str]
    text: str | None = None


def _keys(
    left: str,
    right: str,
    up: str,
    down: str,
    select: str,
    home: str,
    back: str,
    **others: str,
) -> dict[TvKey, str]:
    return {
        TvKey.LEFT: left,
        TvKey.RIGHT: right,
        TvKey.UP: up,
        TvKey.DOWN: down,
        TvKey.SELECT: select,
        TvKey.HOME: home,
        TvKey.BACK: back,
        **{TvKey(name): command for name, command in others.items()},
    }


GENERIC: Final = Preset(_keys("left", "right", "up", "down", "select", "home", "back"))
"""For remotes of integrations that are not listed."""

REMOTES: Final[Mapping[str, Preset]] = {
    "androidtv": Preset(
        # No text: what is no key is a command line for this one.
        _keys("LEFT", "RIGHT", "UP", "DOWN", "CENTER", "HOME", "BACK")
    ),
    "androidtv_remote": Preset(
        _keys(
            "DPAD_LEFT",
            "DPAD_RIGHT",
            "DPAD_UP",
            "DPAD_DOWN",
            "DPAD_CENTER",
            "HOME",
            "BACK",
            page_up="PAGE_UP",
            page_down="PAGE_DOWN",
            start="MOVE_HOME",
            end="MOVE_END",
            tab="TAB",
            backspace="DEL",
            delete="FORWARD_DEL",
        ),
        text="text:{}",
    ),
    "apple_tv": Preset(_keys("left", "right", "up", "down", "select", "home", "menu")),
    "braviatv": Preset(
        _keys("Left", "Right", "Up", "Down", "Confirm", "Home", "Return")
    ),
    "philips_js": Preset(
        _keys(
            "CursorLeft",
            "CursorRight",
            "CursorUp",
            "CursorDown",
            "Confirm",
            "Home",
            "Back",
        )
    ),
    "roku": Preset(
        _keys(
            "left",
            "right",
            "up",
            "down",
            "select",
            "home",
            "back",
            backspace="backspace",
        ),
        text="Lit_{}",
    ),
    # The words of our own remote controls, by which one device controls another.
    DOMAIN: Preset(
        _keys(
            "left",
            "right",
            "up",
            "down",
            "select",
            "tv_home",
            "back",
            close="close",
            page_up="page_up",
            page_down="page_down",
            start="home",
            end="end",
            tab="tab",
            backspace="backspace",
            delete="delete",
        ),
        text="text:{}",
    ),
    "samsungtv": Preset(
        _keys(
            "KEY_LEFT",
            "KEY_RIGHT",
            "KEY_UP",
            "KEY_DOWN",
            "KEY_ENTER",
            "KEY_HOME",
            "KEY_RETURN",
            close="KEY_EXIT",
        )
    ),
    "vizio": Preset(
        _keys(
            "left",
            "right",
            "up",
            "down",
            "ok",
            "smartcast",
            "back",
            close="exit",
        )
    ),
    "xbox": Preset(
        _keys("Left", "Right", "Up", "Down", "A", "GoHome", "B"), text="text:{}"
    ),
}
"""By the integration of a remote entity."""


@dataclass(frozen=True, slots=True)
class PlayerPreset:
    """How the media players of an integration that has no remotes are told of keys."""

    service: str
    field: str
    preset: Preset


PLAYERS: Final[Mapping[str, PlayerPreset]] = {
    "kodi": PlayerPreset(
        "call_method",
        "method",
        Preset(
            _keys(
                "Input.Left",
                "Input.Right",
                "Input.Up",
                "Input.Down",
                "Input.Select",
                "Input.Home",
                "Input.Back",
            )
        ),
    ),
    "webostv": PlayerPreset(
        "button",
        "button",
        Preset(
            _keys("LEFT", "RIGHT", "UP", "DOWN", "ENTER", "HOME", "BACK", close="EXIT")
        ),
    ),
}
"""By the integration of a media player entity."""


@dataclass(frozen=True, slots=True)
class Command:
    """An action of Home Assistant."""

    entity_id: str
    domain: str
    service: str
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyboard:
    """What the keys of one TV do."""

    settings: TvSettings
    preset: Preset
    player: tuple[str, PlayerPreset] | None = None
    """The integration of the media player and its preset, where that takes the keys."""

    @classmethod
    def create(
        cls,
        settings: TvSettings,
        remote_platform: str | None,
        player_platform: str | None,
    ) -> Keyboard:
        """Choose presets by the integrations of the two entities, None for unknown ones."""
        if settings.remote is not None:
            return cls(settings, REMOTES.get(remote_platform or "", GENERIC))
        if (player := PLAYERS.get(player_platform or "")) is not None:
            return cls(settings, player.preset, (player_platform or "", player))
        return cls(settings, Preset({}))

    def name_of(self, key: TvKey) -> str | None:
        """Return what a key is called: what the user says, else the preset's word."""
        return self.settings.commands.get(key) or self.preset.keys.get(key)

    def command(self, key: TvKey) -> Command | None:
        """Return what a key does, None when that is nothing."""
        if (name := self.name_of(key)) is None:
            return None
        settings = self.settings
        if self.player is not None:
            domain, player = self.player
            return Command(
                settings.media_player,
                domain,
                player.service,
                {ATTR_ENTITY_ID: settings.media_player, player.field: name},
            )
        if settings.remote is None:
            return None
        data: dict[str, Any] = {
            ATTR_ENTITY_ID: settings.remote,
            "command": [name],
            # Else some remotes wait after each command, and hold up the next key.
            "delay_secs": 0,
        }
        if settings.remote_device is not None:
            data["device"] = settings.remote_device
        return Command(settings.remote, REMOTE_DOMAIN, "send_command", data)

    def text_command(self, text: str) -> str | None:
        """Return the remote's command that types a text, None when it takes none."""
        if self.settings.remote is None or self.preset.text is None:
            return None
        return self.preset.text.replace("{}", text)
