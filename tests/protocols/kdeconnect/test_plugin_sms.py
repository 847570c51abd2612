"""Packets about text messages."""

import base64

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, json_values, texts
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_fields import get_objects
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, sms
from custom_components.rumpus.protocols.kdeconnect.plugins.sms import (
    MAX_ADDRESS,
    MAX_ADDRESSES,
    MAX_ALL_ATTACHMENTS,
    MAX_ATTACHMENTS,
    MAX_BODY,
    MAX_MESSAGES,
    MAX_RECIPIENTS,
    MAX_SENT_ATTACHMENTS,
    MAX_SENT_TEXT,
    MAX_THUMBNAIL,
    MAX_UNIQUE_IDENTIFIER,
    Attachment,
    AttachmentFile,
    MessageKind,
    OutgoingAttachment,
    TextMessage,
    TextMessages,
)

TYPE = "kdeconnect.sms.messages"
TYPE_FILE = "kdeconnect.sms.attachment_file"
REQUEST = "kdeconnect.sms.request"
NUMBER = "+15550001"
MINIMUM: JsonObject = {"_id": 1, "thread_id": 2, "date": 3, "type": 1}


def read(entries: JsonValue) -> TextMessages:
    """Return the messages in a packet."""
    message = decode_message(Packet(TYPE, {"version": 2, "messages": entries}))
    assert isinstance(message, TextMessages)
    return message


def one(**fields: JsonValue) -> TextMessage:
    """Return a message that has the least, and some fields."""
    [message] = read([{**MINIMUM, **fields}]).messages
    return message


def attached(**fields: JsonValue) -> tuple[Attachment, ...]:
    """Return the attachments of a message with one."""
    entry: JsonObject = {"part_id": 5, "unique_identifier": "PART_1", **fields}
    return one(attachments=[entry]).attachments


def test_message_with_everything() -> None:
    picture = base64.b64encode(b"\x89PNG").decode()

    assert one(
        _id=12,
        thread_id="7",
        addresses=[{"address": NUMBER}, {"address": "+15550002"}],
        body="hello",
        date=1795250084961,
        type=2,
        read=1,
        sub_id=3,
        event=3,
        attachments=[
            {
                "part_id": 9,
                "mime_type": "image/png",
                "encoded_thumbnail": picture,
                "unique_identifier": "PART_1_a.png",
            }
        ],
    ) == TextMessage(
        12,
        7,
        1795250084961,
        MessageKind.SENT,
        addresses=(NUMBER, "+15550002"),
        body="hello",
        is_read=True,
        is_group=True,
        sub_id=3,
        attachments=(Attachment(9, "image/png", "PART_1_a.png", picture),),
    )


def test_message_with_the_least() -> None:
    assert one() == TextMessage(1, 2, 3, MessageKind.RECEIVED)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        *((int(kind), kind) for kind in MessageKind),
        (7, MessageKind.UNKNOWN),
        (None, MessageKind.UNKNOWN),
        ("sent", MessageKind.UNKNOWN),
    ],
)
def test_unknown_kinds_survive(value: JsonValue, kind: MessageKind) -> None:
    assert one(type=value).kind is kind


@pytest.mark.parametrize("field", ["_id", "thread_id", "date"])
@pytest.mark.parametrize("value", [None, "x", [], True])
def test_messages_of_no_use_are_left_out(field: str, value: JsonValue) -> None:
    assert read([{**MINIMUM, field: value}, {**MINIMUM}]).messages == (
        TextMessage(1, 2, 3, MessageKind.RECEIVED),
    )


def test_members_of_wrong_types_are_empty() -> None:
    assert one(
        addresses=[{"address": ""}, {}, NUMBER, {"address": [NUMBER]}],
        body=7,
        read="yes",
        sub_id={},
        event="group",
        attachments=[{"part_id": 1}, {"unique_identifier": "a"}, 7],
    ) == TextMessage(1, 2, 3, MessageKind.RECEIVED)


def test_threads() -> None:
    entries: list[JsonValue] = [
        {**MINIMUM, "_id": number, "thread_id": number % 2} for number in range(4)
    ]

    assert read(entries).threads == {0, 1}
    assert read([]).threads == frozenset()


