"""SmartGlass on the wire, as the fake console and its scripted client write it.

Written from the SmartGlass reference alone and sharing nothing with the integration,
so that a mistake there does not meet the same mistake here. Messages are dicts with
the payload names of the reference's section 17.4; identifiers and keys are text.
"""

from dataclasses import dataclass
import struct
import uuid

PORT = 5050
GROUP = "239.255.255.250"

DISCOVERY_REQUEST = 0xDD00
DISCOVERY_RESPONSE = 0xDD01
POWER_ON = 0xDD02
CONNECT_REQUEST = 0xCC00
CONNECT_RESPONSE = 0xCC01
MESSAGE = 0xD00D

ACK_CHANNEL = 0x1000000000000000
MAX_PLAINTEXT = 1024
JSON_PIECE = 905

NEED_ACK = 0x2000
IS_FRAGMENT = 0x1000
VERSION_2 = 0x8000

type Value = int | float | str | list[Value] | dict[str, Value] | None
type Fields = dict[str, Value]

NAMES = {
    0x001: "ack",
    0x002: "group",
    0x003: "local_join",
    0x005: "stop_activity",
    0x019: "auxiliary_stream",
    0x01A: "active_surface_change",
    0x01B: "navigate",
    0x01C: "json",
    0x01D: "tunnel",
    0x01E: "console_status",
    0x01F: "title_text_configuration",
    0x020: "title_text_input",
    0x021: "title_text_selection",
    0x022: "mirroring_request",
    0x023: "title_launch",
    0x026: "start_channel_request",
    0x027: "start_channel_response",
    0x028: "stop_channel",
    0x029: "system",
    0x02A: "disconnect",
    0x02E: "title_touch",
    0x02F: "accelerometer",
    0x030: "gyrometer",
    0x031: "inclinometer",
    0x032: "compass",
    0x033: "orientation",
    0x036: "paired_identity_state_changed",
    0x037: "unsnap",
    0x038: "game_dvr_record",
    0x039: "power_off",
    0xF00: "media_controller_removed",
    0xF01: "media_command",
    0xF02: "media_command_result",
    0xF03: "media_state",
    0xF0A: "gamepad",
    0xF2B: "system_text_configuration",
    0xF2C: "system_text_input",
    0xF2E: "system_touch",
    0xF34: "system_text_ack",
    0xF35: "system_text_done",
}
TYPES = {name: number for number, name in NAMES.items()}

