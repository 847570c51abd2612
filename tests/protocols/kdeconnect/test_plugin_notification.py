"""Notifications of the peer and what it answers to ours."""

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_fields import MAX_TEXT
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    decode_message,
    notification,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.notification import (
    MAX_ACTION,
    MAX_ACTIONS,
    MAX_CONVERSATION,
    MAX_NOTIFICATION_ID,
    MAX_NOTIFICATION_TEXT,
    MAX_REPLY,
    ChatMessage,
    Notification,
    NotificationActivated,
    NotificationDismissed,
    NotificationRemoved,
    NotificationReplied,
    NotificationsWanted,
)

TYPE = "kdeconnect.notification"
REQUEST = "kdeconnect.notification.request"
REPLY = "kdeconnect.notification.reply"
ACTION = "kdeconnect.notification.action"
HASH = "0123456789abcdef" * 2

filled = texts.filter(bool)


def posted(**fields: JsonValue) -> Notification:
    """Return the notification in a packet that has an id."""
    return Notification.from_packet(Packet(TYPE, {"id": "1", **fields}))


def test_capture_of_kde_26() -> None:
    packet = Packet(
        TYPE,
        {
            "appName": "MyApp",
            "id": "0",
            "isClearable": True,
            "silent": False,
            "text": "Body",
            "ticker": "Summary: Body",
            "title": "Summary",
        },
    )

    assert decode_message(packet) == Notification(
        "0",
        app="MyApp",
        title="Summary",
        text="Body",
        ticker="Summary: Body",
        is_clearable=True,
    )


def test_capture_of_kde_22() -> None:
    packet = Packet(
        TYPE,
        {
            "appName": "MyApp",
            "id": "1",
            "isClearable": False,
            "ticker": "Summary: Body",
        },
    )

    assert decode_message(packet) == Notification(
        "1", app="MyApp", ticker="Summary: Body"
    )


def test_everything_that_android_sends() -> None:
    packet = Packet(
        TYPE,
        {
            "id": "0|org.chat|5|tag|10151",
            "appName": "Chat",
            "ticker": "Ann: hi",
            "title": "Ann",
            "text": "hi",
            "isClearable": True,
            "silent": True,
            "time": "1795250084961",
            "onlyOnce": True,
            "requestReplyId": "0b5e",
            "actions": ["Mark read", "Mute"],
            "payloadHash": HASH,
            "conversation": [
                {"sender": "Me", "content": "hello"},
                {"sender": "Ann", "content": "hi"},
            ],
            "groupName": "Friends",
        },
        Payload(1234, 1739),
    )

    assert decode_message(packet) == Notification(
        "0|org.chat|5|tag|10151",
        app="Chat",
        title="Ann",
        text="hi",
        ticker="Ann: hi",
        is_clearable=True,
        is_silent=True,
        posted_ms=1795250084961,
        reply_id="0b5e",
        actions=("Mark read", "Mute"),
        icon_hash=HASH,
        icon=Payload(1234, 1739),
        conversation=(ChatMessage("Me", "hello"), ChatMessage("Ann", "hi")),
        group="Friends",
    )


@pytest.mark.parametrize("value", [True, "true", 1])
def test_removal(value: JsonValue) -> None:
    packet = Packet(TYPE, {"id": 17, "isCancel": value})

    assert decode_message(packet) == NotificationRemoved("17")


def test_numbers_as_ids() -> None:
    packet = Packet(TYPE, {"id": 17, "isCancel": False})

    assert decode_message(packet) == Notification("17")


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": None}, {"id": True}])
@pytest.mark.parametrize("is_cancel", [True, False])
def test_no_id_is_refused(body: JsonObject, is_cancel: bool) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {**body, "isCancel": is_cancel}))


def test_empty_and_wrong_members_are_none() -> None:
    assert posted(
        appName="",
        title="",
        text=7,
        ticker=None,
        time=-1,
        requestReplyId="",
        actions="Mute",
        conversation={},
        groupName="",
    ) == Notification("1")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (HASH, HASH),
        (HASH.upper(), HASH),
        (HASH[1:], None),
        (f"{HASH}0", None),
        ("../" + HASH[3:], None),
        (f"{HASH}\n", None),
        (None, None),
    ],
)
def test_hash_is_one_or_none(value: JsonValue, expected: str | None) -> None:
    assert posted(payloadHash=value).icon_hash == expected


def test_limit_of_notification_id() -> None:
    fitting = "i" * MAX_NOTIFICATION_ID

    assert decode_message(Packet(TYPE, {"id": fitting})) == Notification(fitting)
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, {"id": fitting + "i"}))


def test_limit_of_texts() -> None:
    title = "t" * (MAX_TEXT + 1)
    text = "t" * (MAX_NOTIFICATION_TEXT + 1)

    found = posted(appName=title, title=title, groupName=title, text=text, ticker=text)

    assert found.app == found.title == found.group == title[:-1]
    assert found.text == found.ticker == text[:-1]


def test_limit_of_reply_id() -> None:
    assert posted(requestReplyId="r" * (MAX_NOTIFICATION_ID + 1)).reply_id is None


def test_limit_of_actions() -> None:
    titles: list[JsonValue] = [str(number) for number in range(MAX_ACTIONS + 1)]

    assert posted(actions=titles).actions == tuple(titles[:-1])


def test_limit_of_action() -> None:
    fitting = "a" * MAX_ACTION

    assert posted(actions=[fitting + "a", fitting]).actions == (fitting,)
    with pytest.raises(ProtocolError):
        decode_message(Packet(ACTION, {"key": "1", "action": fitting + "a"}))