@pytest.mark.parametrize("entries", [None, {}, "x", 7])
def test_no_list_is_refused(entries: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        read(entries)


@pytest.mark.parametrize("picture", [None, "", "A", "***"])
def test_unreadable_previews_are_none(picture: JsonValue) -> None:
    [attachment] = attached(encoded_thumbnail=picture)

    assert attachment.thumbnail is None


def test_preview_is_decoded_when_it_is_read() -> None:
    [attachment] = attached(encoded_thumbnail=base64.encodebytes(b"p" * 99).decode())

    assert attachment.thumbnail == b"p" * 99


def test_attachment_file() -> None:
    packet = Packet(TYPE_FILE, {"filename": "PART_1_a.png"}, Payload(4, 1739))

    assert decode_message(packet) == AttachmentFile("PART_1_a.png", Payload(4, 1739))


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ({"filename": "a"}, None),
        ({}, Payload(4, 1739)),
        ({"filename": ""}, Payload(4, 1739)),
    ],
)
def test_attachment_file_of_no_use_is_refused(
    body: JsonObject, payload: Payload | None
) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE_FILE, body, payload))


def test_limit_of_messages() -> None:
    entries: list[JsonValue] = [
        {**MINIMUM, "_id": number} for number in range(MAX_MESSAGES + 1)
    ]

    assert [message.id for message in read(entries).messages] == list(
        range(MAX_MESSAGES)
    )


def test_limit_of_addresses() -> None:
    entries: list[JsonValue] = [
        {"address": str(number)} for number in range(MAX_ADDRESSES + 1)
    ]

    assert one(addresses=entries).addresses == tuple(map(str, range(MAX_ADDRESSES)))


def test_limit_of_address() -> None:
    fitting = "a" * MAX_ADDRESS

    assert one(
        addresses=[{"address": fitting + "a"}, {"address": fitting}]
    ).addresses == (fitting,)


def test_limit_of_body() -> None:
    text = "b" * (MAX_BODY + 1)

    assert one(body=text).body == text[:-1]


def test_limit_of_attachments() -> None:
    entries: list[JsonValue] = [
        {"part_id": number, "unique_identifier": "a"}
        for number in range(MAX_ATTACHMENTS + 1)
    ]

    assert [item.part_id for item in one(attachments=entries).attachments] == list(
        range(MAX_ATTACHMENTS)
    )


def test_limit_of_all_attachments() -> None:
    """Those of all messages together; the messages themselves are read on."""
    entries: list[JsonValue] = [
        {"part_id": number, "unique_identifier": "a"}
        for number in range(MAX_ATTACHMENTS - 1)
    ]
    messages: list[JsonValue] = [
        {**MINIMUM, "_id": number, "attachments": entries} for number in range(300)
    ]

    counts = [len(message.attachments) for message in read(messages).messages]

    assert len(counts) == 300
    assert sum(counts) == MAX_ALL_ATTACHMENTS
    assert counts == sorted(counts, reverse=True)


def test_limit_of_unique_identifier() -> None:
    fitting = "u" * MAX_UNIQUE_IDENTIFIER

    assert len(attached(unique_identifier=fitting)) == 1
    assert attached(unique_identifier=fitting + "u") == ()


def test_limit_of_file_name() -> None:
    name = "f" * (MAX_UNIQUE_IDENTIFIER + 1)

    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE_FILE, {"filename": name}, Payload(4, 1739)))


def test_limit_of_thumbnail() -> None:
    bigger = base64.b64encode(bytes(MAX_THUMBNAIL + 1)).decode()

    [attachment] = attached(encoded_thumbnail=bigger)
    assert attachment.thumbnail is None
    [attachment] = attached(encoded_thumbnail=bigger * 3)
    assert attachment.encoded_thumbnail is None


@settings(deadline=None)
@given(bodies("messages", "filename"), st.sampled_from([TYPE, TYPE_FILE]))
def test_any_packet_is_read_or_refused(body: JsonObject, packet_type: str) -> None:
    try:
        message = decode_message(Packet(packet_type, body, Payload(4, 1739)))
    except ProtocolError:
        return
    assert isinstance(message, TextMessages | AttachmentFile)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["addresses", "body", "type", "read", "sub_id", "event", "attachments"]
        ),
        json_values
        | st.lists(
            st.dictionaries(
                st.sampled_from(["address", "part_id", "unique_identifier"]),
                json_values,
            ),
            max_size=3,
        ),
    )
)
def test_any_message_with_the_least_is_read(fields: dict[str, JsonValue]) -> None:
    message = one(**fields)

    assert (message.id, message.thread_id) == (1, 2)
    assert all(message.addresses)


