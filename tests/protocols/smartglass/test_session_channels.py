"""The channels of a session: fragments, answers and objects that come on them."""

import pytest

from .common import Talk, builds_of, status
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.smartglass.channels import Channel
from custom_components.rumpus.protocols.smartglass.const import ACK_CHANNEL_ID
from custom_components.rumpus.protocols.smartglass.enums import (
    DisconnectReason,
    MessageType,
    ResultCode,
    ServiceChannel,
)
from custom_components.rumpus.protocols.smartglass.events import LossReason
from custom_components.rumpus.protocols.smartglass.messages import (
    Ack,
    Disconnect,
    GameDvrRecord,
    Json,
    MessageFragment,
    StartChannelResponse,
)
from custom_components.rumpus.protocols.smartglass.session import (
    MAX_EARLY,
    ChannelAnswered,
    JsonReceived,
    SessionEnded,
)

RECORD = GameDvrRecord(-60, 0)
REQUEST = ServiceChannel.SYSTEM_INPUT_TV_REMOTE


# Fragments that come.


def test_fragments_in_any_order_make_one_message(talk: Talk) -> None:
    datagrams = talk.console.fragments(status(1, 2, build=7), 20)
    for datagram in reversed(datagrams):
        ((_, ack),) = talk.receive(datagram)
        assert isinstance(ack, Ack)
        assert len(ack.processed_list) == 1
    assert builds_of(talk) == [7]


def test_a_fragmented_state_is_as_old_as_its_first_fragment(talk: Talk) -> None:
    old = talk.console.fragments(status(1, build=1), 20)
    talk.receive(talk.console.seal(status(1, build=2)))
    talk.receive(*old)
    assert builds_of(talk) == [2]


def test_fragments_that_do_not_fit_are_rejected(talk: Talk) -> None:
    plaintext = MessageFragment(5, 7, b"x").encode()
    datagram = talk.console.seal_raw(MessageType.JSON, plaintext, is_fragment=True)
    ((_, ack),) = talk.receive(datagram)
    assert ack == Ack(1, (), (1,))


# Channels.


def test_a_channel_is_known_before_the_next_datagram(talk: Talk) -> None:
    request_id = talk.session.channels.get_next_request_id(REQUEST)
    response = talk.console.seal(StartChannelResponse(request_id, 150, 0))
    message = talk.console.seal(Json('{"a":1}'), channel=150)
    talk.receive(response, message)
    channel = Channel(REQUEST)
    assert talk.took() == [
        ChannelAnswered(request_id, channel, ResultCode.SUCCESS),
        JsonReceived(channel, {"a": 1}),
    ]


def test_what_overtakes_the_answer_that_opens_its_channel_is_kept(talk: Talk) -> None:
    """The answer may get lost, and come a second after what it announces."""
    channels = talk.session.channels
    first, second = (channels.get_next_request_id(REQUEST, title) for title in (1, 2))
    for number in (150, 151, 152):
        ((_, ack),) = talk.say(Json(f'{{"a":{number}}}'), channel=number)
        assert ack == Ack(number - 149, (number - 149,))
    ((_, ack),) = talk.say(Json("[["), channel=150)
    assert ack == Ack(4, (4,))
    assert talk.took() == []
    talk.open_channel(150, first)
    assert talk.took() == [
        ChannelAnswered(first, Channel(REQUEST, 1), ResultCode.SUCCESS),
        JsonReceived(Channel(REQUEST, 1), {"a": 150}),
    ]
    talk.open_channel(151, second)
    assert talk.took() == [
        ChannelAnswered(second, Channel(REQUEST, 2), ResultCode.SUCCESS),
        JsonReceived(Channel(REQUEST, 2), {"a": 151}),
    ]
    # Nothing is kept for channels that nobody wants, nor what is left of them.
    talk.say(Json("{}"), channel=153)
    for number in (152, 153):
        talk.open_channel(number, channels.get_next_request_id(REQUEST, number))
        assert len(talk.took()) == 1


def test_an_end_that_overtakes_the_answer_is_the_end(talk: Talk) -> None:
    request_id = talk.session.channels.get_next_request_id(REQUEST)
    talk.say(Disconnect(DisconnectReason.POWER_OFF), channel=150)
    talk.say(Json("{}"), channel=150)
    talk.open_channel(150, request_id)
    assert talk.took() == [
        ChannelAnswered(request_id, Channel(REQUEST), ResultCode.SUCCESS),
        SessionEnded(LossReason.DISCONNECTED, DisconnectReason.POWER_OFF),
    ]


def test_what_is_kept_until_a_channel_opens_is_bounded(talk: Talk) -> None:
    request_id = talk.session.channels.get_next_request_id(REQUEST)
    for number in range(MAX_EARLY + 5):
        talk.say(Json(f'{{"a":{number}}}'), channel=150)
    talk.open_channel(150, request_id)
    objects = [event.obj for event in talk.took() if isinstance(event, JsonReceived)]
    assert objects == [{"a": number} for number in range(5, MAX_EARLY + 5)]


def test_a_refused_channel_has_its_result(talk: Talk) -> None:
    request_id = talk.session.channels.get_next_request_id(REQUEST)
    talk.say(StartChannelResponse(request_id, 0, ResultCode.NOT_FOUND))
    assert talk.took() == [
        ChannelAnswered(request_id, Channel(REQUEST), ResultCode.NOT_FOUND)
    ]


def test_a_channel_with_an_id_that_cannot_be_is_refused(talk: Talk) -> None:
    request_id = talk.session.channels.get_next_request_id(REQUEST)
    talk.say(StartChannelResponse(request_id, ACK_CHANNEL_ID, 0))
    assert talk.took() == [
        ChannelAnswered(request_id, Channel(REQUEST), ResultCode.INVALID_DATA)
    ]


def test_an_answer_that_nobody_waits_for_is_rejected(talk: Talk) -> None:
    ((_, ack),) = talk.say(StartChannelResponse(9, 150, 0))
    assert ack == Ack(1, (), (1,))
    assert talk.took() == []


# Objects.


@pytest.fixture
def tv(talk: Talk) -> Talk:
    """A session with the channel of the TV remote, number 150."""
    talk.open_channel(150, talk.session.channels.get_next_request_id(REQUEST))
    talk.took()
    return talk


def test_objects_in_pieces_come_whole(tv: Talk) -> None:
    obj: JsonObject = {"a": "x" * 3000}
    other = Talk()
    other.session.send_json(obj, 0, channel_id=150)
    for _, message in reversed(other.sent()):
        tv.say(message, channel=150)
    assert tv.took() == [JsonReceived(Channel(REQUEST), obj)]


@pytest.mark.parametrize("text", ["[]", "{", '{"fragment_data":"x"}', ""])
def test_what_is_no_object_is_rejected(tv: Talk, text: str) -> None:
    ((_, ack),) = tv.say(Json(text), channel=150)
    assert isinstance(ack, Ack)
    assert ack.rejected_list == (2,)
    assert tv.took() == []
