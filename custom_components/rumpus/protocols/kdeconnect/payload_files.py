"""Files that bulk data goes to and comes from (the KDE Connect reference, sections 9, 12.3).

Everything here blocks and belongs into a thread.  Messages of errors name no file: names
come from the network or from the user's disk.
"""

from collections.abc import Iterator
import contextlib
from dataclasses import dataclass
import errno
import os
from pathlib import Path
import secrets
import shutil
import stat
from typing import Final, Self

from ..errors import ProtocolError, RumpusError

# Taken names that are tried, from " (1)" on.
MAX_SAME_NAMES: Final = 1000
# Bytes of the disk that stay free for everybody else: no database survives a full disk.
SPACE_RESERVE: Final = 64 * 1024 * 1024
# Characters of a file's name that its temporary file repeats; four bytes each at most.
_PART_NAME: Final = 40
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class FileAccessError(RumpusError):
    """A file on our side cannot be read or written."""


class OutOfSpaceError(FileAccessError):
    """The disk has, or had, no room for what comes."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that arrived whole: where it really is, and its size in bytes."""

    path: Path
    size: int


@contextlib.contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except OSError as err:
        if err.errno in _NO_SPACE:
            raise OutOfSpaceError("there is no space left on the disk") from None
        raise FileAccessError(f"cannot access the file: {err.strerror}") from None


class PartFile:
    """A hidden file beside its target that gets the target's name once it is complete.

    Leaving its context without `finish` removes it.
    """

    def __init__(self, target: Path, size: int | None) -> None:
        """Create the file for `size` bytes (None: unknown).

        Raises OutOfSpaceError when the disk would have less than SPACE_RESERVE left with it,
        FileAccessError.
        """
        self._target = target
        name = f".{target.name[:_PART_NAME]}.{secrets.token_hex(4)}.part"
        self._path = target.with_name(name)
        with _typed_errors():
            self._require_space(size or 0)
            self._file = self._path.open("xb", buffering=0)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, and remove it unless it was finished."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def write(self, data: memoryview) -> None:
        """Append data; raise OutOfSpaceError or FileAccessError."""
        with _typed_errors():
            # A size may be unknown, and others write to the disk, too.
            self._require_space(len(data))
            while data:  # a disk that is nearly full takes a part of it
                data = data[self._file.write(data) :]

    def _require_space(self, size: int) -> None:
        if size + SPACE_RESERVE > shutil.disk_usage(self._target.parent).free:
            raise OutOfSpaceError("there is not enough space on the disk")

    def finish(self, modified_ms: int | None) -> Path:
        """Give the file its time (milliseconds since 1970) and its name; return its path.

        Nothing is overwritten: " (1)" and so on is added to a name that is taken.
        """
        with _typed_errors():
            self._file.close()
            if modified_ms is not None:
                # A time that the disk cannot keep is not worth failing for.
                with contextlib.suppress(OSError, OverflowError):
                    os.utime(self._path, ns=(modified_ms * 10**6,) * 2)
            for path in free_names(self._target):
                with contextlib.suppress(FileExistsError):
                    _rename(self._path, path)
                    return path
        raise FileAccessError("too many files have the same name")


def free_names(target: Path) -> Iterator[Path]:
    """Return the names to try for a file: its own, then " (1)", " (2)" before the suffix."""
    yield target
    for number in range(1, MAX_SAME_NAMES):
        yield target.with_name(f"{target.stem} ({number}){target.suffix}")


def _rename(part: Path, target: Path) -> None:
    """Rename without overwriting; raise FileExistsError (also for a dangling link)."""
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: hold the name, then take it
        target.open("xb").close()
        try:
            part.replace(target)
        except OSError:
            target.unlink()
            raise
    else:
        part.unlink()


def write_file(data: bytes, target: Path, modified_ms: int | None) -> ReceivedFile:
    """Write data that is in memory; the same rules, the same errors."""
    with PartFile(target, len(data)) as part:
        part.write(memoryview(data))
        return ReceivedFile(part.finish(modified_ms), len(data))


class Source:
    """Data to send: bytes or a file, whose size must not change meanwhile."""

    def __init__(self, origin: bytes | Path) -> None:
        """Open it; raise FileAccessError when it is no file that we may read."""
        self._data = memoryview(origin if isinstance(origin, bytes) else b"")
        self._fd: int | None = None
        self.size = len(self._data)
        if isinstance(origin, Path):
            with _typed_errors():
                # Opening a pipe would wait for its other end.
                self._fd = os.open(origin, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            status = os.fstat(self._fd)
            if not stat.S_ISREG(status.st_mode):
                self.close()
                raise FileAccessError("what shall be sent is no regular file")
            self.size = status.st_size

    def close(self) -> None:
        """Close the file; safe to call twice."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def pieces(self, length: int) -> Iterator[memoryview]:
        """Return the data in pieces of at most `length` bytes, each valid until the next.

        Raises ProtocolError when the size is no longer `size`, FileAccessError.
        """
        if self._fd is None:
            for start in range(0, self.size, length):
                yield self._data[start : start + length]
            return
        buffer = memoryview(bytearray(length))
        left = self.size
        while left:
            with _typed_errors():
                count = os.readv(self._fd, [buffer[: min(left, length)]])
            if not count:
                raise ProtocolError("the file became shorter while it was sent")
            left -= count
            yield buffer[:count]
        if os.fstat(self._fd).st_size != self.size:
            raise ProtocolError("the file grew while it was sent")
