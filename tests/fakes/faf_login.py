"""Signing in (section 6): tokens, passwords, the machine proof and the burst."""

from collections.abc import Callable, Sequence
import functools
import time
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import rsa
import jwt

from tests.fakes.faf_dispatch import (
    BanError,
    ClientError,
    FatalError,
    Handler,
    LoginError,
)
from tests.fakes.faf_json import JsonObject, JsonValue, text_of
from tests.fakes.faf_models import Account, Player, now, password_hash

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby
    from tests.fakes.faf_session import Session

SCOPES: Final = ("openid", "offline", "public_profile", "lobby")
KEY_ID: Final = "fake-lobby-key"
MAX_USER_AGENT: Final = 50
UNOFFICIAL: Final = (
    "You are using an unofficial client version! Some features might not work as"
    " expected. <a href='https://www.faforever.com'>Get the official one</a>."
)
ELSEWHERE: Final = "You have been signed out because you signed in elsewhere."
_AWAY: Final = "The server is having trouble with its database. Try again later."
_BAD_TOKEN: Final = "Token signature was invalid"
_BAD_LOGIN: Final = "Login not found or password incorrect. They are case sensitive."


@functools.cache
def signing_key() -> rsa.RSAPrivateKey:
    """Return the key of all fakes, made once."""
    return rsa.generate_private_key(65537, 2048)


def make_token(
    player_id: int,
    lifetime: float = 3600.0,
    scopes: Sequence[str] = SCOPES,
    **claims: JsonValue,
) -> str:
    """Return an access token; `claims` replace or, as None, remove those in it."""
    issued = int(time.time())
    payload: JsonObject = {
        "iss": "https://hydra.example",
        "sub": str(player_id),
        "scp": list(scopes),
        "iat": issued,
        "exp": issued + int(lifetime),
        # No two tokens are the same.
        "jti": f"{time.monotonic_ns():x}",
    }
    payload |= claims
    kept = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(kept, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})


def check_token(token: str) -> int:
    """Return the number of the account that a token is for. Raises LoginError."""
    try:
        claims = jwt.decode(
            token,
            signing_key().public_key(),
            algorithms=["RS256"],
            options={"verify_aud": False, "verify_sub": False, "verify_iat": False},
        )
        scopes, subject = claims["scp"], claims["sub"]
        player_id = int(subject)
        is_ours = jwt.get_unverified_header(token).get("kid") == KEY_ID
    except (jwt.PyJWTError, LookupError, ValueError, TypeError) as error:
        raise LoginError(_BAD_TOKEN) from error
    if not is_ours:
        raise LoginError(_BAD_TOKEN)
    if not isinstance(scopes, list) or "lobby" not in scopes:
        raise LoginError("You do not have permission to connect to the lobby")
    return player_id


