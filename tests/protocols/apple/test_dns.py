"""The DNS of service discovery (the Apple TV reference, part A, sections 1.4 and 10.12)."""

import struct

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.apple import dns
from custom_components.rumpus.protocols.apple.dns import (
    MAX_DATAGRAM,
    MAX_LABEL,
    MAX_LABELS,
    MAX_NAME,
    MAX_POINTERS,
    MAX_QUESTIONS,
    MAX_RECORDS,
    MAX_TEXTS,
    AddressRecord,
    Message,
    PointerRecord,
    Question,
    RecordType,
    ServiceRecord,
    TextRecord,
    decode,
    encode_name,
    encode_query,
    split_texts,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from tests.fakes.apple_tv_dns import (
    PTR,
    SRV,
    TXT,
    A,
    Question as FakeQuestion,
    Record,
    Response,
    labels_of,
    parse_query,
)

AIRPLAY = ("_airplay", "_tcp", "local")
PROXY = ("_sleep-proxy", "_udp", "local")
ROOM = ("Living Room", *AIRPLAY)

PTR_QUERY = bytes.fromhex(
    "35ff01200002000000000000085f616972706c6179045f746370056c6f63616c00000c80010c5f"
    "736c6565702d70726f7879045f756470056c6f63616c00000c8001"
)
ANY_QUERY = bytes.fromhex(
    "35ff012000020000000000000b4c6976696e6720526f6f6d085f616972706c6179045f74637005"
    "6c6f63616c0000ff80010c5f736c6565702d70726f7879045f756470056c6f63616c0000ff8001"
)
ANSWER = bytes.fromhex(
    "000008400002000100000004085f616972706c6179045f746370056c6f63616c00000c80010c5f"
    "736c6565702d70726f7879045f756470056c6f63616c00000c8001085f616972706c6179045f74"
    "6370056c6f63616c00000c00010000000a00210b4c6976696e6720526f6f6d085f616972706c61"
    "79045f746370056c6f63616c000b4c6976696e6720526f6f6d085f616972706c6179045f746370"
    "056c6f63616c00002100010000000a0019000000001b580b4c6976696e6720526f6f6d056c6f63"
    "616c000b4c6976696e6720526f6f6d056c6f63616c00000100010000000a00040a0000090b4c69"
    "76696e6720526f6f6d085f616972706c6179045f746370056c6f63616c00001000010000000a00"
    "431a64657669636569643d41413a42423a43433a44443a45453a46460c66656174757265733d30"
    "7831106d6f64656c3d4170706c655456362c3209666c6167733d3078380b4c6976696e6720526f"
    "6f6d0c5f6465766963652d696e666f045f746370056c6f63616c00001000010000000a0011106d"
    "6f64656c3d4170706c655456362c32"
)


def header(questions: int, records: int) -> bytes:
    """Return the first bytes of an answer."""
    return struct.pack(">6H", 0, 0x8400, questions, records, 0, 0)


def record(name: bytes, type_: int, data: bytes) -> bytes:
    """Return one record."""
    return name + struct.pack(">HHIH", type_, 1, 10, len(data)) + data


def test_queries_are_those_of_the_reference() -> None:
    assert (
        encode_query(
            [Question(AIRPLAY, RecordType.PTR), Question(PROXY, RecordType.PTR)]
        )
        == PTR_QUERY
    )
    assert (
        encode_query([Question(ROOM, RecordType.ANY), Question(PROXY, RecordType.ANY)])
        == ANY_QUERY
    )


def test_the_answer_of_the_reference_is_read() -> None:
    assert decode(ANSWER) == Message(
        0,
        0x0840,
        (Question(AIRPLAY, RecordType.PTR), Question(PROXY, RecordType.PTR)),
        (
            PointerRecord(AIRPLAY, ROOM),
            ServiceRecord(ROOM, 7000, ("Living Room", "local")),
            AddressRecord(("Living Room", "local"), "10.0.0.9"),
            TextRecord(
                ROOM,
                (
                    b"deviceid=AA:BB:CC:DD:EE:FF",
                    b"features=0x1",
                    b"model=AppleTV6,2",
                    b"flags=0x8",
                ),
            ),
            TextRecord(
                ("Living Room", "_device-info", "_tcp", "local"), (b"model=AppleTV6,2",)
            ),
        ),
    )


def test_a_dot_stays_inside_of_its_label() -> None:
    name = encode_name(("Foo.Bar", *AIRPLAY))
    assert name.hex() == "07466f6f2e426172085f616972706c6179045f746370056c6f63616c00"
    assert decode(header(1, 0) + name + b"\0\x0c\0\1").questions[0].name == (
        "Foo.Bar",
        *AIRPLAY,
    )


def test_long_labels_are_cut_between_characters() -> None:
    # Two bytes for each of the 32 characters: the last one does not fit.
    assert encode_name(("\u00e9" * 32,)) == b"\x3e" + "\u00e9".encode() * 31 + b"\0"
    # What is written with two characters becomes one.
    assert encode_name(("e\u0301",)) == b"\x02" + "\u00e9".encode() + b"\0"
    with pytest.raises(ProtocolError):
        encode_name(("",))


def test_labels_of_other_programs_are_read() -> None:
    labels = b"\x0fxn--bcher-kva.x\x06xn--\xff\xff\x02\xffa\0"
    question = decode(header(1, 0) + labels + b"\0\x0c\0\1").questions[0]
    assert question.name == ("bücher.x", "xn--\ufffd\ufffd", "\ufffda")


def test_records_of_other_types_are_passed_over() -> None:
    data = header(0, 2) + record(b"\0", 28, bytes(16)) + record(b"\1a\0", 1, bytes(4))
    assert decode(data).records == (AddressRecord(("a",), "0.0.0.0"),)  # noqa: S104


labels = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda label: not label.lower().startswith("xn--"))
names = st.lists(labels, min_size=1, max_size=4).map(tuple)