# One word per field, "name:code". B H I Q i f are those of `struct`; s is a string,
# b a blob and L a list of u32; u is a uuid, x a number of bytes, D a disposition; @
# is an array of rows of GROUPS and & one such row. A "?" behind: may be missing.
_TEXT_CONFIGURATION = (
    "text_session_id:Q text_buffer_version:I text_options:I input_scope:I"
    " max_text_length:I locale:s prompt:s"
)
_TOUCH = "touch_msg_timestamp:I touchpoints:@point"
_LAYOUTS = {
    "ack": "low_watermark:I processed_list:L rejected_list:L",
    "local_join": "device_type:H native_width:H native_height:H dpi_x:H dpi_y:H"
    " device_capabilities:Q client_version:I os_major_version:I os_minor_version:I"
    " display_name:s",
    "auxiliary_stream": "connection_info_flag:B connection_info:&aux?",
    "active_surface_change": "surface_type:H server_tcp_port:H server_udp_port:H"
    " session_id:u render_width:H render_height:H master_session_key:x32",
    "json": "text:s",
    "console_status": "live_tv_provider:I major_version:I minor_version:I"
    " build_number:I locale:s active_titles:@title",
    "title_text_configuration": _TEXT_CONFIGURATION,
    "title_text_input": "text_session_id:Q text_buffer_version:I result:H text:s",
    "title_text_selection": "text_session_id:Q text_buffer_version:I start:I length:I",
    "title_launch": "location:H uri:s",
    "start_channel_request": "channel_request_id:I title_id:I service:u activity_id:I",
    "start_channel_response": "channel_request_id:I target_channel_id:Q result:I",
    "stop_channel": "target_channel_id:Q",
    "disconnect": "reason:I error_code:I",
    "title_touch": _TOUCH,
    "accelerometer": "timestamp:Q acceleration_x:f acceleration_y:f acceleration_z:f",
    "gyrometer": "timestamp:Q angular_velocity_x:f angular_velocity_y:f"
    " angular_velocity_z:f",
    "inclinometer": "timestamp:Q pitch:f roll:f yaw:f",
    "compass": "timestamp:Q magnetic_north:f true_north:f",
    "orientation": "timestamp:Q rotation_matrix_value:f w:f x:f y:f z:f",
    "paired_identity_state_changed": "state:H",
    "unsnap": "unk:x1",
    "game_dvr_record": "start_time_delta:i end_time_delta:i",
    "power_off": "liveid:s",
    "media_controller_removed": "title_id:I",
    "media_command": "request_id:Q title_id:I command:I seek_position:Q?",
    "media_command_result": "request_id:Q result:I",
    "media_state": "title_id:I aum_id:s asset_id:s media_type:H sound_level:H"
    " enabled_commands:I playback_status:H rate:f position:Q media_start:Q"
    " media_end:Q min_seek:Q max_seek:Q metadata:@pair",
    "gamepad": "timestamp:Q buttons:H left_trigger:f right_trigger:f"
    " left_thumbstick_x:f left_thumbstick_y:f right_thumbstick_x:f"
    " right_thumbstick_y:f",
    "system_text_configuration": _TEXT_CONFIGURATION,
    "system_text_input": "text_session_id:I base_version:I submitted_version:I"
    " total_text_byte_len:I selection_start:i selection_length:i flags:H"
    " text_chunk_byte_start:I text_chunk:s delta:@delta?",
    "system_touch": _TOUCH,
    "system_text_ack": "text_session_id:I text_version_ack:I",
    "system_text_done": "text_session_id:I text_version:I flags:I result:I",
}
_GROUPS = {
    "title": "title_id:I disposition:D product_id:u sandbox_id:u aum:s",
    "point": "touchpoint_id:I touchpoint_action:H touchpoint_x:I touchpoint_y:I",
    "pair": "name:s value:s",
    "delta": "offset:I delete_count:I insert_content:s",
    "aux": "crypto_key:b server_iv:b client_iv:b sign_hash:b endpoints:@endpoint",
    "endpoint": "ip:s port:s",
}

type _Layout = tuple[tuple[str, str, bool], ...]


class WireError(Exception):
    """Bytes that are no packet, or none of this kind."""


def _parse(layout: str) -> _Layout:
    words = (word.partition(":") for word in layout.split())
    return tuple(
        (name, code.removesuffix("?"), code.endswith("?")) for name, _, code in words
    )


_MESSAGES = {TYPES[name]: _parse(layout) for name, layout in _LAYOUTS.items()}
_ROWS = {name: _parse(layout) for name, layout in _GROUPS.items()}


class Reader:
    """Takes values off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at

    def raw(self, size: int) -> bytes:
        """Take bytes. Raises WireError when there are not so many."""
        if size > self.left:
            raise WireError(f"{size} bytes wanted, {self.left} left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, code: str) -> int:
        """Take an integer."""
        value = struct.unpack(f">{code}", self.raw(struct.calcsize(f">{code}")))[0]
        assert isinstance(value, int)
        return value

    def string(self) -> str:
        """Take a string. Raises WireError when it is not UTF-8 or does not end."""
        data = self.raw(self.number("H"))
        if self.raw(1) != b"\0":
            raise WireError("a string without its end")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise WireError("a string that is not UTF-8") from error

    def end(self) -> None:
        """Raise WireError unless all is taken."""
        if self.left:
            raise WireError(f"{self.left} bytes too many")

    def fields(self, layout: _Layout) -> Fields:
        """Take a structure."""
        return {
            name: None if optional and not self.left else self.value(code)
            for name, code, optional in layout
        }

    def value(self, code: str) -> Value:
        """Take a value of a code."""
        match code[0]:
            case "f":
                number = struct.unpack(">f", self.raw(4))[0]
                assert isinstance(number, float)
                return number
            case "s":
                return self.string()
            case "b":
                return self.raw(self.number("H")).hex()
            case "u":
                return str(uuid.UUID(bytes=self.raw(16)))
            case "x":
                return self.raw(int(code[1:])).hex()
            case "D":
                word = self.number("H")
                return {
                    "has_focus": bool(word & 0x8000),
                    "title_location": word & 0x7FFF,
                }
            case "L":
                count = self.number("I")
                if count * 4 > self.left:
                    raise WireError("a list that is too long")
                return [self.number("I") for _ in range(count)]
            case "@":
                return [self.fields(_ROWS[code[1:]]) for _ in range(self.number("H"))]
            case "&":
                return self.fields(_ROWS[code[1:]])
        return self.number(code)


def pack_string(value: str | bytes) -> bytes:
    """Return a string on the wire; bytes go as they are, UTF-8 or not."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data + b"\0"