def test_nothing_private_is_shown() -> None:
    shown = repr(
        [
            one(
                addresses=[{"address": "secret"}],
                body="secret",
                attachments=[
                    {
                        "part_id": 1,
                        "unique_identifier": "secret",
                        "encoded_thumbnail": "secret",
                    }
                ],
            ),
            AttachmentFile("secret", Payload(1, 1739)),
            OutgoingAttachment("secret", "text/plain", b"secret"),
            sms.send(["secret"], "secret"),
        ]
    )

    assert "secret" not in shown


def test_capture_of_kde_sending() -> None:
    assert sms.send([NUMBER], "hello sms") == Packet(
        REQUEST,
        {
            "addresses": [{"address": NUMBER}],
            "messageBody": "hello sms",
            "version": 2,
        },
    )


def test_sending_pictures_to_several_people() -> None:
    files = [OutgoingAttachment("a.png", "image/png", b"\x89PNG")]

    assert sms.send([NUMBER, "2"], "", files, sub_id=3).body == {
        "version": 2,
        "addresses": [{"address": NUMBER}, {"address": "2"}],
        "messageBody": "",
        "subID": 3,
        "attachments": [
            {
                "fileName": "a.png",
                "base64EncodedFile": "iVBORw==",
                "mimeType": "image/png",
            }
        ],
    }


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=100), texts)
def test_sent_files_are_whole(data: bytes, text: str) -> None:
    body = sms.send([NUMBER], text, [OutgoingAttachment("a", "b/c", data)]).body

    [file] = get_objects(body, "attachments") or ()
    encoded = file["base64EncodedFile"]
    assert isinstance(encoded, str)
    assert base64.b64decode(encoded, validate=True) == data
    assert body["messageBody"] == text


@pytest.mark.parametrize(
    ("addresses", "text"), [([], "hello"), ([NUMBER, ""], "hello"), ([NUMBER], "")]
)
def test_nobody_and_nothing_cannot_be_sent(addresses: list[str], text: str) -> None:
    with pytest.raises(ProtocolError):
        sms.send(addresses, text)


def test_limit_of_recipients() -> None:
    sms.send([NUMBER] * MAX_RECIPIENTS, "hello")
    with pytest.raises(MessageTooLargeError):
        sms.send([NUMBER] * (MAX_RECIPIENTS + 1), "hello")


def test_limit_of_sent_text() -> None:
    sms.send([NUMBER], "t" * MAX_SENT_TEXT)
    with pytest.raises(MessageTooLargeError):
        sms.send([NUMBER], "t" * (MAX_SENT_TEXT + 1))


def test_limit_of_number_of_sent_attachments() -> None:
    file = OutgoingAttachment("a", "b/c", b"d")

    sms.send([NUMBER], "", [file] * MAX_ATTACHMENTS)
    with pytest.raises(MessageTooLargeError):
        sms.send([NUMBER], "", [file] * (MAX_ATTACHMENTS + 1))


def test_limit_of_sent_attachments() -> None:
    half = OutgoingAttachment("a", "b/c", bytes(MAX_SENT_ATTACHMENTS // 2))
    rest = OutgoingAttachment("a", "b/c", b"d")

    sms.send([NUMBER], "", [half, half])
    with pytest.raises(MessageTooLargeError):
        sms.send([NUMBER], "", [half, half, rest])


def test_requests() -> None:
    assert sms.request_conversations() == Packet(
        "kdeconnect.sms.request_conversations", {}
    )
    assert sms.request_conversation(7) == Packet(
        "kdeconnect.sms.request_conversation", {"threadID": 7}
    )
    assert sms.request_conversation(7, before_ms=5, count=10).body == {
        "threadID": 7,
        "rangeStartTimestamp": 5,
        "numberToRequest": 10,
    }
    assert sms.request_attachment(9, "PART_1") == Packet(
        "kdeconnect.sms.request_attachment",
        {"part_id": 9, "unique_identifier": "PART_1"},
    )
