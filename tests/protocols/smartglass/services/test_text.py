"""The dialogue about a text field: what the console says of it."""

import asyncio
from dataclasses import replace

import pytest

from .support import Events, FakeLink, virtual
from .text_support import CONFIGURATION, FIELD, open_field, opened, submitted, told
from custom_components.rumpus.protocols.errors import PeerTimeoutError
from custom_components.rumpus.protocols.smartglass.enums import TextResult
from custom_components.rumpus.protocols.smartglass.errors import TextNotOpenError
from custom_components.rumpus.protocols.smartglass.events import (
    TextChanged,
    TextClosed,
    TextOpened,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Disconnect,
    SystemTextAck,
    SystemTextDone,
    SystemTextInput,
    TextDelta,
)
from custom_components.rumpus.protocols.smartglass.services.text import (
    MAX_ACKS,
    TextField,
)
from custom_components.rumpus.protocols.smartglass.services.text_edit import MAX_TEXT


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
