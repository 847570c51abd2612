"""The views: files of devices and thumbnails of them, for whoever is signed in."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
import re
from typing import Final

from aiohttp import hdrs, web

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from .const import DOMAIN, LOGGER
from .coordinator import RumpusConfigEntry
from .files import DeviceFiles, FileMissingError, ReadableFile, translated
from .media_types import media_type
from .protocols.errors import RumpusError

FILE_URL: Final = "/api/rumpus/storage/{entry_id}/{item}"
THUMBNAIL_URL: Final = "/api/rumpus/thumbnail/{entry_id}/{item}"

CHUNK: Final = 256 * 1024
"""Bytes read at once; one more such piece is read ahead."""

_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
_HEADERS: Final = {
    # What a file is, its name says; a browser is not to find out more.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    hdrs.CACHE_CONTROL: "private, no-cache",
}


class RangeError(ValueError):
    """A range begins behind the end of the file."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a file: from `start` on, up to but not including `end`."""

    start: int
    end: int


@callback
def async_setup_views(hass: HomeAssistant) -> None:
    """Register the views."""
    hass.http.register_view(FileView)
    hass.http.register_view(ThumbnailView)


@callback
def async_get_files(hass: HomeAssistant, entry_id: str) -> DeviceFiles:
    """Return the files of an entry; raises FileMissingError when none may be seen."""
    entry: RumpusConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if (
        entry is None
        or entry.domain != DOMAIN
        or entry.state is not ConfigEntryState.LOADED
        or (files := entry.runtime_data.files) is None
    ):
        raise translated(FileMissingError, "storage_not_allowed", {})
    return files


def parse_range(header: str | None, size: int) -> Span | None:
    """Return the part of a file that a Range header asks for, None for all of it.

    Several parts at once, and what is no range, count as all (RFC 9110, section 14.2).
    Raises RangeError.
    """
    if header is None or (match := _RANGE.fullmatch(header.strip())) is None:
        return None
    first, last = match.groups()
    if first:
        start = int(first)
        end = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= end:
        raise RangeError
    return Span(start, end)


class FileView(HomeAssistantView):
    """A file, as a whole or in parts."""

    url: str | None = FILE_URL
    name = "api:rumpus:storage"

    async def get(
        self, request: web.Request, entry_id: str, item: str
    ) -> web.StreamResponse:
        """Answer with the content."""
        return await self._answer(request, entry_id, item)

    async def head(
        self, request: web.Request, entry_id: str, item: str
    ) -> web.StreamResponse:
        """Answer with the headers alone."""
        return await self._answer(request, entry_id, item)

    async def _answer(
        self, request: web.Request, entry_id: str, item: str
    ) -> web.StreamResponse:
        response: web.StreamResponse | None = None
        try:
            files = async_get_files(request.app[KEY_HASS], entry_id)
            if (mime_type := media_type(files.name_of(item))) is None:
                return web.Response(status=HTTPStatus.NOT_FOUND)
            async with files.async_open(item) as file:
                answer = _prepare(request, file, mime_type)
                if not isinstance(answer, _FilePart):
                    return answer
                response = answer
                await _send(request, response, file)
        except HomeAssistantError as err:
            if response is not None and response.prepared:
                return _broken(response, err)
            return _failure(err)
        return response


class ThumbnailView(HomeAssistantView):
    """A small picture of a picture."""

    url: str | None = THUMBNAIL_URL
    name = "api:rumpus:thumbnail"

    async def get(
        self, request: web.Request, entry_id: str, item: str
    ) -> web.StreamResponse:
        """Answer with the picture."""
        try:
            files = async_get_files(request.app[KEY_HASS], entry_id)
            picture = await files.async_thumbnail(
                item, request.query.get("version", "")
            )
        except HomeAssistantError as err:
            return _failure(err)
        if picture is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        data, mime_type = picture
        headers = {**_HEADERS, hdrs.CACHE_CONTROL: "private, max-age=3600"}
        return web.Response(body=data, content_type=mime_type, headers=headers)


def _failure(err: HomeAssistantError) -> web.Response:
    """Return what a program is told; people see the same error where they browse."""
    missing = isinstance(err, FileMissingError)
    return web.Response(
        status=HTTPStatus.NOT_FOUND if missing else HTTPStatus.SERVICE_UNAVAILABLE
    )


def _prepare(
    request: web.Request, file: ReadableFile, mime_type: str
) -> web.StreamResponse:
    """Return a response with its headers; one that has no content to come is a Response."""
    headers = {**_HEADERS, hdrs.ACCEPT_RANGES: "bytes"}
    changed: str | None = None
    # What a phone tells may be any number.
    if file.modified is not None:
        with suppress(ValueError, OverflowError, OSError):
            changed = formatdate(file.modified, usegmt=True)
            headers[hdrs.LAST_MODIFIED] = changed
    header = request.headers.get(hdrs.RANGE)
    if request.headers.get(hdrs.IF_RANGE, changed) != changed:
        header = None
    try:
        span = parse_range(header, file.size)
    except RangeError:
        headers[hdrs.CONTENT_RANGE] = f"bytes */{file.size}"
        return web.Response(
            status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers
        )
    status = HTTPStatus.OK
    if span is None:
        span = Span(0, file.size)
    else:
        status = HTTPStatus.PARTIAL_CONTENT
        headers[hdrs.CONTENT_RANGE] = f"bytes {span.start}-{span.end - 1}/{file.size}"
    response = _FilePart(span, status=status, headers=headers)
    response.content_type = mime_type
    response.content_length = span.end - span.start
    return response


class _FilePart(web.StreamResponse):
    """The answer with a part of a file."""

    def __init__(
        self, span: Span, *, status: HTTPStatus, headers: dict[str, str]
    ) -> None:
        super().__init__(status=status, headers=headers)
        self.span = span


async def _send(request: web.Request, response: _FilePart, file: ReadableFile) -> None:
    """Send a part of a file, a piece ahead of the one that the other end takes."""
    position, end = response.span.start, response.span.end
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD or position == end:
        return
    reading: asyncio.Task[bytes] | None = None
    try:
        data = await file.read(min(CHUNK, end - position), position)
        while data:
            position += len(data)
            if position < end:
                reading = asyncio.create_task(
                    file.read(min(CHUNK, end - position), position)
                )
            try:
                await response.write(data)
            except ConnectionError:
                # Whoever asked has seen enough.
                LOGGER.debug("A player has ended its connection")
                response.force_close()
                return
            if reading is None:
                return
            data, reading = await reading, None
    finally:
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError, RumpusError):
                await reading
    # The file has become shorter: nothing is left to send of what was promised.
    response.force_close()


def _broken(
    response: web.StreamResponse, err: HomeAssistantError
) -> web.StreamResponse:
    """End an answer that cannot be completed, so that the other end notices."""
    LOGGER.debug("A file could not be sent to its end: %s", err.translation_key)
    response.force_close()
    return response
