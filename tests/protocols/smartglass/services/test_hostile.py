"""Whatever a console sends, no service raises or grows."""

import asyncio

from hypothesis import given, settings, strategies as st

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.smartglass.enums import TextOption
from custom_components.rumpus.protocols.smartglass.messages import (
    AuxiliaryStream,
    ConnectionInfo,
    MediaCommandResult,
    MediaControllerRemoved,
    MediaState,
    Message,
    MetadataEntry,
    SystemTextAck,
    SystemTextConfiguration,
    SystemTextDone,
    SystemTextInput,
    TextDelta,
    TitleTextConfiguration,
    TitleTextInput,
    TitleTextSelection,
    UnknownMessage,
)
from custom_components.rumpus.protocols.smartglass.services.input import InputService
from custom_components.rumpus.protocols.smartglass.services.link import Service
from custom_components.rumpus.protocols.smartglass.services.media import MediaService
from custom_components.rumpus.protocols.smartglass.services.text import (
    MAX_ACKS,
    TextService,
)
from custom_components.rumpus.protocols.smartglass.services.text_edit import MAX_TEXT
from custom_components.rumpus.protocols.smartglass.services.title import TitleChannel
from custom_components.rumpus.protocols.smartglass.services.tv import TvService

# Small numbers meet each other, large ones the ends of their range.
NUMBERS = st.integers(0, 3) | st.sampled_from([2**31 - 1, 2**32 - 1])
LARGE = NUMBERS | st.sampled_from([2**32 + 1, 2**64 - 1])
SIGNED = st.integers(-2, 3) | st.sampled_from([-(2**31), 2**31 - 1])
# By their length, so that the longest one is in no report.
SAMPLES = {len(text): text for text in ("", "a", "ab", "grün", "\0" * 3, "😀" * 5)}
SAMPLES[MAX_TEXT + 1] = "x" * (MAX_TEXT + 1)
TEXTS = st.sampled_from(sorted(SAMPLES)).map(lambda length: SAMPLES[length])
DELTAS = st.builds(TextDelta, NUMBERS, NUMBERS, TEXTS)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        SystemTextInput,
        *(NUMBERS,) * 4,
        *(SIGNED,) * 2,
        NUMBERS,
        NUMBERS,
        TEXTS,
        st.none() | st.lists(DELTAS, max_size=3).map(tuple),
    ),
    st.builds(SystemTextAck, NUMBERS, NUMBERS),
    st.builds(SystemTextDone, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds(SystemTextConfiguration, LARGE, *(NUMBERS,) * 4, TEXTS, TEXTS),
    st.builds(TitleTextConfiguration, LARGE, *(NUMBERS,) * 4, TEXTS, TEXTS),
    st.builds(TitleTextInput, LARGE, NUMBERS, NUMBERS, TEXTS),
    st.builds(TitleTextSelection, LARGE, NUMBERS, NUMBERS, NUMBERS),
    st.builds(
        MediaState,
        NUMBERS,
        TEXTS,
        TEXTS,
        *(NUMBERS,) * 4,
        st.floats(width=32),
        *(LARGE,) * 5,
        st.lists(st.builds(MetadataEntry, TEXTS, TEXTS), max_size=3).map(tuple),
    ),
    st.builds(MediaCommandResult, LARGE, NUMBERS),
    st.builds(MediaControllerRemoved, NUMBERS),
    st.just(AuxiliaryStream()),
    st.just(AuxiliaryStream(1, ConnectionInfo(b"", b"", b"", b""))),
    st.builds(UnknownMessage, NUMBERS, st.just(b"x")),
)


@settings(max_examples=80)
@given(st.lists(MESSAGES, max_size=12))
def test_any_messages_to_any_service(messages: list[Message]) -> None:
    @virtual
    async def scenario() -> None:
        link = FakeLink()
        text = TextService(link, Events().append)
        services: list[Service] = [
            text,
            MediaService(link, Events().append),
            InputService(link, Events().append),
            TvService(link, Events().append),
            TitleChannel(link, Events().append, 1),
        ]
        for service in services:
            service.opened()
        for message in messages:
            for service in services:
                service.received(message)
            if (field := text.field) is not None:
                assert len(field.text.encode()) <= MAX_TEXT
        assert len(link.of(SystemTextAck)) <= MAX_ACKS
        for service in services:
            service.closed()
        await asyncio.sleep(0)

    scenario()


@settings(max_examples=60)
@given(st.lists(MESSAGES, max_size=8))
def test_any_messages_while_we_type(messages: list[Message]) -> None:
    @virtual
    async def scenario() -> None:
        left = list(messages)
        link = FakeLink()
        service = TextService(link, Events().append)
        service.opened()
        service.received(SystemTextConfiguration(1, 0, TextOption(0), 0, 0, "", ""))

        def reply(message: Message) -> None:
            if left and not isinstance(message, SystemTextAck):
                service.received(left.pop())

        link.reply = reply
        outcomes = await asyncio.gather(
            service.append("x"),
            service.set_text("y" * 2000),
            service.accept(),
            return_exceptions=True,
        )
        assert all(isinstance(o, RumpusError | None) for o in outcomes)
        service.closed()
        await asyncio.sleep(0)

    scenario()


NAMES = st.sampled_from(
    [
        "request",
        "response",
        "notification",
        "msgid",
        "params",
        "error",
        "type",
        "SendKey",
        "Error",
        "GetConfiguration",
        "ConfigurationChanged",
    ]
)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(NAMES, VALUES), max_size=6))
def test_any_objects_while_we_ask(objects: list[JsonObject]) -> None:
    @virtual
    async def scenario() -> None:
        link = FakeLink()
        service = TvService(link, Events().append)
        service.opened()
        asked = asyncio.gather(
            service.send_key("btn.up"),
            service.get_configuration(),
            return_exceptions=True,
        )
        await asyncio.sleep(1)
        for obj in objects:
            msgid: JsonObject = {"msgid": link.objects[0]["msgid"]}
            service.received_json(obj)
            service.received_json(obj | msgid)
        key, devices = await asyncio.wait_for(asked, 10)
        assert isinstance(key, bool | RumpusError)
        assert isinstance(devices, tuple | RumpusError)
        service.closed()

    scenario()
