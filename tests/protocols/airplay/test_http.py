"""Tests of HTTP and RTSP as bytes."""

import contextlib
import time

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.airplay import http
from custom_components.rumpus.protocols.airplay.http import (
    HttpParser,
    HttpProtocol,
    Request,
    Response,
    encode_request,
    encode_response,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)


def parse(data: bytes) -> list[Request | Response]:
    """Return all messages of some bytes."""
    parser = HttpParser()
    parser.feed(data)
    messages = []
    while (message := parser.next_message()) is not None:
        messages.append(message)
    return messages


def head(*lines: str) -> bytes:
    """Return a head of these lines."""
    return "\r\n".join((*lines, "", "")).encode()


def test_request() -> None:
    request = Request("POST", "/feedback", HttpProtocol.RTSP, {"CSeq": "3"})
    data = encode_request(request)
    assert data == b"POST /feedback RTSP/1.0\r\nCSeq: 3\r\n\r\n"
    assert parse(data) == [Request("POST", "/feedback", "RTSP/1.0", {"cseq": "3"})]


def test_request_with_a_body() -> None:
    data = encode_request(Request("POST", "/x", HttpProtocol.HTTP, {}, b"body"))
    assert data == b"POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"


def test_response_always_has_a_length() -> None:
    data = encode_response(Response(200, headers={"CSeq": "1"}))
    assert data == b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n"
    assert b"404 Error" in encode_response(Response(404))


def test_missing_length_means_none() -> None:
    messages = parse(b"RTSP/1.0 200 OK\r\n\r\nHTTP/1.1 470 Connection\r\n\r\n")
    assert messages == [
        Response(200, "RTSP/1.0", {}),
        Response(470, "HTTP/1.1", {}),
    ]


@pytest.mark.parametrize(
    "line",
    ["CSeq:7", "CSeq : 7", "CSeq: 7", "cseq:  7 ", "CSEQ:\t7", "CSeq: 7\r\nCSeq: 8"],
)
def test_lenient_headers(line: str) -> None:
    (message,) = parse(head("RTSP/1.0 200", line))
    assert message.headers == {"cseq": "7"}


def test_text_of_any_language() -> None:
    data = encode_request(Request("GET", "/", headers={"X-Apple-Client-Name": "Küche"}))
    (message,) = parse(data)
    assert message.headers["x-apple-client-name"] == "Küche"
    (message,) = parse(b"RTSP/1.0 200 OK\r\nServer: \xff\r\n\r\n")
    assert message.headers["server"] == "\ufffd"


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/\r\nX: y"),
        Request("GET", "/", headers={"A": "b\r\nC: d"}),
        Request("GET", "/", headers={"A\n": "b"}),
        Request("GET", "/", headers={"A": "b\x0bc"}),
        Request("GET", "/", headers={"A": "b\u2028c"}),
        Request("GET", "/", headers={"A": "\ud800"}),
    ],
)
def test_no_lines_of_others(request_: Request) -> None:
    with pytest.raises(ProtocolError):
        encode_request(request_)


_NAMES = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=10).filter(
    lambda name: name not in {"content-length", "transfer-encoding"}
)
_VALUES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
_MESSAGES = st.builds(
    Request,
    st.sampled_from(["GET", "POST", "SETUP", "SET_PARAMETER"]),
    st.just("/info") | st.just("rtsp://127.0.0.1/17"),
    st.sampled_from(list(HttpProtocol)),
    st.dictionaries(_NAMES, _VALUES, max_size=5),
    st.binary(max_size=300),
) | st.builds(
    Response,
    st.integers(100, 999),
    st.sampled_from(list(HttpProtocol)),
    st.dictionaries(_NAMES, _VALUES, max_size=5),
    st.binary(max_size=300),
)


def _encode(message: Request | Response) -> bytes:
    if isinstance(message, Request):
        return encode_request(message)
    return encode_response(message)


def _without_length(message: Request | Response) -> Request | Response:
    headers = {k: v for k, v in message.headers.items() if k != "content-length"}
    if isinstance(message, Request):
        return Request(
            message.method, message.uri, message.protocol, headers, message.body
        )
    return Response(message.status, message.protocol, headers, message.body)


