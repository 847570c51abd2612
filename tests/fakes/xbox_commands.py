"""What can be told to a fake console that runs as a program, one line each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.fakes.line_program import CommandError
from tests.fakes.xbox_models import HOME, PAUSED, PLAYING, FakeMedia, FakeTitle
from tests.fakes.xbox_network import Faults
from tests.fakes.xbox_wire import Value

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

type _Answer = dict[str, Value] | None


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and what follows its name."""

    usage: str
    run: Callable[[FakeConsole, list[str]], _Answer]


async def run_command(console: FakeConsole, words: list[str]) -> dict[str, Value]:
    """Do what a line says; returns what is to be told. Raises CommandError."""
    command = COMMANDS.get(words[0])
    if command is None:
        raise CommandError("unknown; try help")
    try:
        return command.run(console, words[1:]) or {}
    except (ValueError, LookupError) as error:
        raise CommandError(f"usage: {words[0]} {command.usage}".strip()) from error


def _help(console: FakeConsole, words: list[str]) -> _Answer:
    return {name: command.usage for name, command in COMMANDS.items()}


def _state(console: FakeConsole, words: list[str]) -> _Answer:
    media = console.media
    return {
        "state": console.power.state,
        "clients": list[Value](console.participants),
        "titles": [title.aum for title in console.titles],
        "media": None if media is None else media.asset_id,
        "position": None if media is None else media.position,
        "text_open": console.keyboard.is_open,
    }


def _launch(console: FakeConsole, words: list[str]) -> _Answer:
    location = int(words[2]) if len(words) > 2 else 0
    console.launch(FakeTitle(int(words[0], 16), words[1], location=location))
    return None


def _titles(console: FakeConsole, words: list[str]) -> _Answer:
    titles = []
    for word in words:
        number, aum, *more = word.split(",")
        location = int(more[0]) if more else 0
        titles.append(
            FakeTitle(int(number, 16), aum, has_focus=len(more) > 1, location=location)
        )
    console.set_titles(titles)
    return None


def _media(console: FakeConsole, words: list[str]) -> _Answer:
    what, *rest = words
    media = console.media
    if what == "none":
        console.set_media(None)
    elif what == "play" and (rest or media is None):
        title = " ".join(rest) or "The Long Loopback"
        console.set_media(FakeMedia(metadata={"title": title, "subtitle": ""}))
    elif what in ("play", "pause") and media is not None:
        status, rate = (PLAYING, 1.0) if what == "play" else (PAUSED, 0.0)
        console.set_media(replace(media, status=status, rate=rate))
    elif what == "seek" and media is not None:
        console.set_media(replace(media, position=float(rest[0])))
    else:
        raise ValueError(what)
    return None


def _asset(console: FakeConsole, words: list[str]) -> _Answer:
    console.set_media(FakeMedia(asset_id="a" * int(words[0])))
    return None


def _text(console: FakeConsole, words: list[str]) -> _Answer:
    return {"session": console.open_text(" ".join(words), max_length=256)}


def _password(console: FakeConsole, words: list[str]) -> _Answer:
    return {"session": console.open_text(" ".join(words), scope=0x1F, options=2)}


def _type(console: FakeConsole, words: list[str]) -> _Answer:
    console.keyboard.type(" ".join(words))
    return None


def _close_text(console: FakeConsole, words: list[str]) -> _Answer:
    console.close_text(accepted=words != ["cancel"])
    return None


def _surface(console: FakeConsole, words: list[str]) -> _Answer:
    console.set_surface(int(words[0]), 1280, 720)
    return None


def _refuse(console: FakeConsole, words: list[str]) -> _Answer:
    console.refuse(None if words == ["none"] else int(words[0]))
    return None


def _kick(console: FakeConsole, words: list[str]) -> _Answer:
    console.disconnect_clients(int(words[0]) if words else 0)
    return None


def _loss(console: FakeConsole, words: list[str]) -> _Answer:
    console.faults = replace(console.faults, loss=float(words[0]))
    return None


def _faults(console: FakeConsole, words: list[str]) -> _Answer:
    pairs = dict(word.split("=", 1) for word in words)
    numbers = {name: float(value) for name, value in pairs.items()}
    if set(numbers) - {"loss", "duplicate", "reorder", "delay"}:
        raise ValueError("another fault")
    console.faults = Faults(
        loss=numbers.get("loss", 0),
        duplicate=numbers.get("duplicate", 0),
        reorder=numbers.get("reorder", 0),
        delay=numbers.get("delay", 0),
    )
    return None


def _notify(console: FakeConsole, words: list[str]) -> _Answer:
    console.tv_service.notify(words[0])
    return None


def _simple(action: Callable[[FakeConsole], object]) -> Command:
    def run(console: FakeConsole, words: list[str]) -> _Answer:
        action(console)
        return None

    return Command("", run)


COMMANDS = {
    "help": Command("", _help),
    "state": Command("", _state),
    "on": _simple(lambda console: console.turn_on()),
    "off": _simple(lambda console: console.turn_off()),
    "button": _simple(lambda console: console.press_power_button()),
    "unplug": _simple(lambda console: console.unplug()),
    "plug": _simple(lambda console: console.plug_in()),
    "disappear": _simple(lambda console: console.disappear()),
    "reappear": _simple(lambda console: console.reappear()),
    "restart": _simple(lambda console: console.restart()),
    "home": _simple(lambda console: console.launch(HOME)),
    "launch": Command("<hex id> <aum> [location]", _launch),
    "titles": Command("<hex id>,<aum>[,location[,focus]] ...", _titles),
    "media": Command("play [title] | pause | seek <seconds> | none", _media),
    "asset": Command("<length of the id of what plays>", _asset),
    "text": Command("<prompt>", _text),
    "password": Command("<prompt>", _password),
    "type": Command("<text>", _type),
    "close_text": Command("[cancel]", _close_text),
    "pair": _simple(lambda console: console.set_pairing(1)),
    "unpair": _simple(lambda console: console.set_pairing(0)),
    "surface": Command("<type>", _surface),
    "refuse": Command("<result> | none", _refuse),
    "kick": Command("[reason]", _kick),
    "loss": Command("<share>", _loss),
    "faults": Command("loss=.. duplicate=.. reorder=.. delay=..", _faults),
    "notify": Command("<notification>", _notify),
}
