"""A private network: namespaces on one bridge, with no way out.

Each run has a prefix of its own and holds a lock file for as long as it lives. What a
run that died left behind is recognised by its free lock and removed at the next start.
"""

from collections.abc import Iterator, Sequence
import contextlib
import fcntl
import os
from pathlib import Path
import secrets
import shutil
import signal
import subprocess
from types import TracebackType
from typing import Final, Self

# Short, since sockets lie below it and their paths are limited to 107 bytes.
STATE: Final = Path("/run/rumpus-interop")
NAMESPACES: Final = Path("/run/netns")
PREFIX: Final = "rmp"
SUBNET: Final = "10.77.0"
BRIDGE_ADDRESS: Final = f"{SUBNET}.254"
_LOCK: Final = "lock"


class NetworkError(Exception):
    """A namespace cannot be made; the message has the failed command."""


def run(*command: str) -> str:
    """Run a command and return what it printed. Raises NetworkError."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NetworkError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Network:
    """The bridge and its namespaces; a context manager that removes them."""

    def __init__(self) -> None:
        """Nothing is made before the context is entered."""
        self.prefix = f"{PREFIX}{secrets.token_hex(2)}"
        self.state = STATE / self.prefix
        self._hub = f"{self.prefix}-hub"
        self._lock: int | None = None
        self._hosts: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Make the bridge. Raises NetworkError."""
        remove_stale()
        self.state.mkdir(parents=True, mode=0o700)
        lock = _try_lock(self.state / _LOCK)
        if lock is None:
            raise NetworkError(f"{self.state} is in use")
        self._lock = lock
        try:
            self._make_bridge()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove everything."""
        self.close()

    def close(self) -> None:
        """End what still runs inside the namespaces and remove them."""
        _remove(self.prefix)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def add_host(self, name: str, number: int) -> str:
        """Make a namespace with the address ``SUBNET.number``; return its name."""
        namespace = f"{self.prefix}-{name}"
        run("ip", "netns", "add", namespace)
        ip = ("ip", "-n", namespace)
        run(*ip, "link", "set", "lo", "up")
        peer = ("type", "veth", "peer", "name", f"to-{name}", "netns", self._hub)
        run(*ip, "link", "add", "eth0", *peer)
        self._disable_ipv6(name)
        run(*ip, "address", "add", f"{SUBNET}.{number}/24", "brd", "+", "dev", "eth0")
        run(*ip, "link", "set", "eth0", "up")
        run("ip", "-n", self._hub, "link", "set", f"to-{name}", "master", "br0", "up")
        # For 255.255.255.255 and multicast; there is no gateway.
        run(*ip, "route", "add", "default", "dev", "eth0")
        self._hosts[name] = f"{SUBNET}.{number}"
        return namespace

    def address(self, name: str) -> str:
        """Return the address of a host that was added."""
        return self._hosts[name]

    def command_prefix(self, name: str) -> tuple[str, ...]:
        """Return the words to put before a command to run it at a host."""
        return ("ip", "netns", "exec", f"{self.prefix}-{name}")

    def cut(self, name: str) -> None:
        """Pull the host's cable: nobody is told."""
        run("ip", "-n", self._hub, "link", "set", f"to-{name}", "down")

    def mend(self, name: str) -> None:
        """Put the host's cable back."""
        run("ip", "-n", self._hub, "link", "set", f"to-{name}", "up")

    @contextlib.contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Put the calling thread into the namespace of a host for the block.

        Sockets that it makes and processes that it starts meanwhile belong there.
        """
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            there = os.open(
                NAMESPACES / f"{self.prefix}-{name}", os.O_RDONLY | os.O_CLOEXEC
            )
            try:
                os.setns(there, os.CLONE_NEWNET)
            finally:
                os.close(there)
            try:
                yield
            finally:
                os.setns(own, os.CLONE_NEWNET)
        finally:
            os.close(own)

    def _disable_ipv6(self, name: str) -> None:
        """Keep to IPv4: link-local addresses would only add noise."""
        settings = Path("/proc/sys/net/ipv6/conf")
        with self.inside(name):
            for device in ("all", "default"):
                # Absent where the kernel has no IPv6.
                with contextlib.suppress(FileNotFoundError):
                    (settings / device / "disable_ipv6").write_text(
                        "1", encoding="ascii"
                    )

    def _make_bridge(self) -> None:
        run("ip", "netns", "add", self._hub)
        ip = ("ip", "-n", self._hub)
        run(*ip, "link", "set", "lo", "up")
        bridge = ("type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        run(*ip, "link", "add", "br0", *bridge)
        self._disable_ipv6("hub")
        run(*ip, "address", "add", f"{BRIDGE_ADDRESS}/24", "brd", "+", "dev", "br0")
        run(*ip, "link", "set", "br0", "up")


def remove_stale() -> None:
    """Remove what runs that are over have left behind."""
    if not STATE.is_dir():
        return
    for state in STATE.iterdir():
        if not state.name.startswith(PREFIX):
            continue
        lock = _try_lock(state / _LOCK)
        if lock is not None:
            _remove(state.name)
            os.close(lock)


def _remove(prefix: str) -> None:
    """Remove a run's processes, namespaces and state."""
    namespaces = [n for n in _namespaces() if n.startswith(f"{prefix}-")]
    for namespace in namespaces:
        for pid in run("ip", "netns", "pids", namespace).split():
            # Our own thread may be inside; it leaves by itself.
            if int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
    for namespace in namespaces:
        with contextlib.suppress(NetworkError):
            run("ip", "netns", "delete", namespace)
    shutil.rmtree(STATE / prefix, ignore_errors=True)


def _namespaces() -> Sequence[str]:
    return sorted(p.name for p in NAMESPACES.iterdir()) if NAMESPACES.is_dir() else []


def _try_lock(path: Path) -> int | None:
    """Return the descriptor of the locked file, None when another process has it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
