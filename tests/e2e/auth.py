"""Signing in to Home Assistant, and the onboarding of a fresh one."""

from dataclasses import dataclass, field
import time
from typing import Final

import aiohttp

from .shapes import JsonObject, JsonValue, as_object, get_str, objects, parse
from .websocket import ApiError

DEFAULT_USERNAME: Final = "demo"
DEFAULT_PASSWORD: Final = "rumpus-demo"
REFRESH_BEFORE: Final = 120.0


@dataclass(slots=True)
class Tokens:
    """An access token, which lives half an hour, and what to get the next one with."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: float

    @classmethod
    def parse(cls, data: JsonObject, refresh: str | None = None) -> Tokens:
        """Read the answer of /auth/token; a refresh does not repeat the refresh token."""
        seconds = data.get("expires_in")
        return cls(
            access=get_str(data, "access_token"),
            refresh=refresh or get_str(data, "refresh_token"),
            expires=time.monotonic()
            + (seconds if isinstance(seconds, int | float) else 0),
        )

    @property
    def is_stale(self) -> bool:
        """Whether a new access token is needed soon."""
        return time.monotonic() > self.expires - REFRESH_BEFORE


async def answer_of(response: aiohttp.ClientResponse) -> JsonValue:
    """Return the JSON of an answer; ApiError for a refusal, with what Home Assistant said."""
    text = await response.text()
    if response.status >= 400:
        raise ApiError(
            f"{response.method} {response.url.path}",
            f"http_{response.status}",
            text[:500],
        )
    return parse(text) if text else None


async def _post(
    session: aiohttp.ClientSession, url: str, body: JsonObject, token: str = ""
) -> JsonObject:
    """Post JSON and return the object that comes back."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with session.post(url, json=body, headers=headers) as response:
        return as_object(await answer_of(response))


async def _exchange(session: aiohttp.ClientSession, url: str, code: str) -> Tokens:
    """Turn an authorization code into tokens."""
    data = {"client_id": f"{url}/", "grant_type": "authorization_code", "code": code}
    async with session.post(f"{url}/auth/token", data=data) as response:
        return Tokens.parse(as_object(await answer_of(response)))


async def refresh(session: aiohttp.ClientSession, url: str, tokens: Tokens) -> Tokens:
    """Return a new access token."""
    data = {
        "client_id": f"{url}/",
        "grant_type": "refresh_token",
        "refresh_token": tokens.refresh,
    }
    async with session.post(f"{url}/auth/token", data=data) as response:
        return Tokens.parse(as_object(await answer_of(response)), tokens.refresh)


async def sign_in(
    session: aiohttp.ClientSession, url: str, username: str, password: str
) -> Tokens:
    """Sign in with a name and a password; ApiError when they are wrong."""
    client_id = f"{url}/"
    start: JsonObject = {
        "client_id": client_id,
        "handler": ["homeassistant", None],
        "redirect_uri": client_id,
    }
    flow = await _post(session, f"{url}/auth/login_flow", start)
    result = await _post(
        session,
        f"{url}/auth/login_flow/{get_str(flow, 'flow_id')}",
        {"client_id": client_id, "username": username, "password": password},
    )
    if result.get("type") != "create_entry":
        raise ApiError(
            "sign-in",
            "invalid_auth",
            f"{username!r} was refused: {result.get('errors')}",
        )
    return await _exchange(session, url, get_str(result, "result"))


async def steps_done(session: aiohttp.ClientSession, url: str) -> set[str] | None:
    """Return the steps of the onboarding that are done; None when it is over (the address is gone then)."""
    async with session.get(f"{url}/api/onboarding") as response:
        if response.status == 404:
            return None
        return {
            get_str(step, "step")
            for step in objects(await answer_of(response))
            if step.get("done")
        }


async def onboard(
    session: aiohttp.ClientSession, url: str, username: str, password: str
) -> Tokens:
    """Make the first user and do the other steps of a fresh Home Assistant; signs in to one that has a user."""
    done = await steps_done(session, url)
    if done is None:
        return await sign_in(session, url, username, password)
    client_id = f"{url}/"
    if "user" in done:
        tokens = await sign_in(session, url, username, password)
    else:
        user: JsonObject = {
            "client_id": client_id,
            "name": username.capitalize(),
            "username": username,
            "password": password,
            "language": "en",
        }
        answer = await _post(session, f"{url}/api/onboarding/users", user)
        tokens = await _exchange(session, url, get_str(answer, "auth_code"))
    bodies: dict[str, JsonObject] = {
        "core_config": {},
        "analytics": {},
        "integration": {
            "client_id": client_id,
            "redirect_uri": f"{client_id}?auth_callback=1",
        },
    }
    for step, body in bodies.items():
        if step not in done:
            await _post(session, f"{url}/api/onboarding/{step}", body, tokens.access)
    return tokens
