"""Signing in to Xbox Live, with services on loopback."""

from collections.abc import AsyncIterator, Callable
import contextlib
from datetime import UTC, datetime, timedelta
import json
import logging
import traceback

import aiohttp
from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols import web_service
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.oauth import (
    MAX_ERROR,
    MAX_LIFETIME,
    MAX_TOKEN,
    OAuthError,
    decode_token,
)
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from custom_components.rumpus.protocols.smartglass.xbox_live import (
    MAX_GAMERTAG,
    MAX_USERHASH,
    OFFICIAL,
    SCOPE,
    Endpoints,
    XblError,
    XboxLive,
    XErr,
    decode_user_token,
    decode_xsts,
)
from custom_components.rumpus.protocols.web_service import (
    MAX_RESPONSE,
    MAX_RESPONSE_DEPTH,
)
from tests.fakes.xbox_live import Canned, FakeXboxLive, Fault

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def fake(socket_enabled: None) -> AsyncIterator[FakeXboxLive]:
    async with FakeXboxLive() as services:
        yield services
        assert services.complaints == []


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def live(fake: FakeXboxLive, session: aiohttp.ClientSession) -> XboxLive:
    return XboxLive(
        session,
        Endpoints(
            authorize=fake.authorize_url,
            token=fake.token_url,
            user=fake.user_url,
            xsts=fake.xsts_url,
        ),
    )


def refresh_form(fake: FakeXboxLive, refresh_token: str) -> dict[str, str]:
    return {
        "grant_type": "refresh_token",
        "client_id": fake.client_id,
        "client_secret": fake.client_secret,
        "scope": SCOPE,
        "refresh_token": refresh_token,
    }


def xsts_body(**changes: object) -> dict[str, object]:
    return {
        "NotAfter": "2026-11-22T08:00:00.1234567Z",
        "Token": "token",
        "DisplayClaims": {"xui": [{"uhs": "123", "gtg": "Player One"}]},
        **changes,
    }


def user_claim(**claim: object) -> dict[str, object]:
    return xsts_body(DisplayClaims={"xui": [claim]})


# The way there


def test_official_services() -> None:
    assert OFFICIAL.authorize == "https://login.live.com/oauth20_authorize.srf"
    assert OFFICIAL.token == "https://login.live.com/oauth20_token.srf"
    assert OFFICIAL.user == "https://user.auth.xboxlive.com/user/authenticate"
    assert OFFICIAL.xsts == "https://xsts.auth.xboxlive.com/xsts/authorize"


async def test_sign_in(fake: FakeXboxLive, live: XboxLive) -> None:
    before = datetime.now(UTC)
    xsts = await live.sign_in(fake.permit()["access_token"])

    assert fake.requests == ["user", "xsts"]
    assert fake.accounts == {xsts.userhash: xsts.token}
    assert xsts.tokens == Tokens(fake.userhash, xsts.token)
    assert len(xsts.token) == fake.token_length
    assert xsts.gamertag == "PlayerOne"
    lifetime = timedelta(seconds=fake.xsts_lifetime)
    assert before <= xsts.expires_at - lifetime <= datetime.now(UTC)
    assert xsts.expires_at.tzinfo is UTC


async def test_refresh_tokens_rotate(fake: FakeXboxLive, live: XboxLive) -> None:
    first = fake.permit()
    second = await live.oauth_token(refresh_form(fake, first["refresh_token"]))

    assert second.refresh_token != first["refresh_token"]
    assert second.expires_in == 3600
    await live.sign_in(second.access_token)
    with pytest.raises(OAuthError) as refusal:
        await live.oauth_token(refresh_form(fake, first["refresh_token"]))
    assert refusal.value.error == "invalid_grant"


async def test_wrong_secret(fake: FakeXboxLive, live: XboxLive) -> None:
    form = refresh_form(fake, fake.permit()["refresh_token"])
    with pytest.raises(OAuthError) as refusal:
        await live.oauth_token({**form, "client_secret": "another"})
    assert refusal.value.error == "invalid_client"
    assert str(refusal.value) == "The sign-in is refused: invalid_client"


