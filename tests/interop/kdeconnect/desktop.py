"""What a desktop has that a daemon uses as a client: a display and a sound server.

Both are real programs inside the daemon's session: Xvfb, whose clipboard and pointer are
looked at with xclip and xdotool, and PulseAudio with two sinks that play to nowhere.
"""

from dataclasses import dataclass
import json
from typing import Final

from .container import HOME, Container, Process
from .waiting import PATIENCE, until, until_true

DISPLAY: Final = ":7"
WIDTH: Final = 1024
HEIGHT: Final = 768
# Name of the sink and what the user reads; the first one is the default.
SINKS: Final = {"speakers": "Speakers", "headphones": "Headphones"}
ENVIRONMENT: Final = {
    "DISPLAY": DISPLAY,
    "PULSE_SERVER": f"unix:{HOME}/run/pulse/native",
}
_SOUND: Final = "\n".join(
    [
        (
            f"load-module module-native-protocol-unix auth-anonymous=1"
            f" socket={HOME}/run/pulse/native"
        ),
        *(
            f"load-module module-null-sink sink_name={name}"
            f" sink_properties=device.description={description}"
            for name, description in SINKS.items()
        ),
        f"set-default-sink {next(iter(SINKS))}",
        "",
    ]
)


@dataclass(frozen=True, slots=True)
class Sink:
    """A sink as the sound server has it; the volume is in per cent."""

    volume: int
    is_muted: bool


class Desktop:
    """The programs of one session; they end with the session."""

    def __init__(self, container: Container) -> None:
        """Nothing runs yet."""
        self._container = container
        self._programs: list[Process] = []

    async def start(self) -> None:
        """Start display and sound and wait until both answer."""
        for folder in ("run", "run/pulse"):
            (self._container.home / folder).mkdir(mode=0o700, exist_ok=True)
        (self._container.home / "sound.pa").write_text(_SOUND, encoding="ascii")
        for log, command in (
            (
                "display.log",
                f"Xvfb {DISPLAY} -screen 0 {WIDTH}x{HEIGHT}x24 -nolisten tcp",
            ),
            (
                "sound.log",
                (
                    "pulseaudio -n --daemonize=no --exit-idle-time=-1 --disallow-exit"
                    f" --file={HOME}/sound.pa"
                ),
            ),
        ):
            program = await self._container.spawn(command.split(), ENVIRONMENT, log)
            self._programs.append(program)
        socket = f"tmp/.X11-unix/X{DISPLAY.removeprefix(':')}"
        await until_true(
            lambda: self._container.file(socket).exists(), "the display is up"
        )
        await until(self._has_sinks, "the sound server has its sinks")

    async def set_clipboard(self, text: str) -> None:
        """Copy a text, as a program of the desktop does."""
        # It stays in the background as the owner of the clipboard.
        await self._run("xclip", "-selection", "clipboard", "-in", text=text)

    async def clipboard(self) -> str:
        """Return the text of the clipboard, empty when there is none."""
        return await self._run("xclip", "-selection", "clipboard", "-out")

    async def wait_clipboard(self, text: str, patience: float = PATIENCE) -> None:
        """Wait until the clipboard has a text."""

        async def look() -> bool:
            return await self.clipboard() == text

        await until(look, "the clipboard has the text", patience)

    async def pointer(self) -> tuple[int, int]:
        """Return where the pointer is, in pixels from the upper left corner."""
        text = await self._run("xdotool", "getmouselocation", "--shell")
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return int(values["X"]), int(values["Y"])

    async def move_pointer(self, x: int, y: int) -> None:
        """Put the pointer somewhere."""
        await self._run("xdotool", "mousemove", str(x), str(y))

    async def sinks(self) -> dict[str, Sink]:
        """Return the sinks by name."""
        text = await self._run("pactl", "--format=json", "list", "sinks")
        found: dict[str, Sink] = {}
        for item in json.loads(text or "[]"):
            values = [
                int(channel["value_percent"].rstrip("%"))
                for channel in item["volume"].values()
            ]
            found[item["name"]] = Sink(max(values), item["mute"])
        return found

    async def default_sink(self) -> str:
        """Return the name of the default sink."""
        return (await self._run("pactl", "get-default-sink")).strip()

    async def set_volume(self, name: str, percent: int) -> None:
        """Set the volume of a sink."""
        await self._run("pactl", "set-sink-volume", name, f"{percent}%")

    async def set_muted(self, name: str, *, muted: bool) -> None:
        """Mute a sink or not."""
        await self._run("pactl", "set-sink-mute", name, "1" if muted else "0")

    async def set_default_sink(self, name: str) -> None:
        """Make a sink the default."""
        await self._run("pactl", "set-default-sink", name)

    async def wait_sink(
        self, name: str, wanted: Sink, patience: float = PATIENCE
    ) -> None:
        """Wait until a sink is as wanted."""

        async def look() -> bool:
            return (await self.sinks()).get(name) == wanted

        await until(look, f"{name} has {wanted}", patience)

    async def _has_sinks(self) -> bool:
        return set(await self.sinks()) >= set(SINKS)

    async def _run(self, *command: str, text: str | None = None) -> str:
        return await self._container.run(command, ENVIRONMENT, text)
