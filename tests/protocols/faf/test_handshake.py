"""The way into a lobby, message by message."""

import asyncio

import pytest

from .script import BURST, LOGIN, PATIENT, WELCOME, ScriptedConnection, ScriptedLobby
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)
from custom_components.rumpus.protocols.faf.handshake import (
    MAX_NOTICE,
    MAX_SESSION,
    MAX_STRAY,
    MAX_USER_AGENT,
    Handshake,
    check_user_agent,
    connect,
    notice_text,
)
from custom_components.rumpus.protocols.faf.login import PasswordLogin
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.oauth import OAuthError

SHORT = Timing(
    connect=0.05, session=0.05, proof=0.05, welcome=0.05, pong=0.05, silence=60
)
PING: JsonObject = {"command": "ping"}


def notice(style: str, text: str) -> JsonObject:
    return {"command": "notice", "style": style, "text": text}


@pytest.fixture
def lobby() -> ScriptedLobby:
    return ScriptedLobby()


async def shake(lobby: ScriptedLobby, timing: Timing = PATIENT) -> Handshake:
    return Handshake(await lobby.connect(), timing)


class SlowProof:
    """A proof that is made when a test says so."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.done = asyncio.Event()
        self.was_cancelled = False

    async def prove(self, session: int) -> str:
        self.begun.set()
        try:
            await self.done.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return 40 * "x"


class NoProof:
    async def prove(self, session: int) -> str:
        raise ProofFailedError("The helper cannot be started")


async def test_log_in(lobby: ScriptedLobby) -> None:
    shaken = await shake(lobby)
    assert await shaken.log_in(LOGIN) == WELCOME
    assert lobby.last.sent == [
        {"command": "ask_session", "user_agent": "rumpus", "version": "rumpus"},
        await LOGIN.request(4294967294),
    ]
    # The rest of the burst is there for whoever reads on.
    assert await lobby.last.read_message() == BURST[1]


async def test_ping(lobby: ScriptedLobby) -> None:
    lobby.answers["ping"] = [PING, {"command": "whatever"}, {"command": "pong"}]
    assert 0 <= await (await shake(lobby)).ping() < 1
    assert lobby.last.commands() == ["ping", "pong"]


@pytest.mark.parametrize("session", [0, MAX_SESSION - 2, MAX_SESSION - 1])
async def test_session(session: int, lobby: ScriptedLobby) -> None:
    lobby.answers["ask_session"] = [{"command": "session", "session": session}]
    assert await (await shake(lobby)).ask_session() == session


@pytest.mark.parametrize("session", [-1, MAX_SESSION, None, "x", []])
async def test_max_session(session: int | str | None, lobby: ScriptedLobby) -> None:
    lobby.answers["ask_session"] = [{"command": "session", "session": session}]
    with pytest.raises(ProtocolError):
        await (await shake(lobby)).ask_session()


async def test_max_stray(lobby: ScriptedLobby) -> None:
    stray: list[JsonObject] = [{"command": "stray"}] * (MAX_STRAY - 1)
    lobby.answers["ping"] = [*stray, {"command": "pong"}]
    await (await shake(lobby)).ping()
    lobby.answers["ping"] = [*stray, {"command": "stray"}, {"command": "pong"}]
    with pytest.raises(ProtocolError, match="flood"):
        await (await shake(lobby)).ping()


def test_max_user_agent() -> None:
    assert check_user_agent(MAX_USER_AGENT * "x") == MAX_USER_AGENT * "x"
    for wrong in ("", (MAX_USER_AGENT + 1) * "x"):
        with pytest.raises(ValueError, match="user agent"):
            check_user_agent(wrong)


def test_max_notice() -> None:
    assert notice_text(notice("info", (MAX_NOTICE + 1) * "x")) == MAX_NOTICE * "x"
    assert notice_text({"command": "notice", "text": 5}) == ""
    assert notice_text(notice("info", "a <b>bold</b> word")) == "a bold word"


# Refusals


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([{"command": "authentication_failed", "text": "secret"}], LoginRefusedError),
        ([{"command": "invalid"}], ProofRefusedError),
        ([notice("kick", "secret")], KickedError),
    ],
)
async def test_refused(
    answer: list[JsonObject], error: type[RumpusError], lobby: ScriptedLobby
) -> None:
    lobby.answers["hello"] = answer
    with pytest.raises(error) as caught:
        await (await shake(lobby)).log_in(LOGIN)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("notices", "error", "text"),
    [
        ([], ProofRefusedError, None),
        ([notice("info", "Welcome")], ProofRefusedError, None),
        ([notice("error", "You are <b>banned</b> for ever")], BannedError, "ever"),
        ([notice("error", "Ban: Reason")], BannedError, "Reason"),
        ([notice("error", "No password logins")], RefusedError, "password"),
        ([notice("error", "The urban database is away")], RefusedError, "away"),
    ],
)
async def test_hung_up(
    notices: list[JsonObject],
    error: type[RumpusError],
    text: str | None,
    lobby: ScriptedLobby,
) -> None:
    lobby.answers["hello"] = notices
    shaken = await shake(lobby)
    login = asyncio.create_task(shaken.log_in(LOGIN))
    await lobby.last.wait_sent("hello")
    lobby.last.hang_up()
    with pytest.raises(error) as caught:
        await login
    if text is not None:
        assert isinstance(caught.value, BannedError | RefusedError)
        assert text in caught.value.notice
        assert "<" not in caught.value.notice
        assert text not in str(caught.value)


async def test_refused_and_silent(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [notice("error", "No")]
    with pytest.raises(RefusedError):
        await (await shake(lobby, SHORT)).log_in(LOGIN)


async def test_notices_before_the_login_say_nothing(lobby: ScriptedLobby) -> None:
    lobby.answers["ask_session"].insert(0, notice("error", "banned"))
    shaken = await shake(lobby)
    lobby.forget("hello")
    login = asyncio.create_task(shaken.log_in(LOGIN))
    await lobby.last.wait_sent("hello")
    lobby.last.hang_up()
    with pytest.raises(ProofRefusedError):
        await login


@pytest.mark.parametrize("command", ["authentication_failed", "invalid"])
async def test_refused_before_the_login(command: str, lobby: ScriptedLobby) -> None:
    lobby.answers["ask_session"] = [
        {"command": command},
        {"command": "session", "session": 5},
    ]
    shaken = await shake(lobby)
    if command == "invalid":
        with pytest.raises(ProtocolError):
            await shaken.ask_session()
    else:
        assert await shaken.ask_session() == 5


async def test_hung_up_before_the_login(lobby: ScriptedLobby) -> None:
    lobby.forget("ask_session")
    shaken = await shake(lobby)
    lobby.last.hang_up()
    with pytest.raises(DisconnectedError) as caught:
        await shaken.log_in(LOGIN)
    assert type(caught.value) is DisconnectedError


@pytest.mark.parametrize("command", ["ask_session", "hello"])
async def test_silence(command: str, lobby: ScriptedLobby) -> None:
    lobby.forget(command)
    with pytest.raises(PeerTimeoutError):
        await (await shake(lobby, SHORT)).log_in(LOGIN)


async def test_no_pong(lobby: ScriptedLobby) -> None:
    lobby.forget("ping")
    with pytest.raises(PeerTimeoutError, match="pong"):
        await (await shake(lobby, SHORT)).ping()


# The proof takes a while


async def test_pings_are_answered_while_the_proof_is_made(lobby: ScriptedLobby) -> None:
    proof = SlowProof()
    shaken = await shake(lobby)
    login = asyncio.create_task(shaken.log_in(PasswordLogin("u", "h", proof)))
    await proof.begun.wait()
    lobby.last.say(PING)
    await lobby.last.wait_sent("pong")
    proof.done.set()
    assert await login == WELCOME


async def test_hung_up_while_the_proof_is_made(lobby: ScriptedLobby) -> None:
    proof = SlowProof()
    shaken = await shake(lobby)
    login = asyncio.create_task(shaken.log_in(PasswordLogin("u", "h", proof)))
    await proof.begun.wait()
    lobby.last.hang_up()
    with pytest.raises(DisconnectedError):
        await login
    assert proof.was_cancelled


async def test_proof_that_takes_too_long(lobby: ScriptedLobby) -> None:
    proof = SlowProof()
    with pytest.raises(PeerTimeoutError, match="proof"):
        await (await shake(lobby, SHORT)).log_in(PasswordLogin("u", "h", proof))
    assert proof.was_cancelled


async def test_no_proof(lobby: ScriptedLobby) -> None:
    with pytest.raises(ProofFailedError):
        await (await shake(lobby)).log_in(PasswordLogin("u", "h", NoProof()))
    assert "hello" not in lobby.last.commands()


async def test_cancelled_while_the_proof_is_made(lobby: ScriptedLobby) -> None:
    proof = SlowProof()
    shaken = await shake(lobby)
    login = asyncio.create_task(shaken.log_in(PasswordLogin("u", "h", proof)))
    await proof.begun.wait()
    login.cancel()
    with pytest.raises(asyncio.CancelledError):
        await login
    assert proof.was_cancelled


# Connecting


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DisconnectedError("away"), DisconnectedError),
        (PeerTimeoutError("slow"), PeerTimeoutError),
        (AuthenticationError("403"), GatewayRefusedError),
        (OAuthError("invalid_grant"), OAuthError),
        (GatewayRefusedError("no"), GatewayRefusedError),
        (TimeoutError(), PeerTimeoutError),
    ],
)
async def test_no_connection(
    error: Exception, expected: type[RumpusError], lobby: ScriptedLobby
) -> None:
    lobby.error = error
    with pytest.raises(expected) as caught:
        await connect(lobby, PATIENT)
    assert type(caught.value) is expected


async def test_no_connection_in_time() -> None:
    class Stuck:
        name = "stuck"

        async def connect(self) -> ScriptedConnection:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(PeerTimeoutError):
        await connect(Stuck(), SHORT)


def test_timing() -> None:
    with pytest.raises(ValueError, match="positive"):
        Timing(pong=0)