def normalized(name: dns.Name) -> dns.Name:
    """Return what becomes of a name when it is written."""
    return decode(header(1, 0) + encode_name(name) + b"\0\x0c\0\1").questions[0].name


@given(st.lists(st.builds(Question, names, st.sampled_from(RecordType)), max_size=9))
def test_what_is_asked_can_be_read(questions: list[Question]) -> None:
    message = decode(encode_query(questions, message_id=7))
    expected = [Question(normalized(one.name), one.type) for one in questions]
    assert (message.id, list(message.questions)) == (7, expected)
    assert [FakeQuestion(one.name, one.type) for one in expected] == parse_query(
        encode_query(expected)
    )[1]


host = st.from_regex(r"[a-z]{1,9}", fullmatch=True).map(lambda text: (text, "local"))
fake_records = st.one_of(
    st.builds(Record, host, st.just(PTR), host),
    st.builds(Record, host, st.just(SRV), st.tuples(st.integers(0, 65535), host)),
    st.builds(Record, host, st.just(A), st.binary(min_size=4, max_size=4)),
    st.builds(
        Record,
        host,
        st.just(TXT),
        st.binary(max_size=9).map(lambda b: bytes([len(b)]) + b),
    ),
)


@given(st.lists(fake_records, max_size=12))
def test_compressed_answers_are_read(records: list[Record]) -> None:
    data = Response(3, [FakeQuestion(labels_of("a.local"), PTR)]).build(records, [])
    message = decode(data)
    assert [one.name for one in message.records] == [one.name for one in records]
    for mine, theirs in zip(message.records, records, strict=True):
        match mine:
            case PointerRecord(target=target):
                assert target == theirs.data
            case ServiceRecord(port=port, target=target):
                assert (port, target) == theirs.data
            case TextRecord(texts=texts):
                assert b"".join(bytes([len(t)]) + t for t in texts) == theirs.data
            case AddressRecord(address=address):
                assert bytes(map(int, address.split("."))) == theirs.data


