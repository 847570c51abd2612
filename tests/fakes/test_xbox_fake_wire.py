"""The fake console's wire code against the vectors of the reference, section 17."""

import base64
import hashlib
import json
import uuid

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, strategies as st
import pytest

from tests.fakes.xbox_crypto import (
    CURVES,
    KEY_TYPES,
    VECTOR_CLIENT_PRIVATE,
    AuxCipher,
    Curve,
    SessionKeys,
    console_credentials,
    point_bytes,
    vector_credentials,
)
from tests.fakes.xbox_json import JsonAssembly, JsonObject, read_object, split_json
from tests.fakes.xbox_vectors import (
    AGREEMENTS,
    CONNECT_ANONYMOUS,
    CONNECT_RESPONSE,
    DISCOVERY_REQUEST,
    DISCOVERY_RESPONSE,
    FRAGMENT_0,
    FRAGMENT_1,
    MESSAGES,
    POWER_ON,
)
from tests.fakes.xbox_wire import (
    Fields,
    Header,
    WireError,
    decode,
    discovery_request,
    discovery_response,
    encode,
    power_on,
    read_discovery_response,
    read_fragment,
    split_message,
    unpack_simple,
)

CLIENT_UUID = uuid.UUID("b3a4c5d6-1122-4334-8556-6778899aabbc").bytes


def keys() -> SessionKeys:
    """Return the keys of the vectors."""
    return SessionKeys.expanded(bytes.fromhex(AGREEMENTS[0][4]))


def client_point() -> bytes:
    """Return the public key of the vectors' client."""
    key = ec.derive_private_key(VECTOR_CLIENT_PRIVATE, ec.SECP256R1())
    return point_bytes(key.public_key())


def messages() -> list[tuple[str, Header, Fields, bytes]]:
    """Return the messages of the vectors."""
    found = []
    for block in MESSAGES.strip().split("\n\n"):
        head, payload, *hexes = block.split("\n")
        name, *words = head.split()
        sequence, target, source, channel, ack, kind = (int(w, 0) for w in words)
        header = Header(sequence, target, source, kind, channel, need_ack=bool(ack))
        found.append((name, header, json.loads(payload), bytes.fromhex("".join(hexes))))
    return found


@pytest.mark.parametrize("agreement", range(4))
def test_agreement(agreement: int) -> None:
    curve, console, client, secret, expanded = AGREEMENTS[agreement]
    assert curve in KEY_TYPES
    one, two = (
        ec.derive_private_key(int(number, 16), CURVES[curve])
        for number in (console, client)
    )
    wanted = SessionKeys.expanded(bytes.fromhex(expanded))
    assert SessionKeys.agreed(one, point_bytes(two.public_key())) == wanted
    assert SessionKeys.agreed(two, point_bytes(one.public_key())) == wanted
    assert one.exchange(ec.ECDH(), two.public_key()).hex() == secret


def test_simple_packets() -> None:
    assert discovery_request().hex() == DISCOVERY_REQUEST
    assert power_on("FD00112233445566").hex() == POWER_ON
    credentials = vector_credentials()
    described = (6, "LivingRoom", "0D7C9C1A-3F2B-4E6D-8A90-B1C2D3E4F506")
    response = discovery_response(*described, credentials.certificate)
    assert response.hex() == DISCOVERY_RESPONSE
    assert read_discovery_response(response) == (*described, credentials.certificate)
    key = x509.load_der_x509_certificate(credentials.certificate).public_key()
    assert key == credentials.key.public_key()


def test_connect_packets() -> None:
    request = bytes.fromhex(CONNECT_ANONYMOUS)
    iv = bytes(range(0xA0, 0xB0))
    assert keys().connect_request(CLIENT_UUID, client_point(), iv=iv) == request
    plaintext = keys().open_simple(unpack_simple(request), request)
    assert plaintext.hex() == "000000000000000000000000000000000001"
    response = bytes.fromhex(CONNECT_RESPONSE)
    iv = bytes(range(0xC0, 0xD0))
    assert keys().connect_response(0, 0, 31, iv) == response


