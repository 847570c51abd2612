"""A real Home Assistant as a child process.

The environment is `.cache/homeassistant`, made by `script/setup --homeassistant`. Four things that stop a headless start
are dealt with here:

- the HTTP server is configured in `.storage/http`; settings in YAML would only be *pending* and ask for a confirmation;
- the onboarding step `core_config` starts integrations that want the internet, so it is marked as done beforehand;
- two packages of the voice pipeline are pinned to releases without a wheel for this Python; the environment has newer ones
  and Home Assistant is told to leave them alone, since without them the frontend never loads;
- Home Assistant logs that it is up before it has bound its port in rare cases, so both are waited for.
"""

import asyncio
from collections.abc import Mapping, Sequence
import contextlib
import json
import os
from pathlib import Path
import re
import shutil
import signal
import sys
import time
from types import TracebackType
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]
DEFAULT_ENVIRONMENT: Final = ROOT / ".cache" / "homeassistant"
INTEGRATION: Final = ROOT / "custom_components" / "rumpus"
DEFAULT_PORT: Final = 8123
BOOT_TIMEOUT: Final = 300.0
STOP_TIMEOUT: Final = 30.0
ANSWER_TIMEOUT: Final = 20.0
DEFAULT_YAML: Final = "rumpus:\n"
UP: Final = re.compile(r"Home Assistant initialized in ([0-9.]+)s")
UNPINNED_PACKAGES: Final = ("pymicro-vad", "pyspeex-noise")
OTHERS_PACKAGES: Final = ("pyatv",)
"""What Home Assistant would install for its own integrations when it sees our fakes."""
DEFAULT_LOG_LEVELS: Final = {
    "custom_components.rumpus": "debug",
    "homeassistant.bootstrap": "info",
    "homeassistant.requirements": "info",
    "homeassistant.util.package": "info",
}
# What `fresh` forgets; everything else in a configuration folder is written anew at each start anyway.
STATE: Final = (
    ".storage",
    "home-assistant_v2.db",
    "home-assistant_v2.db-shm",
    "home-assistant_v2.db-wal",
    "tts",
)

_PROBE: Final = """
import sys, time, urllib.request
url, end = sys.argv[1], time.monotonic() + float(sys.argv[2])
while True:
    try:
        urllib.request.urlopen(url, timeout=5).read()
        break
    except OSError:
        if time.monotonic() > end:
            raise
        time.sleep(0.1)
"""


class ServerError(Exception):
    """Home Assistant did not start, or ended by itself. The text ends with the tail of its log."""


