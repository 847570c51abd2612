"""Services on the web that lead to a device: bounded requests, and answers in JSON."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import aiohttp

from .errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
)
from .json_lines import JsonObject, JsonValue, decode_json

REQUEST_TIMEOUT: Final = 10.0
"""Seconds that one request may take, its answer included."""
MAX_RESPONSE: Final = 64 * 1024
"""Bytes of an answer; real ones have less than 8 KiB."""
MAX_RESPONSE_DEPTH: Final = 8
"""Lists and objects inside each other in an answer."""

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Statuses that say who asks is not the right one."""
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


async def request(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> tuple[int, bytes]:
    """Return the status and the body of the answer.

    Raises PeerTimeoutError or DisconnectedError when the service cannot be reached or is out
    of order, ProtocolError for what is no answer. Errors of aiohttp do not go on: they hold
    the request.
    """
    try:
        async with (
            asyncio.timeout(REQUEST_TIMEOUT),
            session.request(
                method,
                url,
                data=body,
                headers={"Accept": "application/json", **headers},
                # Nobody else is to get the tokens.
                allow_redirects=False,
            ) as response,
        ):
            if response.status >= 500 or response.status in _LATER:
                problem = f"The service is out of order: {response.status}"
            else:
                return response.status, await _read(response.content)
    except TimeoutError:
        raise PeerTimeoutError("The service did not answer in time") from None
    except aiohttp.ClientPayloadError, aiohttp.ClientConnectionError, OSError:
        problem = "The service cannot be reached"
    except (aiohttp.ClientError, ValueError) as err:
        raise ProtocolError(f"No usable answer: {type(err).__name__}") from None
    raise DisconnectedError(problem)


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > MAX_RESPONSE:
            raise MessageTooLargeError(f"An answer of more than {MAX_RESPONSE} bytes")
    return bytes(body)


def read_json(body: bytes) -> JsonValue:
    """Return what a body says; raises ProtocolError when that is no JSON."""
    return decode_json(body, max_depth=MAX_RESPONSE_DEPTH)


def read_answer(status: int, body: bytes) -> JsonObject:
    """Return the object in the body of a good answer; raises ProtocolError for others."""
    if status != HTTPStatus.OK:
        raise ProtocolError(f"The service answered with status {status}")
    return as_object(read_json(body))


def as_object(value: JsonValue) -> JsonObject:
    """Return an object of an answer; raises ProtocolError when it is none."""
    if not isinstance(value, dict):
        raise ProtocolError("An answer without an object that has to be there")
    return value


def as_text(value: JsonValue, limit: int) -> str:
    """Return a text of an answer, in printable ASCII: it goes into headers, packets and logs.

    Raises ProtocolError when it is none, empty, or longer than the limit.
    """
    if not isinstance(value, str) or not 0 < len(value) <= limit:
        raise ProtocolError("An answer without a text that has to be there")
    if not (value.isascii() and value.isprintable()):
        raise ProtocolError("An answer with characters that cannot be")
    return value