@given(st.binary(max_size=300))
def test_noise_is_refused_or_read(data: bytes) -> None:
    try:
        message = decode(data)
    except ProtocolError:
        return
    assert isinstance(message, Message)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        header(1, 0),
        header(1, 0) + b"\1a",
        header(1, 0) + b"\1a\0\0",
        header(1, 0) + b"\xc0",
        header(1, 0) + b"\x05ab",
        header(1, 0) + b"\x41" + b"a" * 65 + b"\0\0\1\0\1",
        header(0, 1) + b"\0\0\1",
        header(0, 1) + b"\0" + struct.pack(">HHIH", 1, 1, 1, 9),
        header(0, 1) + record(b"\0", RecordType.A, b"123"),
        header(0, 1) + record(b"\0", RecordType.SRV, b"12345"),
        header(0, 1) + record(b"\0", RecordType.SRV, b"123456"),
        header(0, 1) + record(b"\0", RecordType.PTR, b"\1a"),
        header(0, 1) + record(b"\0", RecordType.TXT, b"\2a"),
    ],
)
def test_messages_that_end_too_early(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(data)


@pytest.mark.parametrize("pointer", [b"\xc0\x0c", b"\xc0\x0e", b"\xff\xff"])
def test_names_do_not_go_round_in_circles(pointer: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(header(1, 0) + pointer + b"\0\x0c\0\1")


def test_limit_of_pointers() -> None:
    def chain(count: int) -> bytes:
        # A name, then pointers that each lead to the one before.
        data = header(0, 1) + b"\1a\0" + struct.pack(">HHIH", 99, 1, 1, 2 * count)
        place = 12
        for _ in range(count):
            data += struct.pack(">H", 0xC000 | place)
            place = len(data) - 2
        question = struct.pack(">H", 0xC000 | place) + struct.pack(">HHIH", 1, 1, 1, 4)
        data += question + b"\1\2\3\4"
        return data[:6] + b"\0\2" + data[8:]

    assert decode(chain(MAX_POINTERS - 1)).records == (
        AddressRecord(("a",), "1.2.3.4"),
    )
    with pytest.raises(MessageTooLargeError):
        decode(chain(MAX_POINTERS))


def test_limit_of_a_datagram() -> None:
    filled = header(0, 1) + record(b"\0", 99, bytes(MAX_DATAGRAM - 23))
    assert len(filled) == MAX_DATAGRAM
    assert decode(filled).records == ()
    with pytest.raises(MessageTooLargeError):
        decode(filled + b"\0")


def test_limit_of_questions() -> None:
    question = b"\0\0\x0c\0\1"
    assert len(decode(header(MAX_QUESTIONS, 0) + question * MAX_QUESTIONS).questions)
    with pytest.raises(MessageTooLargeError):
        decode(header(MAX_QUESTIONS + 1, 0) + question * (MAX_QUESTIONS + 1))
    with pytest.raises(MessageTooLargeError):
        encode_query([Question(AIRPLAY, RecordType.PTR)] * (MAX_QUESTIONS + 1))


def test_limit_of_records() -> None:
    one = record(b"\0", RecordType.A, bytes(4))
    assert (
        len(decode(header(0, MAX_RECORDS) + one * MAX_RECORDS).records) == MAX_RECORDS
    )
    with pytest.raises(MessageTooLargeError):
        decode(header(0, MAX_RECORDS + 1) + one * (MAX_RECORDS + 1))


def test_limit_of_a_name() -> None:
    labels = [b"\x3f" + b"a" * MAX_LABEL] * 3
    longest = b"".join(labels) + b"\x3d" + b"a" * 61 + b"\0"
    assert len(longest) == MAX_NAME
    assert len(decode(header(1, 0) + longest + b"\0\1\0\1").questions[0].name) == 4
    with pytest.raises(MessageTooLargeError):
        decode(header(1, 0) + b"".join(labels) + b"\x3e" + b"a" * 62 + b"\0\0\1\0\1")
    with pytest.raises(MessageTooLargeError):
        encode_name(("a" * MAX_LABEL,) * 4)


def many_names(label: bytes, count: int) -> bytes:
    """Return questions for as many as possible of a name, written once."""
    name = (bytes([len(label)]) + label) * count + b"\0"
    rest = b"\xc0\x0c\0\x0c\0\1" * (MAX_QUESTIONS - 1)
    return header(MAX_QUESTIONS, 0) + name + b"\0\x0c\0\1" + rest


def test_limit_of_labels() -> None:
    each = MAX_LABELS // MAX_QUESTIONS
    message = decode(many_names(b"a", each))
    assert sum(len(one.name) for one in message.questions) == MAX_LABELS
    with pytest.raises(MessageTooLargeError):
        decode(many_names(b"a", each + 1))


def test_a_label_of_other_programs_is_decoded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[bytes] = []

    def note(label: bytes) -> str:
        decoded.append(label)
        return "b"

    monkeypatch.setattr(dns, "_decode_label", note)
    message = decode(many_names(b"xn--a", 3))
    assert {one.name for one in message.questions} == {("b",) * 3}
    assert decoded == [b"xn--a"]


def test_limit_of_texts() -> None:
    assert len(split_texts(b"\1a" * MAX_TEXTS)) == MAX_TEXTS
    with pytest.raises(MessageTooLargeError):
        split_texts(b"\1a" * (MAX_TEXTS + 1))
