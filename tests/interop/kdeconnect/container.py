"""A desktop session without a desktop: a root, a home folder and two message buses.

The processes live in namespaces of their own (mount, process ids, host name, network)
and see the root read-only, with the home folder on /srv. The buses' sockets lie in the
home folder, so that the stubs of the desktop's services can live outside, in this
program. Everything ends with this program, however it ends.
"""

import asyncio
from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import signal
import socket
from typing import Final

from .network import Network

# Inside the root.
HOME: Final = "/srv"
START_TIMEOUT: Final = 60.0
RUN_TIMEOUT: Final = 45.0

_DIE_WITH_PARENT: Final = ("setpriv", "--pdeathsig", "KILL", "--")

# No activation: a program that was ended must stay so.
_BUS_CONFIGURATION: Final = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>unix:path=/srv/{kind}.bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

# Runs outside the root, in the new namespaces: $1 root, $2 home folder, $3 host name.
_ENTER: Final = """\
set -e
hostname "$3"
mount --bind "$1" "$1"
mount --bind "$2" "$1/srv"
mount -o remount,bind,ro "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount -t tmpfs tmpfs "$1/run"
exec chroot "$1" /bin/sh /srv/init
"""

_INIT: Final = """\
mkdir -m 1777 /tmp/.X11-unix
for bus in session system; do
  dbus-daemon --config-file=/srv/$bus.conf --nofork --nopidfile &
done
wait
"""


class ContainerError(Exception):
    """The session did not start; the message has what its programs printed last."""


class Container:
    """One session on the bridge; made by ``start``, ended by ``stop``."""

    def __init__(self, root: Path, network: Network, name: str) -> None:
        """Describe the session of the host ``name``, which the network has already."""
        self.root = root
        self.home = network.state / name
        self.name = name
        self._network = network
        self._outer: asyncio.subprocess.Process | None = None
        self._init = 0

    def bus_address(self, kind: str) -> str:
        """Return the address of the bus ``session`` or ``system``, seen from here."""
        return f"unix:path={self.home / f'{kind}.bus'}"

    async def start(self) -> None:
        """Start the buses. Raises ContainerError."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        for kind in ("session", "system"):
            (self.home / f"{kind}.bus").unlink(missing_ok=True)
            text = _BUS_CONFIGURATION.format(kind=kind)
            (self.home / f"{kind}.conf").write_text(text, encoding="utf-8")
        (self.home / "init").write_text(_INIT, encoding="utf-8")
        enter = ("sh", "-c", _ENTER, "sh", str(self.root), str(self.home), self.name)
        with (self.home / "container.log").open("ab") as log:
            self._outer = await asyncio.create_subprocess_exec(
                *_DIE_WITH_PARENT,
                *self._network.command_prefix(self.name),
                *("unshare", "--mount", "--uts", "--ipc", "--pid"),
                *("--fork", "--kill-child=KILL", *enter),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment({}),
            )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not self._is_up():
                    if self._outer.returncode is not None:
                        raise ContainerError(self._log_tail())
                    await asyncio.sleep(0.02)
        except TimeoutError as err:
            raise ContainerError(f"no message bus: {self._log_tail()}") from err

    async def spawn(
        self, command: Sequence[str], environment: Mapping[str, str], log: str
    ) -> Process:
        """Start a program in the session; what it prints goes to ``log`` in its home."""
        with (self.home / log).open("ab") as output:
            outer = await asyncio.create_subprocess_exec(
                *self._enter(),
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_environment(environment),
            )
        return Process(outer)

    async def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        text: str | None = None,
    ) -> str:
        """Run a short program in the session and return what it prints, or nothing.

        With ``text`` for its input its output is not waited for: such a program may
        leave a child behind that keeps the output open.
        """
        process = await asyncio.create_subprocess_exec(
            *self._enter(),
            *command,
            stdin=asyncio.subprocess.DEVNULL
            if text is None
            else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE
            if text is None
            else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=_environment(environment),
        )
        try:
            async with asyncio.timeout(RUN_TIMEOUT):
                output, _ = await process.communicate(text.encode() if text else None)
        except TimeoutError:
            process.kill()
            await process.wait()
            return ""
        return (output or b"").decode(errors="replace")

    def file(self, path: str) -> Path:
        """Return a file by its path inside the running session, seen from here."""
        return Path(f"/proc/{self._init}/root") / path

    async def stop(self) -> None:
        """End all processes of the session at once."""
        outer, self._outer = self._outer, None
        if outer is None:
            return
        if self._init and outer.returncode is None:
            _kill(self._init)
        elif outer.returncode is None:
            outer.kill()
        await outer.wait()
        self._init = 0

    def _enter(self) -> tuple[str, ...]:
        """Return the words to put before a command to run it in the session."""
        return (
            *(*_DIE_WITH_PARENT, "nsenter", "--target", str(self._init)),
            *("--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--"),
        )

    def _is_up(self) -> bool:
        assert self._outer is not None
        self._init = child_of(self._outer.pid)
        return bool(self._init) and all(
            _listens(self.home / f"{kind}.bus") for kind in ("session", "system")
        )

    def _log_tail(self) -> str:
        text = (self.home / "container.log").read_text(
            encoding="utf-8", errors="replace"
        )
        return text[-400:].strip()


class Process:
    """A program inside a session."""

    def __init__(self, outer: asyncio.subprocess.Process) -> None:
        """Wrap the process that entered the namespaces and waits for the program."""
        self._outer = outer

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._outer.returncode is None

    @property
    def pid(self) -> int:
        """The program's process id, seen from here; 0 before it is there."""
        return child_of(self._outer.pid)

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        return await self._outer.wait()

    async def kill(self) -> None:
        """End it without a warning (SIGKILL)."""
        if not self.is_running:
            return
        if pid := self.pid:
            _kill(pid)
        else:
            self._outer.kill()
        await self._outer.wait()


def _listens(path: Path) -> bool:
    """Tell whether somebody listens at a socket; the file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def child_of(pid: int) -> int:
    """Return the first child of a process, 0 when it has none."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return 0
    return int(children.split()[0]) if children.split() else 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return a whole environment: nothing of this machine's own is handed on."""
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": HOME,
        "USER": "root",
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": f"{HOME}/run",
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={HOME}/session.bus",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={HOME}/system.bus",
        **extra,
    }