def test_limit_of_conversation() -> None:
    messages: list[JsonValue] = [
        {"sender": "Ann", "content": str(number)}
        for number in range(MAX_CONVERSATION + 1)
    ]

    found = posted(conversation=messages).conversation

    # The oldest is left out.
    assert [message.content for message in found] == [
        str(number) for number in range(1, MAX_CONVERSATION + 1)
    ]


def test_newest_messages_of_a_long_conversation_are_kept() -> None:
    messages: list[JsonValue] = [{"content": str(number)} for number in range(5000)]

    found = posted(conversation=messages).conversation

    assert found[-1].content == "4999"
    assert len(found) == MAX_CONVERSATION


def test_limit_of_message_in_conversation() -> None:
    text = "m" * (MAX_NOTIFICATION_TEXT + 1)

    [found] = posted(conversation=[{"sender": None, "content": text}]).conversation

    assert found == ChatMessage("", text[:-1])


def test_limit_of_reply() -> None:
    text = "r" * (MAX_REPLY + 1)

    assert decode_message(
        Packet(REPLY, {"requestReplyId": "1", "message": text})
    ) == NotificationReplied("1", text[:-1])


def test_captures_of_answers_to_ours() -> None:
    assert decode_message(
        Packet(REPLY, {"message": "my reply", "requestReplyId": "rid1"})
    ) == NotificationReplied("rid1", "my reply")
    assert decode_message(
        Packet(ACTION, {"action": "Mark read", "key": "0|app|1"})
    ) == NotificationActivated("0|app|1", "Mark read")
    assert decode_message(
        Packet(REQUEST, {"cancel": "0|app|1"})
    ) == NotificationDismissed("0|app|1")


def test_all_ours_are_wanted() -> None:
    assert decode_message(Packet(REQUEST, {"request": True})) == NotificationsWanted()


@pytest.mark.parametrize(
    ("packet_type", "body"),
    [
        (REQUEST, {}),
        (REQUEST, {"request": False}),
        (REQUEST, {"cancel": ""}),
        (REQUEST, {"cancel": None}),
        (REPLY, {"message": "x"}),
        (REPLY, {"requestReplyId": "1"}),
        (ACTION, {"key": "1"}),
        (ACTION, {"action": "x"}),
    ],
)
def test_incomplete_answers_are_refused(packet_type: str, body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(packet_type, body))


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, REQUEST, REPLY, ACTION]),
    bodies(
        "id",
        "isCancel",
        "title",
        "time",
        "actions",
        "conversation",
        "payloadHash",
        "requestReplyId",
        "message",
        "key",
        "action",
        "request",
        "cancel",
    ),
)
def test_any_packet_is_read_or_refused(packet_type: str, body: JsonObject) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert message is not None


@settings(deadline=None)
@given(
    filled,
    filled,
    texts,
    texts,
    st.lists(filled, unique=True, max_size=4),
    st.none() | filled,
    st.booleans(),
    st.booleans(),
    st.sampled_from([(None, None), (HASH, Payload(70, 1739))]),
)
def test_ours_are_read_as_they_were_sent(
    notification_id: str,
    app: str,
    title: str,
    text: str,
    actions: list[str],
    reply_id: str | None,
    is_clearable: bool,
    is_silent: bool,
    icon: tuple[str | None, Payload | None],
) -> None:
    packet = notification.notify(
        notification_id,
        app,
        title,
        text,
        actions=actions,
        reply_id=reply_id,
        is_clearable=is_clearable,
        is_silent=is_silent,
        icon_hash=icon[0],
        icon=icon[1],
    )
    ticker = f"{title}: {text}" if title and text else title or text

    assert decode_message(packet) == Notification(
        notification_id,
        app=app,
        title=title or None,
        text=text or None,
        ticker=ticker or None,
        is_clearable=is_clearable,
        is_silent=is_silent,
        reply_id=reply_id,
        actions=tuple(actions),
        icon_hash=icon[0],
        icon=icon[1],
    )


@settings(deadline=None)
@given(filled, filled)
def test_answers_are_read_as_they_were_sent(first: str, second: str) -> None:
    for packet, message in (
        (notification.request_all(), NotificationsWanted()),
        (notification.dismiss(first), NotificationDismissed(first)),
        (notification.reply(first, second), NotificationReplied(first, second)),
        (notification.invoke(first, second), NotificationActivated(first, second)),
        (notification.withdraw(first), NotificationRemoved(first)),
    ):
        assert decode_message(packet) == message


def test_ours_have_all_that_receivers_want() -> None:
    assert notification.notify("a", "Home", "Door", "It is open") == Packet(
        TYPE,
        {
            "id": "a",
            "appName": "Home",
            "title": "Door",
            "text": "It is open",
            "ticker": "Door: It is open",
            "isClearable": True,
            "silent": False,
        },
    )


def test_nothing_private_is_shown() -> None:
    secret = "secret"
    shown = repr(
        [
            posted(
                id=secret,
                title=secret,
                text=secret,
                ticker=secret,
                requestReplyId=secret,
                actions=[secret],
                conversation=[{"sender": secret, "content": secret}],
                groupName=secret,
            ),
            ChatMessage(secret, secret),
            NotificationRemoved(secret),
            NotificationDismissed(secret),
            NotificationReplied(secret, secret),
            NotificationActivated(secret, secret),
        ]
    )

    assert secret not in shown