async def test_access_token_that_does_not_count(
    fake: FakeXboxLive, live: XboxLive
) -> None:
    access_token = fake.permit()["access_token"]
    fake.expire_access_tokens()
    with pytest.raises(XblError) as refusal:
        await live.sign_in(access_token)
    assert refusal.value.code is None
    assert str(refusal.value) == "Xbox Live does not accept the token"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (2148916227, "banned"),
        (2148916233, "no profile"),
        (2148916234, "terms not accepted"),
        (2148916235, "country not allowed"),
        (2148916236, "adult verification"),
        (2148916237, "age verification"),
        (2148916238, "child without family"),
    ],
)
async def test_account_that_is_not_accepted(
    fake: FakeXboxLive, live: XboxLive, code: int, name: str
) -> None:
    fake.xerr = code
    with pytest.raises(XblError) as refusal:
        await live.sign_in(fake.permit()["access_token"])
    assert refusal.value.code is XErr(code)
    assert isinstance(refusal.value, AuthenticationError)
    assert str(refusal.value) == f"Xbox Live does not accept the account: {name}"


async def test_unknown_reason(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.xerr = 42
    with pytest.raises(XblError, match=r"error 42$") as refusal:
        await live.sign_in(fake.permit()["access_token"])
    assert refusal.value.code == 42
    assert not isinstance(refusal.value.code, XErr)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", [], {}, {"XErr": "2148916233"}, {"XErr": True}]
)
@pytest.mark.parametrize("status", [401, 403])
async def test_refusal_without_a_reason(
    fake: FakeXboxLive, live: XboxLive, status: int, body: object
) -> None:
    fake.faults["user"] = Canned(body, status)
    with pytest.raises(XblError) as refusal:
        await live.user_token("any")
    assert refusal.value.code is None


# Services that are out of order

FAULTS: list[tuple[Fault | Canned, type[RumpusError]]] = [
    (Fault.UNAVAILABLE, DisconnectedError),
    (Fault.THROTTLED, DisconnectedError),
    (Canned(b"", 408), DisconnectedError),
    (Fault.HANG_UP, DisconnectedError),
    (Fault.CUT_OFF, DisconnectedError),
    (Fault.GARBAGE, ProtocolError),
    (Fault.REDIRECT, ProtocolError),
    (Canned([]), ProtocolError),
    (Canned({}), ProtocolError),
    (Canned(b"\xff"), ProtocolError),
    (Canned({"Token": "x"}, 204), ProtocolError),
    (Canned(b"<html>", 404), ProtocolError),
]


@pytest.mark.parametrize(("fault", "error"), FAULTS)
@pytest.mark.parametrize("service", ["token", "user", "xsts"])
async def test_service_out_of_order(
    fake: FakeXboxLive,
    live: XboxLive,
    service: str,
    fault: Fault | Canned,
    error: type[RumpusError],
) -> None:
    """None of it is taken for a refusal, which would need the user."""
    granted = fake.permit()
    fake.faults[service] = fault
    with pytest.raises(error) as problem:
        if service == "token":
            await live.oauth_token(refresh_form(fake, granted["refresh_token"]))
        else:
            await live.sign_in(granted["access_token"])
    assert not isinstance(problem.value, AuthenticationError)
    assert fake.redirected == 0


