"""The fake Apple TV's ciphers, SRP and OPACK, against values of others."""

from uuid import UUID

import pytest

from tests.fakes.apple_tv_crypto import (
    ChannelCipher,
    HapFrames,
    Tag,
    WireError,
    hkdf,
    seal,
    tlv_decode,
    tlv_encode,
    unseal,
)
from tests.fakes.apple_tv_opack import OpackValue, Wide, pack, unpack, unpack_dict
from tests.fakes.apple_tv_script_client import SrpClient, sha256
from tests.fakes.apple_tv_srp import HAP, LEGACY, SrpServer

KEY = bytes(range(32))
SALT = bytes(range(16, 32))
B_SECRET = int.from_bytes(b"\xaa" * 32)
SEED = int.from_bytes(bytes(range(0x60, 0x80)))
LEGACY_B = bytes.fromhex(
    "8817e16146c7d12b45e810b0bf190a4ccb25d9a20a8d0504d874daa8db5574c51c8b3370"
    "3a95c00bdbe99c8c3745d1ef1b38e538edfd98e09ec029effe6f28b3b54a1bd41c28d8f3"
    "3da6f5ac9327bfce9a66869dae645b5cbd2c6b8fbe14a30ad4f8598154f2ef7f4f52cee3"
    "e3042a69780463c26bbb764870eb1995b26a2a4ade05564836d788baf07469a143c410ea"
    "9d07a068eb790b2b0aa5b86c990636814e3fa1a899ceba1af45b211ca4bd3b5b66ffaf16"
    "051a4f851e120476054258f257b8521a068907ad5e9c7220d5cef9aa072dec9edb7ebf63"
    "3cad4d52d105cf58440f17e236332b0b26539851a879e9ac8d3c2da4c590785468e59029"
    "6d39d737"
)


def test_tlv() -> None:
    assert tlv_encode([(Tag.METHOD, b"\0"), (Tag.STATE, b"\1")]).hex() == "000100060101"
    long = bytes(range(256)) + bytes(44)
    data = tlv_encode([(Tag.IDENTIFIER, b"id"), (Tag.PUBLIC_KEY, long)])
    assert data[4:6] == b"\x03\xff"
    assert tlv_decode(data) == {Tag.IDENTIFIER: b"id", Tag.PUBLIC_KEY: long}
    assert len(tlv_encode([(5, b"\xaa" * 255)])) == 257
    assert tlv_decode(bytes.fromhex("0301aa0601010301bb")) == {3: b"\xaa\xbb", 6: b"\1"}
    for broken in (b"\x01", b"\x01\x02\x00"):
        with pytest.raises(WireError):
            tlv_decode(broken)


def test_ciphers() -> None:
    sealed = seal(KEY, "PS-Msg05", b"hello")
    assert sealed.hex() == "5c9fee01061a743ae7b4aca3e424c8143a5092f000"
    assert unseal(KEY, "PS-Msg05", sealed) == b"hello"
    with pytest.raises(WireError):
        unseal(KEY, "PS-Msg06", sealed)
    secret = bytes.fromhex(
        "99865a8d29931851ea6fb4edbf63fdb70f25d1e61ea287d35ba66e6c0dea0d05"
    )
    assert hkdf(secret, "", "ClientEncrypt-main").hex().startswith("154484199d0d7e4e")
    assert hkdf(secret, "", "ServerEncrypt-main").hex().startswith("a7b50a648368c460")


def test_hap_frames() -> None:
    frames = HapFrames(ChannelCipher(KEY, KEY))
    data = frames.encode(b"hello") + frames.encode(b"world")
    assert data.hex() == (
        "050070dd2e5dc23d8da13bd270661c4ac273d1c6a20f9f"
        "0500e8388133d15fc8dce55ff3b6e9a3696d68467371de"
    )
    assert b"".join(frames.feed(data[at : at + 1]) for at in range(len(data))) == (
        b"helloworld"
    )
    fresh = HapFrames(ChannelCipher(KEY, KEY))
    long = fresh.encode(bytes(i % 251 for i in range(1030)))
    assert sha256(long) == (
        "59562dd2c32be835d0023f2bb02584d498d35e5055c6688c533117cb8c5bc21d"
    )
    with pytest.raises(WireError):
        fresh.feed(long[:-1] + b"\0")


def test_companion_nonces() -> None:
    cipher = ChannelCipher(KEY, KEY, 12)
    body = pack({"_i": "_hidC", "_t": 2, "_c": {"_hBtS": 1, "_hidC": 6}, "_x": 1234})
    assert body.hex() == (
        "e4425f69455f68696443425f740a425f63e2455f6842745309a10e425f7831d204"
    )
    header = b"\x08\0\0" + bytes((len(body) + 16,))
    first = cipher.encrypt(body, header)
    assert first.hex().startswith("fcfa1d58e8b9ceb877221e3edb490c78")
    assert cipher.decrypt(first, header) == body
    second = cipher.encrypt(body.replace(b"\x09\xa1", b"\x0a\xa1"), header)
    assert second != first
    with pytest.raises(WireError):
        cipher.decrypt(second, b"\x07" + header[1:])