@given(st.lists(_MESSAGES, max_size=5), st.integers(1, 50))
def test_any_split(messages: list[Request | Response], size: int) -> None:
    data = b"".join(map(_encode, messages))
    parser = HttpParser()
    found = []
    for place in range(0, len(data), size):
        parser.feed(data[place : place + size])
        while (message := parser.next_message()) is not None:
            found.append(_without_length(message))
    assert found == messages
    assert parser.waiting == 0


@given(st.binary(max_size=200), st.sampled_from([b"", b"\r\n\r\n"]))
def test_any_bytes(data: bytes, end: bytes) -> None:
    for start in (b"", b"RTSP/1.0 200 OK\r\n"):
        with contextlib.suppress(ProtocolError):
            parse(start + data + end)


def test_only_one_message_is_taken() -> None:
    """What is behind it may be encrypted."""
    parser = HttpParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\x00\x01\x02")
    message = parser.next_message()
    assert message is not None
    assert message.body == b"ok"
    assert parser.waiting == 3
    assert parser.take_rest() == b"\x00\x01\x02"
    assert parser.waiting == 0
    parser.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    assert parser.next_message() is not None


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        ["HTTP/2 200 OK"],
        ["HTTP/1.1 20 OK"],
        ["HTTP/1.1 2000 OK"],
        ["get / HTTP/1.1"],
        ["GET  HTTP/1.1"],
        ["GET / FTP/1.0"],
        ["RTSP/1.0 200 OK", "no header"],
        ["RTSP/1.0 200 OK", ": value"],
        ["RTSP/1.0 200 OK", "na me: value"],
        ["RTSP/1.0 200 OK", "Content-Length: -1"],
        ["RTSP/1.0 200 OK", "Content-Length: 1x"],
        ["RTSP/1.0 200 OK", "Content-Length: \u0664"],
        ["RTSP/1.0 200 OK", "Content-Length: "],
        ["RTSP/1.0 200 OK", f"Content-Length: {'9' * 13}"],
        ["RTSP/1.0 200 OK", "Transfer-Encoding: chunked"],
    ],
)
def test_nonsense(lines: list[str]) -> None:
    with pytest.raises(ProtocolError):
        parse(head(*lines))


def test_max_start_line() -> None:
    line = "GET /" + "x" * http.MAX_START_LINE
    fits = line[: http.MAX_START_LINE - len(" RTSP/1.0")] + " RTSP/1.0"
    assert len(parse(head(fits))) == 1
    with pytest.raises(MessageTooLargeError):
        parse(head(line + " RTSP/1.0"))


def test_max_headers() -> None:
    lines = [f"A{number}: b" for number in range(http.MAX_HEADERS)]
    assert len(parse(head("RTSP/1.0 200 OK", *lines))) == 1
    with pytest.raises(MessageTooLargeError):
        parse(head("RTSP/1.0 200 OK", *lines, "one: more"))


def test_max_head() -> None:
    def data(size: int) -> bytes:
        short = head("RTSP/1.0 200 OK", "A: ")
        return head("RTSP/1.0 200 OK", "A: " + "x" * (size - len(short)))

    assert len(parse(data(http.MAX_HEAD))) == 1
    with pytest.raises(MessageTooLargeError):
        parse(data(http.MAX_HEAD + 1))
    with pytest.raises(MessageTooLargeError):
        parse(bytes(http.MAX_HEAD))


def test_max_body() -> None:
    lines = ["RTSP/1.0 200 OK", f"Content-Length: {http.MAX_BODY}"]
    (message,) = parse(head(*lines) + bytes(http.MAX_BODY))
    assert len(message.body) == http.MAX_BODY
    lines[1] = f"Content-Length: {http.MAX_BODY + 1}"
    with pytest.raises(MessageTooLargeError):
        parse(head(*lines))


def test_time_is_linear() -> None:
    """A head that comes byte by byte is not looked through again and again."""

    def seconds(data: bytes) -> float:
        parser = HttpParser()
        start = time.thread_time()
        for byte in data:
            parser.feed(bytes((byte,)))
            parser.next_message()
        return time.thread_time() - start

    small = min(seconds(head("RTSP/1.0 200 OK", "A: " + "x" * 3000)) for _ in range(3))
    large = min(seconds(head("RTSP/1.0 200 OK", "A: " + "x" * 30000)) for _ in range(2))
    assert large < 30 * small


def test_bodies_are_not_shown() -> None:
    assert "secret" not in repr(Request("GET", "/", body=b"secret"))
    assert "secret" not in repr(Response(200, body=b"secret"))
