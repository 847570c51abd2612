"""Channels, matched with the requests for them."""

import pytest

from custom_components.rumpus.protocols.errors import ProtocolError, RumpusError
from custom_components.rumpus.protocols.smartglass.channels import (
    ACK,
    CORE,
    MAX_CHANNELS,
    MAX_REQUESTS,
    Channel,
    ChannelManager,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.errors import ChannelError
from custom_components.rumpus.protocols.smartglass.messages import StartChannelResponse

INPUT, MEDIA, TITLE = (
    ServiceChannel.SYSTEM_INPUT,
    ServiceChannel.SYSTEM_MEDIA,
    ServiceChannel.TITLE,
)


@pytest.fixture
def manager() -> ChannelManager:
    return ChannelManager()


def answer(
    manager: ChannelManager, request_id: int, channel_id: int, result: int = 0
) -> Channel:
    return manager.handle_channel_start_response(
        StartChannelResponse(request_id, channel_id, result)
    )


def test_core_and_ack_are_always_there(manager: ChannelManager) -> None:
    assert manager.lookup(ChannelManager.CHANNEL_CORE) == CORE
    assert manager.lookup(ChannelManager.CHANNEL_ACK) == ACK
    assert manager.get_channel_id(ServiceChannel.CORE) == 0
    assert manager.get_channel_id(ServiceChannel.ACK) == 0x1000000000000000
    assert manager.open_channels == frozenset()


def test_answers_are_matched_by_id_whatever_their_order(
    manager: ChannelManager,
) -> None:
    assert manager.get_next_request_id(INPUT) == 1
    assert manager.get_next_request_id(MEDIA) == 2
    assert manager.requested(1) == Channel(INPUT)
    assert answer(manager, 2, 151) == Channel(MEDIA)
    assert answer(manager, 1, 150) == Channel(INPUT)
    assert manager.requested(1) is None
    assert manager.get_channel(150) is INPUT
    assert manager.get_channel_id(MEDIA) == 151
    assert manager.open_channels == {INPUT, MEDIA}
    assert manager.is_open(Channel(INPUT))


def test_titles_have_channels_of_their_own(manager: ChannelManager) -> None:
    for title_id in (7, 8):
        request_id = manager.get_next_request_id(TITLE, title_id)
        assert answer(manager, request_id, 100 + title_id) == Channel(TITLE, title_id)
    assert manager.get_channel_id(TITLE, 8) == 108
    with pytest.raises(ChannelError):
        manager.get_channel_id(TITLE)


def test_a_refusal_has_its_result(manager: ChannelManager) -> None:
    manager.get_next_request_id(INPUT)
    with pytest.raises(ChannelError) as info:
        answer(manager, 1, 0, ResultCode.NOT_FOUND)
    assert info.value.channel is INPUT
    assert info.value.result == ResultCode.NOT_FOUND
    assert not manager.is_open(Channel(INPUT))


def test_an_answer_to_nothing_is_refused(manager: ChannelManager) -> None:
    with pytest.raises(ProtocolError):
        answer(manager, 1, 150)


@pytest.mark.parametrize("channel_id", [0, 0x1000000000000000, 150])
def test_an_id_that_is_in_use_is_refused(
    manager: ChannelManager, channel_id: int
) -> None:
    manager.get_next_request_id(INPUT)
    answer(manager, 1, 150)
    manager.get_next_request_id(MEDIA)
    with pytest.raises(ChannelError):
        answer(manager, 2, channel_id)
    assert manager.lookup(150) == Channel(INPUT)
    assert manager.lookup(0) == CORE


def test_a_channel_that_is_opened_again_may_have_another_id(
    manager: ChannelManager,
) -> None:
    for channel_id in (150, 151, 151):
        answer(manager, manager.get_next_request_id(INPUT), channel_id)
    assert manager.get_channel_id(INPUT) == 151
    assert manager.lookup(150) is None


def test_closed_channels_are_unknown(manager: ChannelManager) -> None:
    answer(manager, manager.get_next_request_id(INPUT), 150)
    manager.close(Channel(INPUT))
    manager.close(Channel(INPUT))
    with pytest.raises(RumpusError):
        manager.get_channel(150)
    with pytest.raises(ChannelError) as info:
        manager.get_channel_id(INPUT)
    assert info.value.result is None


def test_reset_forgets_all_but_the_fixed_ones(manager: ChannelManager) -> None:
    answer(manager, manager.get_next_request_id(INPUT), 150)
    manager.get_next_request_id(MEDIA)
    manager.reset()
    assert manager.open_channels == frozenset()
    assert manager.requested(2) is None
    assert manager.get_next_request_id(INPUT) == 1
    assert manager.lookup(0) == CORE


def test_requests_are_bounded(manager: ChannelManager) -> None:
    for _ in range(MAX_REQUESTS + 1):
        manager.get_next_request_id(INPUT)
    assert manager.requested(1) is None
    assert manager.requested(2) is not None


def test_channels_are_bounded(manager: ChannelManager) -> None:
    for title_id in range(MAX_CHANNELS - 2):
        answer(manager, manager.get_next_request_id(TITLE, title_id), 100 + title_id)
    request_id = manager.get_next_request_id(INPUT)
    with pytest.raises(ChannelError) as info:
        answer(manager, request_id, 99)
    assert info.value.result == ResultCode.NO_MORE_CAPACITY
    # One that is open can be opened again.
    answer(manager, manager.get_next_request_id(TITLE, 0), 99)