def _pack(code: str, value: Value) -> bytes:
    match code[0]:
        case "s":
            return pack_string(_text(value))
        case "b":
            data = bytes.fromhex(_text(value))
            return struct.pack(">H", len(data)) + data
        case "u":
            return uuid.UUID(_text(value)).bytes
        case "x":
            return bytes.fromhex(_text(value))
        case "D":
            row = _row(value)
            focus = 0x8000 if row["has_focus"] else 0
            return struct.pack(">H", focus | number_of(row, "title_location"))
        case "L":
            items = _items(value)
            return struct.pack(f">I{len(items)}I", len(items), *items)
        case "@":
            items = _items(value)
            rows = b"".join(_pack_row(_ROWS[code[1:]], _row(item)) for item in items)
            return struct.pack(">H", len(items)) + rows
        case "&":
            return _pack_row(_ROWS[code[1:]], _row(value))
    return struct.pack(f">{code}", value)


def _text(value: Value) -> str:
    assert isinstance(value, str), value
    return value


def _row(value: Value) -> Fields:
    assert isinstance(value, dict), value
    return value


def _items(value: Value) -> list[Value]:
    assert isinstance(value, list), value
    return value


def _pack_row(layout: _Layout, row: Fields) -> bytes:
    return b"".join(
        _pack(code, row[name])
        for name, code, optional in layout
        if not (optional and row.get(name) is None)
    )


def number_of(fields: Fields, name: str) -> int:
    """Return an integer of a structure."""
    value = fields[name]
    assert isinstance(value, int), (name, value)
    return value


def text_of(fields: Fields, name: str) -> str:
    """Return a text of a structure."""
    return _text(fields[name])


def rows_of(fields: Fields, name: str) -> list[Fields]:
    """Return the rows of an array of a structure."""
    return [_row(item) for item in _items(fields[name])]


def numbers_of(fields: Fields, name: str) -> list[int]:
    """Return the numbers of a list of a structure."""
    return [item for item in _items(fields[name]) if isinstance(item, int)]


def row_of(fields: Fields, name: str) -> Fields:
    """Return the structure inside a structure."""
    return _row(fields[name])


def encode(message: str | int, fields: Fields) -> bytes:
    """Return a message's plaintext."""
    number = TYPES[message] if isinstance(message, str) else message
    return _pack_row(_MESSAGES[number], fields)


def decode(message: str | int, plaintext: bytes) -> Fields:
    """Return a message's fields; of a type without layout its bytes as `raw`.

    Raises WireError, also for bytes that are left over.
    """
    number = TYPES[message] if isinstance(message, str) else message
    if number not in _MESSAGES:
        return {"raw": plaintext.hex()}
    reader = Reader(plaintext)
    fields = reader.fields(_MESSAGES[number])
    reader.end()
    return fields


