"""The preview that a camera leaves in a JPEG picture (Exif 2.3, TIFF 6.0)."""

from dataclasses import dataclass
import struct
from typing import Final

HEAD: Final = 128 * 1024
"""Bytes at the beginning of a picture in which a preview is found."""
MAX_PREVIEW: Final = 64 * 1024
"""Bytes of a preview; no JPEG segment could hold a larger one."""
MAX_SEGMENTS: Final = 32
"""Segments that may come before the one with the preview."""
MAX_FIELDS: Final = 256
"""Fields of a directory."""

_START: Final = b"\xff\xd8"
_APP1: Final = 0xE1
_SCAN: Final = 0xDA
_SIGNATURE: Final = b"Exif\0\0"
_ORIENTATION: Final = 0x0112
_PREVIEW_OFFSET: Final = 0x0201
_PREVIEW_LENGTH: Final = 0x0202
_SHORT: Final = 3
_LONG: Final = 4


def read_preview(picture: bytes) -> bytes | None:
    """Return the preview in the beginning of a JPEG picture as JPEG, None when there is none.

    It is told which way up it is, as the picture is.
    """
    if (block := _find_exif(picture)) is None:
        return None
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return None
    tiff = _Tiff(block, order)
    try:
        main, following = tiff.directory(tiff.number(4, _LONG))
        fields, _ = tiff.directory(following)
    except struct.error:
        return None
    offset, length = fields.get(_PREVIEW_OFFSET, 0), fields.get(_PREVIEW_LENGTH, 0)
    preview = block[offset : offset + length]
    if not (
        0 < length <= MAX_PREVIEW
        and len(preview) == length
        and preview.startswith(_START + b"\xff")
    ):
        return None
    return _turn(preview, main.get(_ORIENTATION, 1))


def _find_exif(picture: bytes) -> bytes | None:
    """Return the TIFF block, as much of it as there is."""
    if not picture.startswith(_START):
        return None
    position = len(_START)
    for _ in range(MAX_SEGMENTS):
        header = picture[position : position + 4]
        if len(header) < 4 or header[0] != 0xFF or header[1] == _SCAN:
            return None
        size = int.from_bytes(header[2:])
        body = picture[position + 4 : position + 2 + size]
        if header[1] == _APP1 and body.startswith(_SIGNATURE):
            return body[len(_SIGNATURE) :]
        position += 2 + size
    return None


@dataclass(frozen=True, slots=True)
class _Tiff:
    """A TIFF block; what is not in it raises struct.error."""

    block: bytes
    order: str

    def number(self, offset: int, kind: int) -> int:
        """Return the unsigned number at an offset."""
        layout = self.order + ("H" if kind == _SHORT else "I")
        number: int = struct.unpack_from(layout, self.block, offset)[0]
        return number

    def directory(self, offset: int) -> tuple[dict[int, int], int]:
        """Return the single numbers of a directory by their tags, and where the next one is."""
        count = self.number(offset, _SHORT)
        if not 0 < count <= MAX_FIELDS:
            raise struct.error("not a directory")
        fields: dict[int, int] = {}
        for position in range(offset + 2, offset + 2 + 12 * count, 12):
            kind = self.number(position + 2, _SHORT)
            if kind in (_SHORT, _LONG) and self.number(position + 4, _LONG) == 1:
                fields[self.number(position, _SHORT)] = self.number(position + 8, kind)
        return fields, self.number(offset + 2 + 12 * count, _LONG)


def _turn(preview: bytes, orientation: int) -> bytes:
    """Say which way up a preview is: that is stored with the picture, not with the preview."""
    if not 2 <= orientation <= 8:
        return preview
    tiff = struct.pack(
        ">4sIHHHIHHI", b"MM\0*", 8, 1, _ORIENTATION, _SHORT, 1, orientation, 0, 0
    )
    body = _SIGNATURE + tiff
    segment = struct.pack(">BBH", 0xFF, _APP1, len(body) + 2) + body
    return _START + segment + preview[len(_START) :]
