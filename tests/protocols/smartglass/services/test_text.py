"""The dialogue about a text field."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import replace
import logging

import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    TextInputScope,
    TextOption,
    TextResult,
)
from custom_components.rumpus.protocols.smartglass.errors import (
    RejectedError,
    TextNotOpenError,
)
from custom_components.rumpus.protocols.smartglass.events import (
    TextChanged,
    TextClosed,
    TextOpened,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Disconnect,
    Message,
    SystemTextAck,
    SystemTextConfiguration,
    SystemTextDone,
    SystemTextInput,
    TextDelta,
    TitleTextConfiguration,
    TitleTextInput,
    TitleTextSelection,
)
from custom_components.rumpus.protocols.smartglass.services import text as module
from custom_components.rumpus.protocols.smartglass.services.text import (
    ACK_TIMEOUT,
    MAX_ACKS,
    MAX_ATTEMPTS,
    MAX_TITLE_TEXT,
    TextField,
    TextService,
)
from custom_components.rumpus.protocols.smartglass.services.text_edit import (
    MAX_TEXT,
    PIECE,
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


# What the console says.


@virtual
async def test_whole_dialogue(link: FakeLink, events: Events) -> None:
    async with opened(link, events, Disconnect(0, 0)) as service:
        service.received(CONFIGURATION)
        service.received(told("old", 1))
        assert link.sent == [SystemTextAck(9, 1)]
        await service.set_text("grün!")
        await service.accept()
        service.received(SystemTextDone(9, 2, 0, TextResult.ACCEPT))
        assert open_field(service) is None
    assert link.sent == [
        SystemTextAck(9, 1),
        SystemTextInput(9, 1, 2, 6, -1, -1, 0, 0, "grün!"),
        SystemTextDone(9, 2, 0, TextResult.ACCEPT),
    ]
    assert all(link.acked)
    old = replace(FIELD, text="old", version=1)
    new = replace(FIELD, text="grün!", version=2)
    assert events == [
        TextOpened(FIELD),
        TextChanged(old),
        TextChanged(new),
        TextClosed(9, True),
    ]


@virtual
async def test_cancel(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        await service.cancel()
    assert link.sent == [SystemTextDone(9, 0, 0, TextResult.CANCEL)]
    assert events == [TextClosed(9, False)]


@pytest.mark.parametrize(
    ("result", "accepted"),
    [
        (TextResult.ACCEPT, True),
        (TextResult.CANCEL, False),
        (TextResult.NULL, None),
        (5, None),
    ],
)
def test_console_closes_the_field(result: int, accepted: bool | None) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        async with opened(link, events) as service:
            service.received(SystemTextDone(9, 1, 0, result))
            with pytest.raises(TextNotOpenError):
                await service.accept()
            with pytest.raises(TextNotOpenError):
                await service.set_text("late")

    scenario()
    assert events == [TextClosed(9, accepted)]
    assert not link.sent


@virtual
async def test_nothing_is_known_without_a_channel(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.closed()
        assert open_field(service) is None
        for late in (service.set_text("x"), service.select(0, 0), service.cancel()):
            with pytest.raises(TextNotOpenError):
                await late
    assert not events


@virtual
async def test_session_ids_are_cut_to_32_bits(link: FakeLink, events: Events) -> None:
    configuration = replace(CONFIGURATION, text_session_id=2**32 + 9)
    async with opened(link, events, configuration) as service:
        await service.set_text("x")
        assert open_field(service) == replace(FIELD, text="x", version=1)
    assert submitted(link) == [(0, 1, "x")]


@virtual
async def test_done_for_no_session_is_ignored(link: FakeLink, events: Events) -> None:
    nothing = SystemTextDone(0, 0, 0, TextResult.CANCEL)
    async with opened(link, events, nothing) as service:
        service.received(SystemTextDone(9, 3, 0, TextResult.CANCEL))
        assert open_field(service) is None
        service.received(CONFIGURATION)
        service.received(nothing)
        service.received(SystemTextDone(8, 3, 0, TextResult.CANCEL))
        assert open_field(service) == FIELD
    assert events == [TextOpened(FIELD)]


@virtual
async def test_done_as_the_first_word_tells_of_an_open_field(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events, SystemTextDone(9, 3, 0, 1)) as service:
        assert open_field(service) == TextField(9, version=3)
        await service.set_text("x")
        service.opened()
        service.received(SystemTextDone(9, 4, 0, 1))
        assert open_field(service) == TextField(9, version=4)
    assert submitted(link) == [(3, 4, "x")]


@virtual
async def test_text_of_a_session_already_in_progress(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events, told("abc", 7)) as service:
        attached = TextField(9, text="abc", version=7)
        assert open_field(service) == attached
        await service.append("d")
        # The configuration may come late, and tells the rest.
        service.received(CONFIGURATION)
        assert open_field(service) == replace(FIELD, text="abcd", version=8)
        # Another one begins anew.
        service.received(CONFIGURATION)
        assert open_field(service) == FIELD
    assert events[-2:] == [TextClosed(9, None), TextOpened(FIELD)]


@virtual
async def test_a_new_session_ends_the_old_one(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(replace(CONFIGURATION, text_session_id=10))
        # What was said of the old one before, and comes late, does not bring it back.
        service.received(told("late", 4))
        service.received(SystemTextAck(9, 5))
        service.received(told("x", 1, session=11))
        # It is open again when the console says so.
        service.received(replace(CONFIGURATION, text_session_id=10))
        service.received(told("y", 1, session=10))
    numbered = [
        (
            type(event),
            event.session_id
            if isinstance(event, TextClosed)
            else event.field.session_id,
        )
        for event in events
        if isinstance(event, (TextOpened, TextClosed, TextChanged))
    ]
    assert numbered == [
        (TextClosed, 9),
        (TextOpened, 10),
        (TextClosed, 10),
        (TextOpened, 11),
        (TextChanged, 11),
        (TextClosed, 11),
        (TextOpened, 10),
        (TextChanged, 10),
    ]


@virtual
async def test_late_text_of_a_closed_field(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        await service.accept()
        service.received(told("late", 1))
        service.received(told("nothing", 1, session=0))
        assert open_field(service) is None
    assert events == [TextClosed(9, True)]


@virtual
async def test_old_text_is_acknowledged_and_ignored(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.received(told("new", 5))
        service.received(told("old", 4))
        assert open_field(service) == replace(FIELD, text="new", version=5)
        service.received(SystemTextAck(9, 4))
        service.received(SystemTextAck(9, 6))
        assert open_field(service) == replace(FIELD, text="new", version=6)
    assert link.sent == [SystemTextAck(9, 5), SystemTextAck(9, 4)]
    assert len(events) == 1


@virtual
async def test_selection_is_kept(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(told("abc", 1, selection=(1, 2)))
        field = service.field
        assert field is not None
        assert (field.selection_start, field.selection_length) == (1, 2)
        await service.set_text("abcd")
        field = service.field
        assert field is not None
        assert (field.selection_start, field.selection_length) == (-1, -1)


@virtual
async def test_changes_are_applied_to_the_version_they_are_for(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.received(told("grün", 1))
        service.received(told("", 2, size=6, delta=(TextDelta(5, 0, "!"),)))
        assert open_field(service) == replace(FIELD, text="grün!", version=2)
        # Neither of these can be applied.
        service.received(told("", 9, base=7, delta=(TextDelta(0, 1, ""),)))
        service.received(told("", 3, delta=(TextDelta(3, 1, ""),)))
        assert open_field(service) == replace(FIELD, text="grün!", version=2)
        # The text itself counts more than its changes.
        service.received(told("blau", 3, delta=(TextDelta(0, 0, "x"),)))
        assert open_field(service) == replace(FIELD, text="blau", version=3)
        service.received(told("", 4, delta=()))
        assert open_field(service) == replace(FIELD, version=4)


@virtual
async def test_text_in_pieces(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(told("lost", 1, size=8))
        service.received(told("def", 2, size=6, start=3))
        assert open_field(service) == FIELD
        service.received(told("abc", 2, size=6))
        assert open_field(service) == replace(FIELD, text="abcdef", version=2)
        # Characters are counted instead of bytes.
        service.received(told("grün", 3, size=4))
        assert open_field(service) == replace(FIELD, text="grün", version=3)
        # None of these is of use.
        service.received(told("x", 4, size=MAX_TEXT + 1))
        service.received(told("x", 4, size=4, start=1))
        service.received(told("xxxx", 4, size=4, start=2))
        service.received(told("x\0", 4))
        assert open_field(service) == replace(FIELD, text="grün", version=3)


@virtual
async def test_limit_of_acknowledgements_on_their_way(
    link: FakeLink, events: Events
) -> None:
    link.delay = 100
    async with opened(link, events) as service:
        for version in range(1, MAX_ACKS + 2):
            service.received(told("x", version))
        assert link.sent == [
            SystemTextAck(9, version) for version in range(1, MAX_ACKS + 1)
        ]


@virtual
async def test_acknowledgement_that_cannot_be_sent(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.errors.append(PeerTimeoutError())
        service.received(told("abc", 1))
        await asyncio.sleep(1)
        link.is_open = False
        service.received(told("abcd", 2))
        assert open_field(service) == replace(FIELD, text="abcd", version=2)


# What we type.


@virtual
async def test_text_longer_than_a_message(link: FakeLink, events: Events) -> None:
    text = "ü" * 1200
    configuration = replace(CONFIGURATION, max_text_length=0)
    async with opened(link, events, configuration) as service:
        await service.set_text(text)
        field = service.field
        assert field is not None
        assert field.text == text
    first, second, third = link.of(SystemTextInput)
    assert first.text_chunk + second.text_chunk + third.text_chunk == text
    assert [m.text_chunk_byte_start for m in (first, second, third)] == [
        0,
        PIECE - 1,
        2 * (PIECE - 1),
    ]
    versions = {(m.base_version, m.submitted_version) for m in (first, second, third)}
    assert versions == {(0, 1)}
    assert {m.total_text_byte_len for m in (first, second, third)} == {2400}


@pytest.mark.parametrize("text", ["", "x" * 256, "😀" * 128])
def test_text_that_just_fits(text: str) -> None:
    link, events = FakeLink(), Events()

    @virtual
    async def scenario() -> None:
        async with opened(link, events) as service:
            await service.set_text(text)
            await service.append("")

    scenario()
    assert submitted(link) == [(0, 1, text), (1, 2, text)]


@virtual
async def test_text_longer_than_the_field_allows(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        with pytest.raises(MessageTooLargeError):
            await service.set_text("x" * 257)
        with pytest.raises(MessageTooLargeError):
            await service.set_text("😀" * 129)
        await service.set_text("x" * 256)
        with pytest.raises(MessageTooLargeError):
            await service.append("x")
        with pytest.raises(ProtocolError):
            await service.set_text("\udc80")
        service.received(told("x", 0xFFFFFFFF))
        with pytest.raises(ProtocolError):
            await service.set_text("y")
    assert len(submitted(link)) == 1


@virtual
async def test_several_who_append(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        await asyncio.gather(*(service.append(char) for char in "abc"))
    assert submitted(link) == [(0, 1, "a"), (1, 2, "ab"), (2, 3, "abc")]


def conflict(service: TextService, *answers: SystemTextInput | SystemTextAck) -> Reply:
    """Return a console that answers the texts of a field one by one."""
    left = list(answers)

    def reply(message: Message) -> None:
        if isinstance(message, SystemTextInput):
            service.received(left.pop(0))

    return reply


@virtual
async def test_console_changed_the_text_at_the_same_time(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.received(told("a", 1))
        link.reply = conflict(
            service, told("b", 2), told("c", 5, base=5), SystemTextAck(9, 6)
        )
        await service.append("!")
        assert open_field(service) == replace(FIELD, text="c!", version=6)
    assert submitted(link) == [(1, 2, "a!"), (2, 3, "b!"), (5, 6, "c!")]


@virtual
async def test_console_goes_on_from_our_text(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(told("a", 1))
        # Its change of our text comes before its word that it has taken that.
        link.reply = conflict(service, told("a!?", 3))
        await service.append("!")
        service.received(SystemTextAck(9, 2))
        assert open_field(service) == replace(FIELD, text="a!?", version=3)
    assert submitted(link) == [(1, 2, "a!")]


@virtual
async def test_console_repeats_our_text(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:

        def reply(message: Message) -> None:
            if isinstance(message, SystemTextInput):
                service.received(told("abc", 1))
                service.received(SystemTextAck(9, 1))

        link.reply = reply
        await service.set_text("abc")
        assert open_field(service) == replace(FIELD, text="abc", version=1)


@virtual
async def test_limit_of_attempts(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        answers = [told(f"{number}", number) for number in range(1, MAX_ATTEMPTS + 1)]
        link.reply = conflict(service, *answers)
        with pytest.raises(RejectedError):
            await service.set_text("x")
    assert len(submitted(link)) == MAX_ATTEMPTS


@virtual
async def test_console_refuses_the_text(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        service.received(told("a", 1))
        link.reply = conflict(service, told("a", 1, base=1))
        with pytest.raises(RejectedError):
            await service.set_text("x")
        assert open_field(service) == replace(FIELD, text="a", version=1)
    assert submitted(link) == [(1, 2, "x")]


@virtual
async def test_text_that_comes_late_says_nothing_of_ours(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        service.received(told("a", 4))
        service.received(SystemTextAck(9, 5))

        def reply(message: Message) -> None:
            if isinstance(message, SystemTextInput):
                service.received(told("ab", 5))
                service.received(SystemTextAck(9, 6))

        link.reply = reply
        await service.set_text("x")
        assert open_field(service) == replace(FIELD, text="x", version=6)
    assert submitted(link) == [(5, 6, "x")]


@virtual
async def test_console_does_not_acknowledge(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.reply = conflict(service, SystemTextAck(9, 0))
        start = asyncio.get_running_loop().time()
        with pytest.raises(PeerTimeoutError):
            await service.set_text("x")
        passed = asyncio.get_running_loop().time() - start
        assert passed == pytest.approx(link.delay + ACK_TIMEOUT)
        assert open_field(service) == FIELD


@virtual
async def test_acknowledgement_counts_more_than_the_ack(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.errors.append(PeerTimeoutError())
        await service.set_text("x")
        link.reply = None
        link.errors.append(RejectedError())
        with pytest.raises(RejectedError):
            await service.set_text("y")
        assert open_field(service) == replace(FIELD, text="x", version=1)


@virtual
async def test_pieces_stop_when_the_console_has_another_text(
    link: FakeLink, events: Events
) -> None:
    configuration = replace(CONFIGURATION, max_text_length=0)
    async with opened(link, events, configuration) as service:
        console = Console(service, link)

        def reply(message: Message) -> None:
            if not isinstance(message, SystemTextInput):
                return
            if len(link.of(SystemTextInput)) == 1:
                service.received(told("mine", 1))
            else:
                console.reply(message)

        link.reply = reply
        await service.set_text("x" * 2 * PIECE)
    assert [base for base, _, _ in submitted(link)] == [0, 1, 1]


@virtual
async def test_field_closes_while_we_type(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.reply = None
        first = asyncio.create_task(service.set_text("x"))
        second = asyncio.create_task(service.set_text("y"))
        done = asyncio.create_task(service.accept())
        await asyncio.sleep(1)
        service.received(SystemTextDone(9, 1, 0, TextResult.CANCEL))
        service.received(replace(CONFIGURATION, text_session_id=10))
        for task in (first, second, done):
            with pytest.raises(TextNotOpenError):
                await task
    assert submitted(link) == [(0, 1, "x")]


@virtual
async def test_channel_goes_while_we_type(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        link.reply = None
        tasks = [
            asyncio.create_task(service.set_text("x")),
            asyncio.create_task(service.set_text("y")),
            asyncio.create_task(service.cancel()),
        ]
        await asyncio.sleep(1)
        service.opened()
        service.received(CONFIGURATION)
        for task in tasks:
            with pytest.raises(DisconnectedError):
                await task
    assert submitted(link) == [(0, 1, "x")]


@virtual
async def test_cancelled_typing_leaves_the_dialogue_sound(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        link.reply = None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await service.set_text("x")
        # It is taken after all, but the text is not known any more.
        service.received(SystemTextAck(9, 1))
        Console(service, link)
        await service.set_text("y")
        assert open_field(service) == replace(FIELD, text="y", version=2)


@virtual
async def test_field_closes_while_the_done_is_on_its_way(
    link: FakeLink, events: Events
) -> None:
    async with opened(link, events) as service:
        done = asyncio.create_task(service.accept())
        await asyncio.sleep(link.delay / 2)
        service.received(SystemTextDone(9, 0, 0, TextResult.CANCEL))
        await done
    assert events == [TextClosed(9, False)]


# Fields of titles.


@virtual
async def test_dialogue_with_a_title(link: FakeLink, events: Events) -> None:
    session = TITLE_CONFIGURATION.text_session_id
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        field = TextField(
            session, version=3, locale="en-GB", prompt="Name", is_title=True
        )
        assert open_field(service) == field
        service.received(TitleTextInput(session, 4, TextResult.NULL, "abc"))
        service.received(TitleTextInput(session, 3, TextResult.NULL, "old"))
        service.received(TitleTextInput(session, 5, TextResult.NULL, "\0"))
        service.received(TitleTextSelection(session, 4, 0, 3))
        service.received(TitleTextSelection(9, 4, 1, 1))
        service.received(SystemTextAck(session & 0xFFFFFFFF, 9))
        selected = replace(
            field, text="abc", version=4, selection_start=0, selection_length=3
        )
        assert open_field(service) == selected
        await service.append("d")
        await service.select(1, 3)
        await service.accept()
    assert link.sent == [
        TitleTextInput(session, 5, TextResult.NULL, "abcd"),
        TitleTextSelection(session, 5, 1, 3),
        TitleTextInput(session, 5, TextResult.ACCEPT, "abcd"),
    ]
    assert events[-1] == TextClosed(session, True)


@virtual
async def test_title_changes_the_text_at_the_same_time(
    link: FakeLink, events: Events
) -> None:
    session = TITLE_CONFIGURATION.text_session_id
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        left = [TitleTextInput(session, 4, TextResult.NULL, "other")]

        def reply(_: Message) -> None:
            if left:
                service.received(left.pop())

        link.reply = reply
        await service.append("!")
        assert service.field is not None
        assert service.field.text == "other!"
    assert [m.text for m in link.of(TitleTextInput)] == ["!", "other!"]


@virtual
async def test_title_closes_its_field(link: FakeLink, events: Events) -> None:
    session = TITLE_CONFIGURATION.text_session_id
    done = TitleTextInput(session, 4, TextResult.CANCEL, "abc")
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        service.received(done)
        service.received(done)
        assert open_field(service) is None
        service.opened()
        service.received(replace(done, result=TextResult.NULL))
        assert open_field(service) == TextField(
            session, text="abc", version=4, is_title=True
        )
        # A field of the system with the same number is another one.
        service.received(told("x", 1, session=session & 0xFFFFFFFF))
        assert open_field(service) == TextField(9, text="x", version=1)


@virtual
async def test_field_of_a_title_closes_while_we_select(
    link: FakeLink, events: Events
) -> None:
    session = TITLE_CONFIGURATION.text_session_id
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        selecting = asyncio.create_task(service.select(0, 0))
        await asyncio.sleep(link.delay / 2)
        service.received(TitleTextInput(session, 4, TextResult.ACCEPT, "abc"))
        await selecting
        assert open_field(service) is None


@virtual
async def test_title_field_closes_while_we_type(link: FakeLink, events: Events) -> None:
    session = TITLE_CONFIGURATION.text_session_id
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        typing = asyncio.create_task(service.set_text("x"))
        await asyncio.sleep(link.delay / 2)
        service.received(TitleTextInput(session, 4, TextResult.ACCEPT, "abc"))
        with pytest.raises(TextNotOpenError):
            await typing


@virtual
async def test_selections_that_are_not_possible(link: FakeLink, events: Events) -> None:
    async with opened(link, events) as service:
        with pytest.raises(UnsupportedError):
            await service.select(0, 0)
        service.received(TITLE_CONFIGURATION)
        await service.set_text("abc")
        for wrong in ((-1, 1), (0, -1), (0, 4), (3, 1)):
            with pytest.raises(ProtocolError):
                await service.select(*wrong)


@virtual
async def test_limit_of_text_for_a_title(link: FakeLink, events: Events) -> None:
    async with opened(link, events, TITLE_CONFIGURATION) as service:
        await service.set_text("x" * MAX_TITLE_TEXT)
        with pytest.raises(MessageTooLargeError):
            await service.append("x")
    (message,) = link.of(TitleTextInput)
    assert len(message.encode()) <= 1024


# Privacy.


@pytest.mark.parametrize(
    ("options", "scope", "is_password"),
    [
        (TextOption(0), TextInputScope.DEFAULT, False),
        (TextOption.MULTI_LINE, 0x39, False),
        (TextOption.PASSWORD | TextOption.SPELL_CHECK, TextInputScope.SEARCH, True),
        (TextOption(0), TextInputScope.PASSWORD, True),
    ],
)
def test_password_fields(options: TextOption, scope: int, is_password: bool) -> None:
    assert TextField(9, options=options, scope=scope).is_password is is_password


@virtual
async def test_text_is_in_no_log_repr_or_error(
    link: FakeLink, events: Events, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(link, events) as service:
        service.received(told("hunter2", 1))
        await service.append("hunter2")
        link.reply = None
        typing = asyncio.create_task(service.append("hunter2"))
        await asyncio.sleep(1)
        assert "hunter2" not in repr(service._submission)
        service.received(SystemTextDone(9, 1, 0, TextResult.CANCEL))
        with pytest.raises(TextNotOpenError) as raised:
            await typing
        assert "hunter2" not in repr(raised.value)
    assert "hunter2" not in repr(events)
    assert "hunter2" not in repr(link.sent)
    assert "hunter2" not in caplog.text
    assert module.__name__ not in caplog.text