@dataclass(frozen=True, slots=True)
class Header:
    """The 26 bytes in front of a message (section 6.1)."""

    sequence: int
    target: int
    source: int
    message_type: int
    channel: int = 0
    need_ack: bool = False
    is_fragment: bool = False
    version: int = VERSION_2

    def pack(self, size: int) -> bytes:
        """Return the bytes for a plaintext of a size."""
        flags = self.version | self.message_type
        flags |= NEED_ACK if self.need_ack else 0
        flags |= IS_FRAGMENT if self.is_fragment else 0
        ids = (self.sequence, self.target, self.source)
        return struct.pack(">HHIIIHQ", MESSAGE, size, *ids, flags, self.channel)

    @classmethod
    def unpack(cls, datagram: bytes) -> tuple[Header, int]:
        """Return the header and the plaintext's size. Raises WireError."""
        if len(datagram) < 26:
            raise WireError("too short for a message")
        magic, size, sequence, target, source, flags, channel = struct.unpack_from(
            ">HHIIIHQ", datagram
        )
        if magic != MESSAGE:
            raise WireError("no message")
        header = cls(
            sequence,
            target,
            source,
            flags & 0x0FFF,
            channel,
            need_ack=bool(flags & NEED_ACK),
            is_fragment=bool(flags & IS_FRAGMENT),
            version=flags & 0xC000,
        )
        return header, size


def split_message(
    plaintext: bytes, begin: int, size: int = MAX_PLAINTEXT
) -> list[bytes]:
    """Return the plaintexts of a message's fragments (section 6.6)."""
    pieces = [plaintext[at : at + size] for at in range(0, len(plaintext), size)]
    ends = struct.pack(">II", begin, begin + len(pieces))
    return [ends + struct.pack(">H", len(piece)) + piece for piece in pieces]


def read_fragment(plaintext: bytes) -> tuple[int, int, bytes]:
    """Return a fragment's first number, last number + 1, and data."""
    reader = Reader(plaintext)
    begin, end = reader.number("I"), reader.number("I")
    data = reader.raw(reader.number("H"))
    reader.end()
    return begin, end, data


# --- simple packets ---


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple packet's parts; `protected_size` is 0 when there is no such part."""

    packet_type: int
    version: int
    body: bytes
    protected_size: int = 0
    ciphertext: bytes = b""
    mac: bytes = b""


def pack_simple(packet_type: int, version: int, body: bytes) -> bytes:
    """Return a packet without a protected part."""
    return struct.pack(">HHH", packet_type, len(body), version) + body


def unpack_simple(datagram: bytes) -> Simple:
    """Take a simple packet apart. Raises WireError when its sizes do not fit."""
    reader = Reader(datagram)
    packet_type, size = reader.number("H"), reader.number("H")
    if packet_type not in (CONNECT_REQUEST, CONNECT_RESPONSE):
        packet = Simple(packet_type, reader.number("H"), reader.raw(size))
        reader.end()
        return packet
    protected = reader.number("H")
    version = reader.number("H")
    body = reader.raw(size)
    ciphertext = reader.raw((protected + 15) & ~15)
    mac = reader.raw(32)
    reader.end()
    return Simple(packet_type, version, body, protected, ciphertext, mac)


def discovery_request(
    client_type: int = 4, minimum: int = 0, maximum: int = 2, flags: int = 0
) -> bytes:
    """Return a DiscoveryRequest."""
    body = struct.pack(">IHHH", flags, client_type, minimum, maximum)
    return pack_simple(DISCOVERY_REQUEST, 0, body)


def discovery_response(
    flags: int,
    name: str,
    console_uuid: str,
    certificate: bytes,
    device_type: int = 1,
    last_error: int = 0,
) -> bytes:
    """Return a DiscoveryResponse."""
    body = struct.pack(">IH", flags, device_type)
    body += pack_string(name) + pack_string(console_uuid)
    body += struct.pack(">IH", last_error, len(certificate)) + certificate
    return pack_simple(DISCOVERY_RESPONSE, 2, body)


def read_discovery_response(datagram: bytes) -> tuple[int, str, str, bytes]:
    """Return flags, name, uuid and certificate."""
    reader = Reader(unpack_simple(datagram).body)
    flags, _type = reader.number("I"), reader.number("H")
    name, console_uuid = reader.string(), reader.string()
    reader.number("I")
    certificate = reader.raw(reader.number("H"))
    reader.end()
    return flags, name, console_uuid, certificate


def power_on(live_id: str) -> bytes:
    """Return a PowerOnRequest."""
    return pack_simple(POWER_ON, 0, pack_string(live_id))