class Log:
    """The lines that a child process printed, to read and to wait for."""

    def __init__(self, path: Path) -> None:
        """Keep the lines here and in a file."""
        self._path = path
        self._lines: list[str] = []
        self._changed = asyncio.Condition()
        self._ended = False

    @property
    def text(self) -> str:
        """All lines of this run and of those before it."""
        return "\n".join(self._lines)

    @property
    def position(self) -> int:
        """The number of lines so far: a mark for `since` and `wait`."""
        return len(self._lines)

    def since(self, position: int) -> list[str]:
        """Return the lines after a mark."""
        return self._lines[position:]

    def tail(self, count: int = 40) -> str:
        """Return the last lines."""
        return "\n".join(self._lines[-count:])

    def begin(self) -> None:
        """A process starts; what follows is its log."""
        self._ended = False

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Read a stream to its end."""
        with self._path.open("a", encoding="utf-8") as file:
            while line := await _read_line(stream):
                text = line.decode(errors="replace").rstrip("\r\n")
                file.write(text + "\n")
                file.flush()
                async with self._changed:
                    self._lines.append(text)
                    self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def wait(
        self, pattern: str | re.Pattern[str], timeout: float, *, start: int = 0
    ) -> re.Match[str]:
        """Wait for a line that matches; EOFError when the log ends without one, TimeoutError when it takes too long."""
        expression = re.compile(pattern)
        async with asyncio.timeout(timeout), self._changed:
            while True:
                for line in self._lines[start:]:
                    if match := expression.search(line):
                        return match
                start = len(self._lines)
                if self._ended:
                    raise EOFError(f"the log ended without {expression.pattern!r}")
                await self._changed.wait()


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    """Return the next line; one beyond the limit of the stream comes in pieces."""
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as err:
        return err.partial
    except asyncio.LimitOverrunError as err:
        return await stream.readexactly(err.consumed)


class HomeAssistantServer:
    """One Home Assistant with its configuration folder.

    `config_dir` is made when missing and keeps its state between runs. `command_prefix` runs it elsewhere, for example
    `("ip", "netns", "exec", NAME)`; `host` and `port` are then addresses over there. `yaml` is added to configuration.yaml
    (default: `rumpus:`, which keeps the listener running without entries). `integration` is the folder of the integration,
    linked into the configuration folder (`copy=True`: copied). Every wait is bounded.

        async with HomeAssistantServer(folder, port=8124, fresh=True) as server:
            ... server.url, server.log.text, server.pid, server.boot_seconds
            await server.restart()
    """

    def __init__(
        self,
        config_dir: Path,
        *,
        port: int = DEFAULT_PORT,
        host: str = "127.0.0.1",
        environment: Path = DEFAULT_ENVIRONMENT,
        command_prefix: Sequence[str] = (),
        yaml: str = DEFAULT_YAML,
        log_levels: Mapping[str, str] | None = None,
        integration: Path = INTEGRATION,
        copy: bool = False,
        fresh: bool = False,
        name: str = "Rumpus",
    ) -> None:
        """Describe the server; nothing is started or written yet."""
        self.config_dir = config_dir.absolute()
        self.port = port
        self.host = host
        self.boot_seconds: float | None = None
        self._environment = environment.absolute()
        self._prefix = tuple(command_prefix)
        self._yaml = yaml
        self._log_levels = DEFAULT_LOG_LEVELS | dict(log_levels or {})
        self._integration = integration
        self._copy = copy
        self._fresh = fresh
        self._name = name
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.log = Log(self.config_dir / "hass.out")

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def media_dir(self) -> Path:
        """The folder of local media, below which it may read and write files."""
        return self.config_dir / "media"

    @property
    def url(self) -> str:
        """The address of the HTTP server, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while Home Assistant runs."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self._environment / "bin" / "python"

    async def start(self, *, timeout: float = BOOT_TIMEOUT) -> float:
        """Start and wait until Home Assistant is set up and answers; returns the seconds that took."""
        if self.pid is not None:
            raise ServerError(f"Home Assistant already runs as process {self.pid}")
        hass = self._environment / "bin" / "hass"
        if not hass.exists():
            raise ServerError(
                f"no Home Assistant in {self._environment}; run script/setup --homeassistant"
            )
        if not self._prefix:
            await self._check_port_is_free()
        self._prepare()
        mark = self.log.position
        started = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            *die_with_parent(),
            *self._prefix,
            str(hass),
            *("-c", str(self.config_dir), "--log-no-color"),
            *("--skip-pip-packages", ",".join((*UNPINNED_PACKAGES, *OTHERS_PACKAGES))),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # A Ctrl-C at the terminal goes to whoever started us, who ends this process in order.
            start_new_session=True,
            env=_child_environment(),
        )
        assert self._process.stdout is not None
        self.log.begin()
        self._reader = asyncio.create_task(self.log.follow(self._process.stdout))
        (self.config_dir / "hass.pid").write_text(f"{self._process.pid}\n")
        try:
            await self.log.wait(UP, timeout, start=mark)
            await self._wait_answer()
        except BaseException as err:
            await self.stop()
            if isinstance(err, EOFError | TimeoutError | OSError):
                raise ServerError(
                    f"Home Assistant did not start ({str(err) or 'too slow'}):\n{self.log.tail()}"
                ) from err
            raise
        self.boot_seconds = time.monotonic() - started
        return self.boot_seconds

    async def stop(self, *, timeout: float = STOP_TIMEOUT) -> int | None:
        """End Home Assistant: SIGTERM, and SIGKILL when that takes too long. Returns the exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(timeout):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if self._reader is not None:
            # A grandchild may still hold the pipe open; its words are not worth a wait.
            done, _ = await asyncio.wait({self._reader}, timeout=2)
            if not done:
                self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        (self.config_dir / "hass.pid").unlink(missing_ok=True)
        return process.returncode

    async def restart(self, *, timeout: float = BOOT_TIMEOUT) -> float:
        """Stop and start again with the same storage; returns the seconds of the start."""
        await self.stop()
        self._fresh = False
        return await self.start(timeout=timeout)

    async def wait_ended(self) -> int:
        """Wait until Home Assistant ends by itself; returns the exit code."""
        if self._process is None:
            raise ServerError("Home Assistant does not run")
        return await self._process.wait()

    def forget(self) -> None:
        """Throw all state of the configuration folder away. Home Assistant must not run."""
        if self.pid is not None:
            raise ServerError("Home Assistant runs")
        for name in STATE:
            path = self.config_dir / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Write the configuration folder."""
        if self._fresh:
            self.forget()
        storage = self.config_dir / ".storage"
        components = self.config_dir / "custom_components"
        storage.mkdir(parents=True, exist_ok=True)
        components.mkdir(exist_ok=True)
        self.media_dir.mkdir(exist_ok=True)
        for old in self.config_dir.glob("home-assistant.log*"):
            old.unlink()
        (self.config_dir / "hass.out").write_text("")
        self._install_integration(components / self._integration.name)
        (self.config_dir / "configuration.yaml").write_text(self._configuration())
        (storage / "http").write_text(json.dumps(self._http_storage()))
        onboarding = storage / "onboarding"
        if not onboarding.exists():
            document = {
                "version": 4,
                "minor_version": 1,
                "key": "onboarding",
                "data": {"done": ["core_config"]},
            }
            onboarding.write_text(json.dumps(document))

    def _install_integration(self, target: Path) -> None:
        """Link or copy the integration."""
        if target.is_symlink() or target.is_file():
            target.unlink()
        elif target.is_dir():
            shutil.rmtree(target)
        if self._copy:
            shutil.copytree(
                self._integration, target, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            target.symlink_to(self._integration.absolute(), target_is_directory=True)

    def _configuration(self) -> str:
        """Return configuration.yaml: no default_config, so no cloud and no database."""
        levels = "".join(
            f"    {name}: {level}\n" for name, level in sorted(self._log_levels.items())
        )
        return (
            "homeassistant:\n"
            f"  name: {json.dumps(self._name)}\n"
            "  latitude: 52.0\n  longitude: 5.0\n  elevation: 0\n"
            "  unit_system: metric\n  currency: EUR\n  country: NL\n  language: en\n  time_zone: UTC\n"
            # Where it believes to be in a container it would take the system's own folder.
            f"  media_dirs:\n    local: {json.dumps(str(self.media_dir))}\n"
            f"  internal_url: {self.url}\n  external_url: {self.url}\n"
            "frontend:\nconfig:\n"
            f"logger:\n  default: warning\n  logs:\n{levels}"
            f"{self._yaml}"
        )

    def _http_storage(self) -> dict[str, object]:
        """Return the confirmed settings of the HTTP server."""
        stable = {
            "server_port": self.port,
            "server_host": [self.host],
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": True,
            "ssl_profile": "intermediate_v6",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        data = {"stable": stable, "pending": None, "yaml_migration_done": True}
        return {"version": 3, "minor_version": 1, "key": "http", "data": data}

    async def _check_port_is_free(self) -> None:
        """Fail early: Home Assistant itself would go on without an HTTP server."""
        try:
            _, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return
        writer.close()
        raise ServerError(f"something else answers on {self.host}:{self.port}")

    async def _wait_answer(self) -> None:
        """Wait until the HTTP server answers, asked from where it runs."""
        probe = await asyncio.create_subprocess_exec(
            *self._prefix,
            *(
                str(self.python),
                "-c",
                _PROBE,
                f"{self.url}/manifest.json",
                str(ANSWER_TIMEOUT),
            ),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT + 10):
                code = await probe.wait()
        finally:
            if probe.returncode is None:
                probe.kill()
        if code:
            raise TimeoutError(f"no answer from {self.url}")


def _child_environment() -> dict[str, str]:
    """Return our environment, with a place for byte code: a start takes half the time with it."""
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(ROOT / ".cache" / "pycache")
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def die_with_parent() -> tuple[str, ...]:
    """Return the command prefix that ends a child whose parent was killed, where there is one."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()