class LoginDesk:
    """Lets clients in."""

    def __init__(self, lobby: FakeLobby) -> None:
        self._lobby = lobby
        self._core = lobby.core
        self.password_login = True
        self.timeout = 300.0  # seconds that a client has for it
        self.proof_check: Callable[[int, str], bool] | None = None
        self.handlers: dict[str, Handler] = {
            "ask_session": self._ask_session,
            "auth": self._auth,
            "hello": self._hello,
            "create_account": self._create_account,
            "ping": self._ping,
            "pong": self._pong,
        }

    def expire(self, session: Session) -> None:
        """End a connection that took too long."""
        if session.player is None:
            session.abort("login time-out")

    async def _ping(self, session: Session, message: JsonObject) -> None:
        await session.send({"command": "pong"})

    async def _pong(self, session: Session, message: JsonObject) -> None:
        """Have no consequence."""

    async def _create_account(self, session: Session, message: JsonObject) -> None:
        raise ClientError(
            "Account creation is only available on <a"
            " href='https://www.faforever.com/account/register'>the website</a>."
        )

    async def _ask_session(self, session: Session, message: JsonObject) -> None:
        user_agent, version = message.get("user_agent"), message.get("version")
        session.user_agent = None if user_agent is None else str(user_agent)
        session.version = None if version is None else str(version)
        self._core.events.emit(
            "session_asked",
            session=session.key,
            user_agent=session.user_agent,
            number=session.number,
        )
        if "downlords-faf-client" not in (session.user_agent or ""):
            await session.notice(UNOFFICIAL, "info")
        await session.send({"command": "session", "session": session.number})

    async def _auth(self, session: Session, message: JsonObject) -> None:
        token, unique_id = text_of(message, "token"), text_of(message, "unique_id")
        try:
            account = self._account_of(token)
        except LoginError:
            self._refused(session, None, "credentials")
            raise
        self._check(session, account, unique_id)
        await session.send({"command": "irc_password", "password": "deprecated"})
        await self._sign_in(session, account, "token")

    async def _hello(self, session: Session, message: JsonObject) -> None:
        if not self.password_login:
            raise ClientError(
                "Username and password login has been disabled please use"
                " oauth instead",
                is_recoverable=False,
            )
        login, password = text_of(message, "login"), text_of(message, "password")
        unique_id = text_of(message, "unique_id")
        account = next(
            (
                account
                for account in self._core.accounts.values()
                if account.login == login
                and password_hash(account.password) == password
            ),
            None,
        )
        if account is None or self._core.mischief.refuse_login:
            self._refused(session, login, "credentials")
            raise LoginError(_BAD_LOGIN)
        self._check(session, account, unique_id)
        await self._sign_in(session, account, "password")

    def _account_of(self, token: str) -> Account:
        player_id = check_token(token)
        if self._core.mischief.refuse_login:
            raise LoginError(_BAD_TOKEN)
        if player_id not in self._core.accounts:
            raise LoginError("Cannot find user id")
        return self._core.accounts[player_id]

    def _refused(self, session: Session, login: str | None, reason: str) -> None:
        self._core.events.emit(
            "login_refused", session=session.key, login=login, reason=reason
        )

    def _check(self, session: Session, account: Account, unique_id: str) -> None:
        """Refuse whoever is not to come in with right credentials."""
        if self._core.mischief.database_is_away:
            self._refused(session, account.login, "database")
            raise ClientError(_AWAY, is_recoverable=False)
        if account.ban is not None:
            self._refused(session, account.login, "ban")
            raise BanError(account.ban)
        if len(session.user_agent or "") > MAX_USER_AGENT:
            self._refused(session, account.login, "user_agent")
            raise FatalError("too long a user agent")
        check = self.proof_check
        accepted = check is None or check(session.number, unique_id)
        self._core.events.emit(
            "proof", session=session.key, unique_id=unique_id, accepted=accepted
        )
        if not accepted or self._core.mischief.refuse_proof:
            self._refused(session, account.login, "proof")
            raise FatalError("the policy service refused")

    async def _sign_in(self, session: Session, account: Account, how: str) -> None:
        core = self._core
        if core.mischief.end_login:
            session.abort("end_login")
            return
        if self._evict(session, account):
            return
        account.user_agent = session.user_agent
        player = Player(account, session)
        session.player = player
        core.sign_on(player)
        core.events.emit(
            "signed_in",
            session=session.key,
            login=account.login,
            id=account.id,
            how=how,
            transport=session.link.transport,
            user_agent=session.user_agent,
            version=session.version,
        )
        for message in self._burst(player):
            await session.send(message)
        if core.mischief.kick_on_login:
            session.kick(ELSEWHERE)

    def _evict(self, session: Session, account: Account) -> bool:
        """Sign out who has the account; whether this was the connection itself."""
        if session.player is not None:
            if session.player.account is account:
                session.kick(ELSEWHERE)
                return True
            session.leave()
        old = self._core.players.get(account.id)
        for other in tuple(self._core.sessions):
            if other.player is not None and other.player.account is account:
                other.kick(ELSEWHERE)
        if old is not None and self._core.is_listed(old):
            # Somebody without a connection.
            self._lobby.connection_lost(old)
        return False

    def _burst(self, player: Player) -> list[JsonObject]:
        """Return what follows a good login (section 6.1)."""
        account, core = player.account, self._core
        channels = list[JsonValue](account.channels)
        if account.clan is not None:
            channels.append(f"#{account.clan}_clan")
        if account.power:
            channels.append("#moderators")
        games: list[JsonValue] = [
            game.describe()
            for game in core.games.values()
            if game.stage in ("lobby", "live") and game.is_visible_to(player)
        ]
        return [
            {
                "command": "welcome",
                "me": player.describe(),
                "current_time": now().isoformat(timespec="microseconds"),
                "id": account.id,
                "login": account.login,
            },
            {
                "command": "player_info",
                "players": [other.describe() for other in core.players.values()],
            },
            {
                "command": "social",
                "autojoin": channels,
                "channels": channels,
                "friends": list[JsonValue](account.friends),
                "foes": list[JsonValue](account.foes),
                "power": account.power,
            },
            {"command": "game_info", "games": games},
        ]
