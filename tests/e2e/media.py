"""Pictures and sounds for fake devices, made from nothing."""

import io
import math
import struct
from typing import Final
import wave
import zlib

SAMPLE_RATE: Final = 8000

type Colour = tuple[int, int, int]


def picture(upper: Colour, lower: Colour, side: int = 192) -> bytes:
    """Return a square PNG that fades from one colour to another."""
    rows = bytearray()
    for row in range(side):
        part = row / (side - 1)
        pixel = bytes(
            round(a + (b - a) * part) for a, b in zip(upper, lower, strict=True)
        )
        rows += b"\0" + pixel * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def tone(*frequencies: float, seconds: float = 0.4) -> bytes:
    """Return a WAV file of notes, each as long as `seconds`, in Hz."""
    count = int(SAMPLE_RATE * seconds)
    samples = bytearray()
    for frequency in frequencies:
        for index in range(count):
            fade = 1 - index / count
            angle = 2 * math.pi * frequency * index / SAMPLE_RATE
            samples += struct.pack("<h", int(12000 * fade * math.sin(angle)))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes(bytes(samples))
    return file.getvalue()
