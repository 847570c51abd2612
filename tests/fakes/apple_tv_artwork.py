"""Pictures of what a fake Apple TV plays, and the HTTP server that has some of them.

Paths are `/<identifier>/artwork` and `/<identifier>/<w>x<h><c>.<f>`.
"""

from collections.abc import Callable
import re
import struct
from typing import TYPE_CHECKING, Final
import zlib

from tests.fakes.apple_tv_models import ArtworkWay, FakePicture
from tests.fakes.apple_tv_rtsp import Request, Requests, Response, RtspError
from tests.fakes.apple_tv_stream import Link, Listener, Wire

if TYPE_CHECKING:
    from tests.fakes.apple_tv_media import MediaModel

_SIZE: Final = re.compile(r"(\d{1,6})x(\d{1,6})([a-z]*)\.(png|jpg)")
_MAX_SIDE: Final = 1024


class ArtworkServer:
    """Serves the pictures in the queues. Attributes are switches for tests."""

    status = 200
    content_type: str | None = None  # instead of the picture's
    endless = False  # say that more is to come than there is
    body: bytes | None = None  # instead of the picture

    def __init__(self, media: MediaModel, emit: Callable[..., None]) -> None:
        """Nothing listens yet."""
        self.wire = Wire()
        self._media = media
        self._emit = emit
        self._listener = Listener(self.wire, self._opened)

    async def start(self, address: str) -> str:
        """Listen and return the address of the pictures."""
        port = await self._listener.start(address)
        return f"http://{address}:{port}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.stop()

    def drop(self) -> None:
        """Break off all connections."""
        self._listener.drop()

    def _opened(self, link: Link) -> None:
        requests = Requests()

        def received(data: bytes) -> None:
            try:
                requests.feed(data)
                while (request := requests.next()) is not None:
                    link.write(self._answer(request))
            except RtspError:
                link.abort()

        link.on_data = received

    def _answer(self, request: Request) -> bytes:
        self._emit("artwork_request", path=request.path)
        _, _, rest = request.path.partition("/")
        identifier, _, form = rest.rpartition("/")
        found = (p for p in self._media.pictures() if p.identifier == identifier)
        picture = next(found, None)
        if picture is None or request.method != "GET":
            return Response(404).encode(request)
        size = _SIZE.fullmatch(form)
        data, kind = picture.data, picture.mime_type
        if size is not None:
            data = png(*(min(int(side), _MAX_SIDE) for side in size.groups()[:2]))
            kind = "image/png"
        elif form != "artwork":
            return Response(404).encode(request)
        data = data if self.body is None else self.body
        answer = Response(self.status, data, self.content_type or kind).encode(request)
        if self.endless:
            length = f"Content-Length: {len(data)}".encode()
            answer = answer.replace(length, b"Content-Length: 1000000000", 1)
        return answer


def picture(
    identifier: str,
    way: ArtworkWay = "data",
    size: tuple[int, int] = (512, 512),
    hue: int = 0,
) -> FakePicture:
    """Make an artwork of a size."""
    return FakePicture(
        identifier, png(*size, hue=hue), width=size[0], height=size[1], way=way
    )


def png(width: int, height: int, hue: int = 0) -> bytes:
    """Return a picture with a gradient; the hue is any number."""
    red, green, blue = (hue * 67 + 40) % 256, (hue * 131 + 90) % 256, 200
    rows = bytearray()
    for y in range(height):
        shade = 256 - 160 * y // max(1, height)
        pixel = bytes((red * shade // 256, green * shade // 256, blue * shade // 256))
        rows += b"\0" + pixel * width
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(bytes(rows), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
