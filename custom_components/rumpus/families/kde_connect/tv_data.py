"""A TV of this home as the data of a config entry, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.const import CONF_NAME

from ...const import CONF_FAMILY, DOMAIN, LOGGER
from ...protocols.kdeconnect.paired import PairedDevice
from ...protocols.kdeconnect.plugins.mousepad import TvKey
from .const import CONF_DEVICE_ID, FAMILY_KEY
from .data import NotPairedError, entry_data, paired_device

CONF_KIND: Final = "kind"
KIND_TV: Final = "tv"

CONF_MEDIA_PLAYER: Final = "media_player"
CONF_PHONES: Final = "phones"
CONF_REMOTE: Final = "remote"
CONF_REMOTE_DEVICE: Final = "remote_device"
"""Option: what the action of the remote takes as its `device`."""
CONF_TV_ID: Final = "tv_id"
"""In a discovery: the unique id of the TV's entry."""

MAX_PHONES: Final = 10
"""Phones that are paired with one TV."""
MAX_TVS: Final = 10
"""TVs that are shown on phones: each of them announces itself and listens at a port."""
MAX_COMMAND: Final = 255
"""Characters of a command that the user gives a key."""

KEY_OPTION: Final = "key_"
"""What the option for the command of a key begins with; the key's name follows."""

EVENT_TV_TEXT: Final = f"{DOMAIN}_tv_text"
"""Bus event: somebody has typed or dictated `text` for a TV that takes none; it is private."""


def is_tv(data: Mapping[str, Any]) -> bool:
    """Tell whether the data of an entry, or of a discovery, is about a TV of this home."""
    return data.get(CONF_FAMILY) == FAMILY_KEY and data.get(CONF_KIND) == KIND_TV


def tv_data(name: str, media_player: str, remote: str | None) -> dict[str, Any]:
    """Return the data of a new entry; its id in the protocol comes with its key."""
    return {
        CONF_FAMILY: FAMILY_KEY,
        CONF_KIND: KIND_TV,
        CONF_NAME: name,
        CONF_MEDIA_PLAYER: media_player,
        CONF_REMOTE: remote,
        CONF_DEVICE_ID: None,
        CONF_PHONES: [],
    }


def phones_of(data: Mapping[str, Any]) -> list[PairedDevice]:
    """Return the phones that are paired with a TV; a damaged one is left out."""
    phones: list[PairedDevice] = []
    for phone in data[CONF_PHONES][:MAX_PHONES]:
        try:
            phones.append(paired_device(phone))
        except NotPairedError:
            LOGGER.debug("A phone of a TV has no usable certificate")
    return phones


def with_phones(
    data: Mapping[str, Any], phones: Iterable[PairedDevice]
) -> dict[str, Any]:
    """Return the data of an entry with these phones instead of those it has."""
    return {**data, CONF_PHONES: [entry_data(phone) for phone in phones]}


@dataclass(frozen=True, slots=True)
class TvSettings:
    """What the user has set: the entities, and commands other than the preset ones."""

    name: str
    media_player: str
    remote: str | None
    remote_device: str | None
    commands: Mapping[TvKey, str]

    @classmethod
    def from_entry(cls, data: Mapping[str, Any], options: Mapping[str, Any]) -> Self:
        """Read an entry."""
        return cls(
            data[CONF_NAME],
            data[CONF_MEDIA_PLAYER],
            data[CONF_REMOTE],
            options.get(CONF_REMOTE_DEVICE) or None,
            {
                key: command
                for key in TvKey
                if (command := options.get(f"{KEY_OPTION}{key}"))
            },
        )
