"""JSON on channels, and its fragments (section 11)."""

import base64
import binascii
import json

from tests.fakes.xbox_wire import JSON_PIECE, MAX_PLAINTEXT

type JsonValue = (
    int | float | bool | str | list[JsonValue] | dict[str, JsonValue] | None
)
type JsonObject = dict[str, JsonValue]


def compact(body: JsonObject) -> str:
    """Return an object as consoles write it."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def read_object(text: str) -> JsonObject:
    """Return the object that a text is. Raises ValueError."""
    body = json.loads(text)
    if not isinstance(body, dict):
        raise TypeError("no object")
    return body


def split_json(
    body: JsonObject,
    datagram_id: int,
    limit: int = MAX_PLAINTEXT,
    piece: int = JSON_PIECE,
) -> list[str]:
    """Return the texts of the Json messages that carry an object."""
    text = compact(body)
    if len(text.encode()) + 3 <= limit:
        return [text]
    data = base64.b64encode(text.encode()).decode()
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    return [
        compact(
            {
                "datagram_size": str(len(data)),
                "datagram_id": str(datagram_id),
                "fragment_offset": str(number * piece),
                "fragment_length": str(len(part)),
                "fragment_data": part,
            }
        )
        for number, part in enumerate(pieces)
    ]


class JsonAssembly:
    """Puts fragments of objects together."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[int, int], dict[int, str]] = {}

    def add(self, channel: int, text: str) -> JsonObject | None:
        """Return the object if it is whole now.

        Raises ValueError for a text that is no object and fragments that are wrong.
        """
        try:
            body = read_object(text)
            if "fragment_data" not in body:
                return body
            size, datagram_id, offset, length = (
                int(str(body[key]))
                for key in (
                    "datagram_size",
                    "datagram_id",
                    "fragment_offset",
                    "fragment_length",
                )
            )
            part = body["fragment_data"]
            if not isinstance(part, str) or len(part) != length:
                raise ValueError("a fragment of another length than it says")
            key = (channel, datagram_id)
            pieces = self._pieces.setdefault(key, {})
            pieces[offset] = part
            if sum(map(len, pieces.values())) < size:
                return None
            del self._pieces[key]
            whole = "".join(pieces[at] for at in sorted(pieces))
            return read_object(base64.b64decode(whole, validate=True).decode())
        except (KeyError, TypeError, binascii.Error) as error:
            raise ValueError(f"no object: {error!r}") from error
