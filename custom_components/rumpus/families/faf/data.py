"""A lobby as the data of a config entry; nothing in it is secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from homeassistant.const import (
    CONF_HOST,
    CONF_NAME,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_VERIFY_SSL,
)

from ...const import CONF_FAMILY, CONF_IMPLEMENTATION
from ...protocols.faf.transports import Framing
from .address import ROOT
from .const import (
    CONF_ACCOUNT,
    CONF_FRAMING,
    CONF_HELPER,
    CONF_LOGIN,
    CONF_PLAYER_ID,
    CONF_SERVER,
    FAMILY_KEY,
    OFFICIAL_HOST,
    OFFICIAL_NAME,
    AccountKind,
    ServerKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyData:
    """Where a lobby is and as who we are there.

    `host`, `port` and `framing` are those of an own server.  Its WebSocket may be secure
    (`verify_certificate`: only with a certificate that we trust), and at a `path`, which is
    percent-encoded.  `helper` is the path of the program that makes the machine proof;
    `implementation` the application that the user has signed in with.
    """

    server: ServerKind
    account: AccountKind
    name: str = OFFICIAL_NAME
    host: str | None = None
    port: int | None = None
    framing: Framing | None = None
    is_secure: bool = False
    verify_certificate: bool = True
    path: str = ROOT
    login: str | None = None
    player_id: int | None = None
    helper: str | None = None
    implementation: str | None = None

    @classmethod
    def from_entry(cls, data: Mapping[str, Any]) -> Self:
        """Read an entry's data; older ones know neither TLS nor paths."""
        framing = data.get(CONF_FRAMING)
        return cls(
            server=ServerKind(data[CONF_SERVER]),
            account=AccountKind(data[CONF_ACCOUNT]),
            name=data[CONF_NAME],
            host=data.get(CONF_HOST),
            port=data.get(CONF_PORT),
            framing=None if framing is None else Framing(framing),
            is_secure=data.get(CONF_SSL, False),
            verify_certificate=data.get(CONF_VERIFY_SSL, True),
            path=data.get(CONF_PATH, ROOT),
            login=data.get(CONF_LOGIN),
            player_id=data.get(CONF_PLAYER_ID),
            helper=data.get(CONF_HELPER),
            implementation=data.get(CONF_IMPLEMENTATION),
        )

    def to_entry(self) -> dict[str, Any]:
        """Return the data of an entry; what is None or as usual is left out."""
        facts = {
            CONF_FAMILY: FAMILY_KEY,
            CONF_SERVER: self.server.value,
            CONF_ACCOUNT: self.account.value,
            CONF_NAME: self.name,
            CONF_HOST: self.host,
            CONF_PORT: self.port,
            CONF_FRAMING: None if self.framing is None else self.framing.value,
            CONF_SSL: self.is_secure or None,
            CONF_VERIFY_SSL: None if self.verify_certificate else False,
            CONF_PATH: None if self.path == ROOT else self.path,
            CONF_LOGIN: self.login,
            CONF_PLAYER_ID: self.player_id,
            CONF_HELPER: self.helper,
            CONF_IMPLEMENTATION: self.implementation,
        }
        return {key: value for key, value in facts.items() if value is not None}

    @property
    def is_official(self) -> bool:
        """Whether it is the server of the FAF association."""
        return self.server is ServerKind.OFFICIAL

    @property
    def is_status_only(self) -> bool:
        """Whether nobody signs in: there is no account, or nothing that makes the proof."""
        return self.account is AccountKind.NONE or (
            self.is_official and self.helper is None
        )

    @property
    def address(self) -> str:
        """Where the lobby is, as it is shown and as it is a part of the unique id.

        Behind one port there may be several lobbies at different paths; with and without
        TLS it is the same one.
        """
        if self.is_official:
            return OFFICIAL_HOST
        return f"{self.host}:{self.port}{'' if self.path == ROOT else self.path}"

    @property
    def unique_id(self) -> str:
        """What tells the entry from others: a lobby and an account."""
        if self.account is AccountKind.NONE or self.player_id is None:
            return f"{FAMILY_KEY}:{self.address}:status"
        return f"{FAMILY_KEY}:{self.address}:{self.player_id}"

    def has_players_of(self, other: Self) -> bool:
        """Tell whether the ids of players in another lobby are those of this one, too.

        A server has several doors: the same account behind another of them is the same.
        But what is at another path may be another server: nobody is taken for a stranger.
        """
        return self.address == other.address or (
            self.player_id is not None
            and (self.server, self.host, self.path, self.player_id)
            == (other.server, other.host, other.path, other.player_id)
        )