@pytest.mark.parametrize(
    ("pin", "a", "salt", "key", "proofs"),
    [
        ("1111", SEED, SALT, "daad9f89", ("a43252b3", "b164e1c0")),
        ("0042", SEED, bytes(range(16)), "e3ff5546", ("7c19f874", "a103b730")),
        (
            "1111",
            0xD9CB9F8D19D09BA7E204B083F4CC59C9A4F3530A76EDD0A47CB70536F7888A1C,
            SALT,
            "c34ca978",
            ("1b225a03", "d7d9b2b8"),
        ),
        (
            "1111",
            0xE0D53D4FCD9D94B2438C27FF0FF45D8C6ACDD74E5D43C47C66342E213337930B,
            SALT,
            "4c5abc10",
            ("6760f708", "e380a605"),
        ),
    ],
    ids=["plain", "leading zeros", "short A", "short S"],
)
def test_srp(pin: str, a: int, salt: bytes, key: str, proofs: tuple[str, str]) -> None:
    server = SrpServer(HAP, "Pair-Setup", pin, salt, B_SECRET)
    if salt == SALT:
        assert sha256(server.public).startswith("6a766b16568e9a4c")
    client = SrpClient(HAP, "Pair-Setup", a)
    proof = client.prove(pin, salt, server.public)
    assert proof.hex().startswith(proofs[0])
    assert server.check(client.public, proof).hex().startswith(proofs[1])
    assert server.key == client.key
    assert client.key.hex().startswith(key)
    # Padded values are the same numbers.
    again = SrpServer(HAP, "Pair-Setup", pin, salt, B_SECRET)
    assert again.check(client.public.rjust(384, b"\0"), proof)


def test_srp_refuses() -> None:
    server = SrpServer(HAP, "Pair-Setup", "1234")
    assert len(server.public) == 384
    client = SrpClient(HAP, "Pair-Setup")
    proof = client.prove("4321", server.salt, server.public)
    for public in (client.public, bytes(384), bytes(400)):
        with pytest.raises(WireError):
            server.check(public, proof)
    assert server.key is None


def test_legacy_srp_as_recorded() -> None:
    seed = "8f06696f2542d70df59286c761695c485f815be3d152849e1361282d46ab1493"
    salt = bytes.fromhex("fca6dcb6b83a7c716a692f806e915954")
    client = SrpClient(LEGACY, "75FBEEC773CFC563", int(seed, 16))
    proof = client.prove("2271", salt, LEGACY_B)
    assert proof.hex() == "fc6286910833d3e7ae0631d47ddbb0f492ef85b8"
    assert client.expected.hex() == "84a88548b12bce122ad1cea6caff312630edcf27"
    assert client.key.hex().startswith("030fa59190d7ebfcc05eabe122fe86ad5c54fb16")
    server = SrpServer(LEGACY, "75FBEEC773CFC563", "2271", salt)
    proof = client.prove("2271", salt, server.public)
    assert server.check(client.public, proof) == client.expected


ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("04", None),
        ("01", True),
        ("02", False),
        ("0512345678123456781234567812345678", ID),
        ("08", 0),
        ("2f", 39),
        ("3028", 40),
        ("310001", 256),
        ("3200000100", 65536),
        ("330000000001000000", 1 << 32),
        ("3600000000000024c0", -10.0),
        ("40", ""),
        ("46c3a5c3a4c3b6", "åäö"),
        ("6121" + "78" * 33, "x" * 33),
        ("620001" + "78" * 256, "x" * 256),
        ("7100", b"\0"),
        ("9121" + "ab" * 33, b"\xab" * 33),
        ("920001" + "ab" * 256, b"\xab" * 256),
        ("d309447465737402", [1, "test", False]),
        ("e14161e14162d20104", {"a": {"b": [True, None]}}),
        ("df08090a0b0c0d0e0f1011121314151603", list(range(15))),
        ("df4161" + "a0" * 14 + "03", ["a"] * 15),
        ("e3416102416244746573744163a2", {"a": False, "b": "test", "c": "test"}),
        ("d2312c01a0", [300, 300]),
        ("e3416141624163e14164a0a301", {"a": "b", "c": {"d": "a"}, "d": True}),
        ("e0", {}),
    ],
)
def test_opack(data: str, value: OpackValue) -> None:
    assert pack(value).hex() == data
    assert unpack(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("350000803f", 1.0),
        ("07", -1),
        ("610161", "a"),
        ("9301000000aa", b"\xaa"),
        ("3401000000000000000000000000000000", 1),
        ("df30013002c10103", [1, 2, 2]),
        ("d341614162c20100", ["a", "b", "b"]),
        ("ef41610803", {"a": 0}),
    ],
)
def test_opack_read_only(data: str, value: OpackValue) -> None:
    assert unpack(bytes.fromhex(data)) == value


def test_opack_many_pointers() -> None:
    names: list[OpackValue] = [f"name {number}" for number in range(300)]
    data = pack([*names, *names])
    assert unpack(data) == [*names, *names]
    assert b"\xc0" in data
    assert b"\xc1\x21" in data
    assert data.endswith(b"\xc2\x2b\x01\x03")
    assert len(pack([*names, *names], pointers=False)) > len(data)
    assert pack([Wide(1, 4), Wide(1, 2), 1]).hex() == "d3320100000031010009"


@pytest.mark.parametrize(
    "data", ["", "00", "d1", "3012ff", "a0", "4261", "41ff", "e10801", "6f", "d1" * 99]
)
def test_broken_opack(data: str) -> None:
    with pytest.raises(WireError):
        unpack(bytes.fromhex(data))


def test_opack_of_other_types() -> None:
    with pytest.raises(WireError):
        unpack_dict(b"\xd0")