@pytest.mark.parametrize("service", ["token", "user", "xsts"])
async def test_slow_service(
    fake: FakeXboxLive,
    live: XboxLive,
    service: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granted = fake.permit()
    fake.faults[service] = Fault.SLOW
    monkeypatch.setattr(web_service, "REQUEST_TIMEOUT", 0.05)
    with pytest.raises(PeerTimeoutError):
        if service == "token":
            await live.oauth_token(refresh_form(fake, granted["refresh_token"]))
        else:
            await live.sign_in(granted["access_token"])


async def test_nobody_there(session: aiohttp.ClientSession, fake: FakeXboxLive) -> None:
    url = fake.user_url
    await fake.stop()
    with pytest.raises(DisconnectedError):
        await XboxLive(session, Endpoints(user=url)).user_token("any")


async def test_address_that_is_none(session: aiohttp.ClientSession) -> None:
    with pytest.raises(ProtocolError, match="InvalidUrlClientError"):
        await XboxLive(session, Endpoints(user="nowhere")).user_token("any")


@pytest.mark.parametrize(
    "body",
    [
        {"access_token": "a", "refresh_token": "r"},
        {"access_token": "a", "refresh_token": "r", "expires_in": 0},
        {"access_token": "a", "refresh_token": "r", "expires_in": "soon"},
        {"access_token": "a", "refresh_token": "r", "expires_in": None},
        {"access_token": "a", "expires_in": 3600},
        {"refresh_token": "r", "expires_in": 3600},
        {"access_token": "", "refresh_token": "r", "expires_in": 3600},
        {"access_token": 1, "refresh_token": "r", "expires_in": 3600},
    ],
)
async def test_incomplete_permission(
    fake: FakeXboxLive, live: XboxLive, body: object
) -> None:
    fake.faults["token"] = Canned(body)
    with pytest.raises(ProtocolError):
        await live.oauth_token({})


async def test_lifetime_as_text(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.faults["token"] = Canned(
        {"access_token": "a", "refresh_token": "r", "expires_in": "3600"}
    )
    assert (await live.oauth_token({})).expires_in == 3600


@pytest.mark.parametrize(
    "body",
    [
        xsts_body(NotAfter=None),
        xsts_body(NotAfter="tomorrow"),
        xsts_body(NotAfter="0001-01-01T00:00:00+23:59"),
        xsts_body(Token=None),
        xsts_body(Token="tök"),
        xsts_body(Token="a\nb"),
        xsts_body(DisplayClaims=None),
        xsts_body(DisplayClaims={"xui": {}}),
        xsts_body(DisplayClaims={"xui": []}),
        xsts_body(DisplayClaims={"xui": ["123"]}),
        user_claim(uhs=123),
        user_claim(gtg="Player"),
    ],
)
async def test_incomplete_xsts_token(
    fake: FakeXboxLive, live: XboxLive, body: dict[str, object]
) -> None:
    fake.faults["xsts"] = Canned(body)
    with pytest.raises(ProtocolError):
        await live.authorize("any")


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2026-11-22T08:00:00.1234567Z", 8),
        ("2026-11-22T08:00:00Z", 8),
        ("2026-11-22T08:00:00", 8),
        ("2026-11-22T08:00:00+02:00", 6),
    ],
)
async def test_times(
    fake: FakeXboxLive, live: XboxLive, written: str, hour: int
) -> None:
    fake.faults["xsts"] = Canned(xsts_body(NotAfter=written))
    expires_at = (await live.authorize("any")).expires_at
    assert expires_at.replace(microsecond=0) == datetime(2026, 11, 22, hour, tzinfo=UTC)


@pytest.mark.parametrize("gamertag", [None, 7, "", " ", "a\u202eb", "a\nb"])
async def test_improper_gamertag(
    fake: FakeXboxLive, live: XboxLive, gamertag: object
) -> None:
    fake.faults["xsts"] = Canned(user_claim(uhs="123", gtg=gamertag))
    assert (await live.authorize("any")).gamertag is None


# Limits


async def test_limit_response(fake: FakeXboxLive, live: XboxLive) -> None:
    access_token = fake.permit()["access_token"]
    fake.pad_to["user"] = MAX_RESPONSE
    await live.user_token(access_token)
    fake.pad_to["user"] = MAX_RESPONSE + 1
    with pytest.raises(MessageTooLargeError):
        await live.user_token(access_token)


async def test_limit_response_depth(fake: FakeXboxLive, live: XboxLive) -> None:
    def nested(levels: int) -> object:
        value: object = []
        for _ in range(levels - 2):
            value = [value]
        return {"Token": "t", "x": value}

    fake.faults["user"] = Canned(nested(MAX_RESPONSE_DEPTH))
    assert await live.user_token("any") == "t"
    fake.faults["user"] = Canned(nested(MAX_RESPONSE_DEPTH + 1))
    with pytest.raises(ProtocolError, match="levels"):
        await live.user_token("any")