def test_fragmented_connect() -> None:
    token = ".".join(f"{number:06}" for number in range(200))
    userhash = "2533274812345678901"
    parts = [(userhash, token[:889], 0), ("", token[889:], 1)]
    digests = [
        hashlib.sha256(
            keys().connect_request(
                CLIENT_UUID, client_point(), user, part, (n, 0, 2), bytes([n + 1]) * 16
            )
        ).hexdigest()
        for user, part, n in parts
    ]
    assert digests == [
        "1ce1ca90c4c67dc58bb13a3e6c017d6fcab2c1ec463b55d39c97747f7c746bb1",
        "6b20db32f8d94e7288d894b5f42523c59cf1f9d27a5dda2b6da086273453de3a",
    ]


@pytest.mark.parametrize("vector", messages(), ids=lambda vector: vector[0])
def test_messages(vector: tuple[str, Header, Fields, bytes]) -> None:
    _, header, fields, datagram = vector
    opened, plaintext = keys().open(datagram)
    assert opened == header
    assert decode(header.message_type, plaintext) == fields
    assert encode(header.message_type, fields) == plaintext
    assert keys().seal(header, plaintext) == datagram


def test_message_fragments() -> None:
    whole = next(fields for name, _, fields, _ in messages() if name == "media_state")
    pieces = split_message(encode("media_state", whole), 40, 96)
    joined = b""
    for number, (piece, vector) in enumerate(
        zip(pieces, (FRAGMENT_0, FRAGMENT_1), strict=True)
    ):
        header = Header(
            40 + number, 31, 0, 0xF03, 0x96, need_ack=True, is_fragment=True
        )
        assert keys().seal(header, piece).hex() == vector
        begin, end, data = read_fragment(piece)
        assert (begin, end) == (40, 42)
        joined += data
    assert decode("media_state", joined) == whole


def test_json_fragments() -> None:
    text = (
        '{"response":"GetConfiguration","msgid":"0000beef.1","params":[{"device_id":'
        '"0","device_type":"tv","buttons":{"btn.power":"Power"}}]}'
    )
    body = read_object(text)
    texts = split_json(body, 7, limit=100, piece=80)
    assert texts[2] == (
        '{"datagram_size":"176","datagram_id":"7","fragment_offset":"160",'
        '"fragment_length":"16","fragment_data":"OiJQb3dlciJ9fV19"}'
    )
    assembly = JsonAssembly()
    found = [assembly.add(5, one) for one in (texts[2], texts[0], texts[0], texts[1])]
    assert found == [None, None, None, body]
    assert assembly.add(5, text) == body


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "no",
        '{"fragment_data":"abc"}',
        (
            '{"datagram_size":"3","datagram_id":"1","fragment_offset":"0",'
            '"fragment_length":"2","fragment_data":"abc"}'
        ),
        (
            '{"datagram_size":"3","datagram_id":"1","fragment_offset":"0",'
            '"fragment_length":"3","fragment_data":"abc"}'
        ),
        (
            '{"datagram_size":"4","datagram_id":"1","fragment_offset":"0",'
            f'"fragment_length":"4","fragment_data":"{base64.b64encode(b"[1]").decode()}"}}'
        ),
    ],
)
def test_wrong_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"object|Expecting|fragment"):
        JsonAssembly().add(1, text)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=40))
def test_json_of_any_length(body: JsonObject) -> None:
    assembly = JsonAssembly()
    if "fragment_data" not in body:
        results = [assembly.add(1, text) for text in split_json(body, 1, 64, 30)]
        assert results[-1] == body


