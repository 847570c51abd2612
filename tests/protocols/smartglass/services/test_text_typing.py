"""The dialogue about a text field: what we type, also into those of titles."""

import asyncio
from dataclasses import replace
import logging

import pytest

from .support import Events, FakeLink, virtual
from .text_support import (
    CONFIGURATION,
    FIELD,
    TITLE_CONFIGURATION,
    Console,
    Reply,
    open_field,
    opened,
    submitted,
    told,
)
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
from custom_components.rumpus.protocols.smartglass.events import TextClosed
from custom_components.rumpus.protocols.smartglass.messages import (
    Message,
    SystemTextAck,
    SystemTextDone,
    SystemTextInput,
    TitleTextInput,
    TitleTextSelection,
)
from custom_components.rumpus.protocols.smartglass.services import text as module
from custom_components.rumpus.protocols.smartglass.services.text import (
    ACK_TIMEOUT,
    MAX_ATTEMPTS,
    MAX_TITLE_TEXT,
    TextField,
    TextService,
)
from custom_components.rumpus.protocols.smartglass.services.text_edit import PIECE

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