async def test_limit_token(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.faults["user"] = Canned({"Token": "t" * MAX_TOKEN})
    assert len(await live.user_token("any")) == MAX_TOKEN
    fake.faults["user"] = Canned({"Token": "t" * (MAX_TOKEN + 1)})
    with pytest.raises(ProtocolError):
        await live.user_token("any")


async def test_limit_userhash(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.faults["xsts"] = Canned(user_claim(uhs="1" * MAX_USERHASH))
    assert len((await live.authorize("any")).userhash) == MAX_USERHASH
    fake.faults["xsts"] = Canned(user_claim(uhs="1" * (MAX_USERHASH + 1)))
    with pytest.raises(ProtocolError):
        await live.authorize("any")


async def test_limit_gamertag(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.faults["xsts"] = Canned(user_claim(uhs="1", gtg="g" * MAX_GAMERTAG))
    assert (await live.authorize("any")).gamertag == "g" * MAX_GAMERTAG
    fake.faults["xsts"] = Canned(user_claim(uhs="1", gtg="g" * (MAX_GAMERTAG + 1)))
    assert (await live.authorize("any")).gamertag is None


async def test_limit_lifetime(fake: FakeXboxLive, live: XboxLive) -> None:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": MAX_LIFETIME}
    fake.faults["token"] = Canned(body)
    assert (await live.oauth_token({})).expires_in == MAX_LIFETIME
    fake.faults["token"] = Canned({**body, "expires_in": MAX_LIFETIME + 1})
    with pytest.raises(ProtocolError):
        await live.oauth_token({})


async def test_limit_error(fake: FakeXboxLive, live: XboxLive) -> None:
    fake.faults["token"] = Canned({"error": "e" * MAX_ERROR}, 400)
    with pytest.raises(OAuthError):
        await live.oauth_token({})
    fake.faults["token"] = Canned({"error": "e" * (MAX_ERROR + 1)}, 400)
    with pytest.raises(ProtocolError):
        await live.oauth_token({})


# Answers of all kinds

ANSWERS = [
    json.dumps(xsts_body()).encode(),
    b'{"access_token": "a", "refresh_token": "r", "expires_in": "3600"}',
    b'{"error": "invalid_grant", "error_description": "no"}',
    b'{"Identity": "0", "XErr": 2148916233, "Message": "", "Redirect": ""}',
]


@given(
    body=st.sampled_from(ANSWERS),
    changes=st.lists(
        st.tuples(st.integers(0, 150), st.binary(max_size=3), st.integers(0, 3)),
        max_size=4,
    ),
    status=st.sampled_from([200, 201, 302, 400, 401, 403, 404]),
    decode=st.sampled_from([decode_token, decode_user_token, decode_xsts]),
)
def test_mutated_answers(
    body: bytes,
    changes: list[tuple[int, bytes, int]],
    status: int,
    decode: Callable[[int, bytes], object],
) -> None:
    """Whatever comes is a token, a refusal or nonsense."""
    for place, fresh, gone in changes:
        body = body[:place] + fresh + body[place + gone :]
    with contextlib.suppress(ProtocolError, AuthenticationError):
        assert decode(status, body)


# Secrets


async def test_nothing_secret_is_shown(
    fake: FakeXboxLive, live: XboxLive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    granted = fake.permit()
    shown = []
    xsts = await live.sign_in(granted["access_token"])
    shown += [repr(xsts), repr(xsts.tokens)]
    refreshed = await live.oauth_token(refresh_form(fake, granted["refresh_token"]))
    granted |= {"refresh_token": refreshed.refresh_token}
    shown.append(repr(refreshed))
    for fault in (*Fault, Canned(b'{"Token": "user.' + b"x" * 50)):
        if fault is Fault.SLOW:
            continue
        fake.faults["xsts"] = fake.faults["token"] = fault
        for attempt in (
            live.sign_in(granted["access_token"]),
            live.oauth_token(refresh_form(fake, granted["refresh_token"])),
        ):
            with pytest.raises(RumpusError) as problem:
                await attempt
            shown += traceback.format_exception(problem.value)
    shown.append(caplog.text)

    assert len(fake.given) > 3
    text = "\n".join(shown)
    assert [secret for secret in fake.given if secret[:30] in text] == []
    assert fake.userhash not in text
    assert fake.client_secret not in text
