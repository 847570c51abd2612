"""A text field, and a console that takes what is typed into it."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib

from .support import Events, FakeLink
from custom_components.rumpus.protocols.smartglass.enums import (
    TextInputScope,
    TextOption,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Message,
    SystemTextAck,
    SystemTextConfiguration,
    SystemTextInput,
    TextDelta,
    TitleTextConfiguration,
)
from custom_components.rumpus.protocols.smartglass.services.text import (
    TextField,
    TextService,
)

OPTIONS = TextOption.PREDICTION
CONFIGURATION = SystemTextConfiguration(
    9, 0, OPTIONS, TextInputScope.SEARCH, 256, "en-GB", "Search"
)
FIELD = TextField(
    9,
    options=OPTIONS,
    scope=TextInputScope.SEARCH,
    max_length=256,
    locale="en-GB",
    prompt="Search",
)
TITLE_CONFIGURATION = TitleTextConfiguration(
    2**40 + 9, 3, TextOption(0), TextInputScope.DEFAULT, 0, "en-GB", "Name"
)
type Reply = Callable[[Message], None]


def told(
    text: str,
    version: int,
    *,
    base: int | None = None,
    session: int = 9,
    size: int | None = None,
    start: int = 0,
    selection: tuple[int, int] = (-1, -1),
    delta: tuple[TextDelta, ...] | None = None,
) -> SystemTextInput:
    """Return what a console says of its text."""
    return SystemTextInput(
        session,
        version - 1 if base is None else base,
        version,
        len(text.encode()) if size is None else size,
        *selection,
        0,
        start,
        text,
        delta,
    )


class Console:
    """Takes what is typed as a console does."""

    def __init__(self, service: TextService, link: FakeLink) -> None:
        self.service = service
        self.text: dict[int, str] = {}
        link.reply = self.reply

    def reply(self, message: Message) -> None:
        if isinstance(message, SystemTextInput):
            self.text[message.text_chunk_byte_start] = message.text_chunk
            size = sum(len(piece.encode()) for piece in self.text.values())
            if size == message.total_text_byte_len:
                self.service.received(SystemTextAck(9, message.submitted_version))


@contextlib.asynccontextmanager
async def opened(
    link: FakeLink, events: Events, *messages: Message
) -> AsyncIterator[TextService]:
    """Open the channel and a text field, in front of a console that takes all."""
    service = TextService(link, events.append)
    service.opened()
    Console(service, link)
    for message in messages or (CONFIGURATION,):
        service.received(message)
    events.clear()
    yield service
    service.closed()
    await asyncio.sleep(0)


def open_field(service: TextService) -> TextField | None:
    """Return the field as a value of its own, which the type checker does not remember."""
    return service.field


def submitted(link: FakeLink) -> list[tuple[int, int, str]]:
    return [
        (message.base_version, message.submitted_version, message.text_chunk)
        for message in link.of(SystemTextInput)
    ]
