"""XSTS tokens that are kept, renewed and stored."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
import gc
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.oauth import OAuthError
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from custom_components.rumpus.protocols.smartglass.xbox_live import (
    RENEW_BEFORE,
    XblError,
    XErr,
    XstsKeeper,
    XstsToken,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


# Keeping a token


def token(name: str, lifetime: timedelta) -> XstsToken:
    return XstsToken(userhash="123", token=name, expires_at=NOW + lifetime)


LONG = RENEW_BEFORE + timedelta(seconds=1)


class Owner:
    """Stores a token, and lets a test say when and how a renewal ends."""

    def __init__(self, stored: XstsToken | None = None) -> None:
        self.stored = stored
        self.renewals: list[asyncio.Future[XstsToken]] = []
        self.tasks: list[asyncio.Task[XstsToken]] = []
        self.begun = asyncio.Event()
        self.keeper = XstsKeeper(
            lambda: self.stored,
            self._renew,
            now=lambda: NOW,
            create_task=self._create_task,
        )

    async def _renew(self) -> XstsToken:
        renewal = asyncio.get_running_loop().create_future()
        self.renewals.append(renewal)
        self.begun.set()
        self.stored = await renewal
        return self.stored

    def _create_task(
        self, renewal: Coroutine[Any, Any, XstsToken]
    ) -> asyncio.Task[XstsToken]:
        self.tasks.append(asyncio.create_task(renewal))
        return self.tasks[-1]

    async def ask(
        self, count: int = 1, refused: Tokens | None = None
    ) -> list[asyncio.Task[XstsToken]]:
        """Ask so many times at once, and wait until a renewal has begun."""
        self.begun.clear()
        asking = [
            asyncio.create_task(self.keeper.get(refused=refused)) for _ in range(count)
        ]
        async with asyncio.timeout(1):
            await self.begun.wait()
        return asking


async def test_valid_token_is_kept() -> None:
    owner = Owner(token("old", LONG))
    assert (await owner.keeper.get()).token == "old"
    assert owner.renewals == []


@pytest.mark.parametrize("lifetime", [RENEW_BEFORE, timedelta(0), -LONG])
async def test_token_is_renewed_in_time(lifetime: timedelta) -> None:
    owner = Owner(token("old", lifetime))
    (asking,) = await owner.ask()
    owner.renewals[0].set_result(token("new", LONG))
    assert (await asking).token == "new"
    assert (await owner.keeper.get()).token == "new"
    assert len(owner.renewals) == 1


async def test_one_renewal_for_all() -> None:
    owner = Owner()
    asking = await owner.ask(3)
    owner.renewals[0].set_result(token("new", LONG))
    assert {xsts.token for xsts in await asyncio.gather(*asking)} == {"new"}
    assert len(owner.renewals) == 1


async def test_one_failure_for_all() -> None:
    owner = Owner()
    asking = await owner.ask(2)
    owner.renewals[0].set_exception(XblError(XErr.NO_PROFILE))
    for one in asking:
        with pytest.raises(XblError):
            await one
    (again,) = await owner.ask()
    owner.renewals[1].set_result(token("new", LONG))
    assert (await again).token == "new"


async def test_refused_token_is_not_given_again() -> None:
    old = token("old", LONG)
    owner = Owner(old)
    (asking,) = await owner.ask(refused=old.tokens)
    owner.renewals[0].set_result(token("new", LONG))
    assert (await asking).token == "new"
    assert (await owner.keeper.get(refused=old.tokens)).token == "new"
    assert len(owner.renewals) == 1


@pytest.mark.parametrize(
    "problem",
    [DisconnectedError("none"), PeerTimeoutError("slow"), ProtocolError("odd")],
)
async def test_services_that_cannot_be_reached(problem: RumpusError) -> None:
    """The last minutes of a token are good enough then."""
    owner = Owner(token("old", timedelta(seconds=1)))
    (asking,) = await owner.ask()
    owner.renewals[0].set_exception(problem)
    assert (await asking).token == "old"

    owner.stored = token("old", timedelta(0))
    (asking,) = await owner.ask()
    owner.renewals[1].set_exception(problem)
    with pytest.raises(type(problem)):
        await asking


async def test_refusal_counts_at_once() -> None:
    owner = Owner(token("old", timedelta(seconds=1)))
    (asking,) = await owner.ask()
    owner.renewals[0].set_exception(OAuthError("invalid_grant"))
    with pytest.raises(OAuthError):
        await asking


async def test_renewal_outlives_who_asked() -> None:
    owner = Owner()
    (asking,) = await owner.ask()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    owner.renewals[0].set_result(token("new", LONG))
    assert (await owner.tasks[0]).token == "new"
    assert (await owner.keeper.get()).token == "new"
    assert len(owner.renewals) == 1


async def test_failure_that_nobody_waits_for(caplog: pytest.LogCaptureFixture) -> None:
    owner = Owner()
    (asking,) = await owner.ask()
    asking.cancel()
    await asyncio.wait({asking})
    owner.renewals[0].set_exception(DisconnectedError("none"))
    await asyncio.wait({owner.tasks[0]})
    owner.tasks.clear()
    owner.renewals.clear()
    owner.keeper = Owner().keeper
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_renewal_that_is_given_up() -> None:
    owner = Owner()
    (asking,) = await owner.ask()
    owner.tasks[0].cancel()
    with pytest.raises(DisconnectedError):
        await asking


# Storing a token

tokens = st.builds(
    XstsToken,
    userhash=st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    token=st.from_regex(r"[A-Za-z0-9._-]{1,80}", fullmatch=True),
    expires_at=st.datetimes(
        min_value=datetime(2000, 1, 1),
        max_value=datetime(2100, 1, 1),
    ).map(lambda time: time.replace(tzinfo=UTC)),
    gamertag=st.none() | st.from_regex(r"[A-Za-z0-9]{1,16}", fullmatch=True),
)


@given(tokens)
def test_stored_token(xsts: XstsToken) -> None:
    assert XstsToken.from_json(xsts.to_json()) == xsts


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: None,
        lambda stored: {**stored, "token": ""},
        lambda stored: {**stored, "userhash": 5},
        lambda stored: {**stored, "expires_at": "never"},
    ],
)
def test_stored_token_that_is_none(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    with pytest.raises(ProtocolError):
        XstsToken.from_json(change(token("any", LONG).to_json()))