def test_auxiliary_stream() -> None:
    key, mac = bytes(range(0x10, 0x20)), bytes(range(0x40, 0x60))
    vectors = {
        0x30: [
            (
                bytes(5),
                (
                    "dead000540e52e5b0e7a3cb809db4ec4659ae3ff9a2d93bb12d405374f2cea28b240"
                    "e1fa5a8c1f81061b30c3d824c951c5b25177"
                ),
            ),
            (
                b"hello title stream",
                (
                    "dead0012b8c6f369876072fa76e04672cd91d8fa3728f7a536fdea193c8e3e12b4ee"
                    "d5118042d8208e936b613bf070b0f42310b7fc84d38648f45fa8652cd30efd35c34d"
                ),
            ),
        ],
        0x20: [
            (
                bytes(range(16)),
                (
                    "dead001010a9eca095d483c8df71ea2e41a1cd28546cdf0d28418dc5a0e9bac72ece"
                    "ebb21142e3175666b80abba3be5b34c547ca"
                ),
            ),
            (
                b"second frame",
                (
                    "dead000cfbe18848966777c4f2b597dae7bf18bcc286840c78c1dfed60a82aadc7f5"
                    "9da5bf9e5a3ff5c4ddd907bbe547c1f43424"
                ),
            ),
        ],
    }
    for start, frames in vectors.items():
        iv = bytes(range(start, start + 16))
        sealing, opening = AuxCipher(key, iv, mac), AuxCipher(key, iv, mac)
        for plaintext, frame in frames:
            assert sealing.seal(plaintext).hex() == frame
            assert opening.open(bytes.fromhex(frame)) == plaintext
    sealing = opening = AuxCipher(key, bytes(16), mac)
    with pytest.raises(WireError, match="MAC"):
        opening.open(sealing.seal(b"x")[:-1] + b"\0")
    with pytest.raises(WireError, match="frame"):
        opening.open(bytes(52))


# --- what is refused (section 17.9) ---


def test_flipped_bits() -> None:
    datagram = messages()[3][3]
    for bit in range(0, len(datagram) * 8, 5):
        wrong = bytearray(datagram)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            keys().open(bytes(wrong))
    with pytest.raises(WireError, match="sizes"):
        keys().open(datagram[:-1])
    request = bytearray.fromhex(CONNECT_ANONYMOUS)
    request[60] ^= 1
    with pytest.raises(WireError, match="curve"):
        SessionKeys.agreed(vector_credentials().key, bytes(request[26:90]))


def test_malformed_messages() -> None:
    for name, _, fields, _ in messages():
        if name == "aux_hello" or "connection_info" in fields:
            continue
        plaintext = encode(
            next(h.message_type for n, h, _, _ in messages() if n == name), fields
        )
        kind = next(h.message_type for n, h, _, _ in messages() if n == name)
        with pytest.raises(WireError):
            decode(kind, plaintext[:-1])
        with pytest.raises(WireError):
            decode(kind, plaintext + b"\0" * 9)
    with pytest.raises(WireError, match="UTF-8"):
        decode("power_off", b"\0\1\xff\0")
    with pytest.raises(WireError, match="end"):
        decode("power_off", b"\0\1AB")
    with pytest.raises(WireError, match="too long"):
        decode("ack", b"\0\0\0\0\xff\xff\xff\xff")
    with pytest.raises(WireError, match="no message"):
        Header.unpack(bytes(26))
    with pytest.raises(WireError, match="MAC"):
        keys().open(Header(1, 0, 31, 1).pack(0))
    assert decode(0x7FE, b"\1\2") == {"raw": "0102"}


@pytest.mark.parametrize("curve", KEY_TYPES)
def test_certificates(curve: Curve) -> None:
    one = console_credentials("FD00112233445566", curve)
    assert one is console_credentials("FD00112233445566", curve)
    other = console_credentials("FD00112233445566", curve, 1)
    assert one.certificate != other.certificate
    certificate = x509.load_der_x509_certificate(one.certificate)
    assert certificate.public_key() == one.key.public_key() != other.key.public_key()
    assert certificate.subject.rfc4514_string() == "CN=FD00112233445566"
