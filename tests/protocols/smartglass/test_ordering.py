"""An older message never overwrites what a newer one told."""

from uuid import UUID

import pytest

from .common import status
from custom_components.rumpus.protocols.smartglass.enums import (
    MediaControlCommand,
    TextOption,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    ActiveSurfaceChange,
    MediaCommandResult,
    MediaControllerRemoved,
    MediaState,
    Message,
    PairedIdentityStateChanged,
    SystemTextAck,
    SystemTextConfiguration,
    SystemTextDone,
    SystemTextInput,
    TitleTextConfiguration,
)
from custom_components.rumpus.protocols.smartglass.ordering import (
    MAX_SUBJECTS,
    StateOrder,
)

CHANNEL = "channel"
NOTHING = MediaControlCommand(0)


def media(title_id: int) -> MediaState:
    return MediaState(title_id, "", "", 2, 2, NOTHING, 3, 1.0, 0, 0, 0, 0, 0, ())


def field(session_id: int) -> SystemTextConfiguration:
    return SystemTextConfiguration(session_id, 0, TextOption(0), 0, 0, "", "")


def title_field(session_id: int) -> TitleTextConfiguration:
    return TitleTextConfiguration(session_id, 0, TextOption(0), 0, 0, "", "")


def typed(session_id: int) -> SystemTextInput:
    return SystemTextInput(session_id, 0, 1, 0, -1, -1, 0, 0, "")


def done(session_id: int) -> SystemTextDone:
    return SystemTextDone(session_id, 1, 0, 1)


SURFACE = ActiveSurfaceChange(1, 0, 0, UUID(int=0), 0, 0, bytes(32))


@pytest.mark.parametrize(
    "message", [status(1), SURFACE, PairedIdentityStateChanged(1), media(1), field(1)]
)
def test_an_older_state_is_dropped(message: Message) -> None:
    order = StateOrder()
    assert order.admit(message, CHANNEL, 5)
    assert not order.admit(message, CHANNEL, 4)
    assert order.admit(message, CHANNEL, 6)


def test_states_of_different_kinds_and_channels_do_not_meet() -> None:
    order = StateOrder()
    assert order.admit(status(1), CHANNEL, 9)
    assert order.admit(SURFACE, CHANNEL, 8)
    assert order.admit(status(1), "another", 7)


@pytest.mark.parametrize("message", [MediaCommandResult(1, 0), SystemTextAck(1, 1)])
def test_what_is_no_state_always_counts(message: Message) -> None:
    order = StateOrder()
    assert order.admit(message, CHANNEL, 5)
    assert order.admit(message, CHANNEL, 4)


def test_media_of_another_title_is_newer_too() -> None:
    order = StateOrder()
    assert order.admit(media(2), CHANNEL, 10)
    assert not order.admit(media(1), CHANNEL, 9)


def test_what_was_removed_does_not_come_back() -> None:
    order = StateOrder()
    assert order.admit(MediaControllerRemoved(1), CHANNEL, 10)
    # It says nothing about others.
    assert order.admit(media(2), CHANNEL, 7) == (media(2),)
    # What was removed had taken their place.
    removed = (media(1), MediaControllerRemoved(1))
    assert order.admit(media(1), CHANNEL, 9) == removed
    assert not order.admit(media(2), CHANNEL, 8)
    assert order.admit(media(2), CHANNEL, 11) == (media(2),)


def test_an_older_removal_does_not_remove() -> None:
    order = StateOrder()
    assert order.admit(media(1), CHANNEL, 10)
    assert not order.admit(MediaControllerRemoved(1), CHANNEL, 9)
    assert order.admit(MediaControllerRemoved(2), CHANNEL, 8)


def test_a_field_that_was_closed_does_not_open() -> None:
    order = StateOrder()
    assert order.admit(done(1), CHANNEL, 10)
    assert not order.admit(field(1), CHANNEL, 9)
    assert not order.admit(field(1 + 2**32), CHANNEL, 9)
    assert order.admit(field(2), CHANNEL, 8)
    assert not order.admit(typed(1), CHANNEL, 9)


def test_text_of_a_field_counts_however_late() -> None:
    order = StateOrder()
    assert order.admit(field(1), CHANNEL, 5)
    assert order.admit(typed(1), CHANNEL, 7)
    assert order.admit(typed(1), CHANNEL, 6)
    # An older session had the same number.
    assert not order.admit(typed(1), CHANNEL, 4)
    assert not order.admit(done(1), CHANNEL, 4)
    assert order.admit(done(1), CHANNEL, 8)


def test_fields_of_titles_are_others() -> None:
    order = StateOrder()
    assert order.admit(field(1), CHANNEL, 5)
    assert order.admit(title_field(1), CHANNEL, 4)


def test_the_number_of_things_is_bounded() -> None:
    order = StateOrder()
    for title_id in range(2 * MAX_SUBJECTS):
        assert order.admit(media(title_id), CHANNEL, title_id + 1)
    assert len(order) == MAX_SUBJECTS
    # What is told again and again is not forgotten for others.
    assert not order.admit(media(5), CHANNEL, 3)
