"""The preview in a picture."""

import struct

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.exif import (
    MAX_FIELDS,
    MAX_SEGMENTS,
    read_preview,
)

PREVIEW = b"\xff\xd8\xff\xdbpreview\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG picture."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def directory(order: str, fields: list[tuple[int, int, int, int]], after: int) -> bytes:
    """Return a directory of fields (tag, kind, count, value)."""
    data = struct.pack(order + "H", len(fields))
    for tag, kind, count, value in fields:
        data += struct.pack(order + "HHI", tag, kind, count)
        data += struct.pack(
            order + ("HH" if kind == 3 else "I"), value, *[0][: kind == 3]
        )
    return data + struct.pack(order + "I", after)


def tiff(
    *,
    order: str = "<",
    orientation: int | None = None,
    preview: bytes = PREVIEW,
    length: int | None = None,
    kind: int = 4,
    fields: int = 0,
) -> bytes:
    """Return a TIFF block with a preview."""
    main = [(0x010F, 2, 5, 0)] + [
        (0x8000 + number, 4, 1, 0) for number in range(fields)
    ]
    if orientation is not None:
        main.append((0x0112, 3, 1, orientation))
    second = 8 + 2 + 12 * len(main) + 4
    position = second + 2 + 24 + 4
    size = len(preview) if length is None else length
    return (
        {"<": b"II*\0", ">": b"MM\0*"}[order]
        + struct.pack(order + "I", 8)
        + directory(order, main, second)
        + directory(order, [(0x0201, kind, 1, position), (0x0202, kind, 1, size)], 0)
        + preview
    )


def picture(block: bytes, *before: bytes) -> bytes:
    """Return a picture with an Exif segment."""
    exif = segment(0xE1, b"Exif\0\0" + block)
    return b"\xff\xd8" + b"".join(before) + exif + segment(0xDB, b"table") + b"\xff\xda"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
def test_a_preview(order: str, kind: int) -> None:
    assert read_preview(picture(tiff(order=order, kind=kind))) == PREVIEW


def test_after_other_segments() -> None:
    other = segment(0xE0, b"JFIF\0"), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0")
    assert read_preview(picture(tiff(), *other)) == PREVIEW


def test_too_many_segments() -> None:
    """MAX_SEGMENTS bounds how far is looked."""
    other = [segment(0xE2, b"") for _ in range(MAX_SEGMENTS)]
    assert read_preview(picture(tiff(), *other)) is None
    assert read_preview(picture(tiff(), *other[1:])) == PREVIEW


def test_too_many_fields() -> None:
    """MAX_FIELDS bounds a directory."""
    assert read_preview(picture(tiff(fields=MAX_FIELDS))) is None
    assert read_preview(picture(tiff(fields=MAX_FIELDS - 1))) == PREVIEW


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [2, 6, 8])
def test_which_way_up(order: str, orientation: int) -> None:
    """The preview is told what only the picture knew; the rest stays."""
    turned = read_preview(picture(tiff(order=order, orientation=orientation)))
    assert turned is not None
    assert turned.startswith(b"\xff\xd8\xff\xe1")
    assert turned.endswith(PREVIEW[2:])
    expected = directory(">", [(0x0112, 3, 1, orientation)], 0)
    size = int.from_bytes(turned[4:6])
    body = turned[6 : 4 + size]
    assert body == b"Exif\0\0MM\0*" + struct.pack(">I", 8) + expected
    assert turned[4 + size :] == PREVIEW[2:]


@pytest.mark.parametrize("orientation", [None, 0, 1, 9, 65535])
def test_upright(orientation: int | None) -> None:
    assert read_preview(picture(tiff(orientation=orientation))) == PREVIEW


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"\xff\xd8\xff\xda\0\2" + picture(tiff()),
        b"\xff\xd8\0\0\0\0",
        picture(b""),
        picture(b"II*\0"),
        picture(b"XX*\0" + tiff()[4:]),
        picture(b"II*\0\xff\xff\xff\xff"),
        picture(tiff(length=0)),
        picture(tiff(length=len(PREVIEW) + 1)),
        picture(tiff(length=2**32 - 1)),
        picture(tiff(preview=b"<script>alert(1)</script>")),
        picture(tiff(preview=b"\xff\xd8")),
        picture(tiff())[:70],
        picture(b"II*\0" + struct.pack("<IHI", 8, 0, 8)),
    ],
)
def test_no_preview(data: bytes) -> None:
    assert read_preview(data) is None


@settings(deadline=None)
@given(
    st.binary(max_size=400)
    | st.binary(max_size=300).map(lambda data: picture(b"II*\0" + data))
    | st.tuples(
        st.integers(0, 150), st.integers(0, 255), st.just(picture(tiff(orientation=3)))
    ).map(lambda t: t[2][: t[0]] + bytes([t[1]]) + t[2][t[0] + 1 :])
)
@example(b"\xff\xd8\xff\xe1\0\0" * 40)
def test_whatever_comes_is_a_picture_or_nothing(data: bytes) -> None:
    preview = read_preview(data)
    assert preview is None or preview.startswith(b"\xff\xd8\xff")
    assert preview is None or len(preview) <= len(data) + 36
