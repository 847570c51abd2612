"""What can be told to a fake Apple TV that runs as a program, one line each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_commands import NO_HANDLER, CommandError as RequestError
from tests.fakes.apple_tv_core import FLAVOURS
from tests.fakes.apple_tv_evening import FILMS, MUSIC, TV, Evening, episode, film, songs
from tests.fakes.apple_tv_models import MUSIC_COMMANDS, FakeOutput
from tests.fakes.line_program import CommandError

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv

type _Answer = dict[str, object] | None
type _Run = Callable[[FakeAppleTv, list[str]], _Answer | Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and what follows its name."""

    usage: str
    run: _Run


async def run_command(device: FakeAppleTv, words: list[str]) -> dict[str, object]:
    """Do what a line says; returns what is to be told. Raises CommandError."""
    command = COMMANDS.get(words[0])
    if command is None:
        raise CommandError("unknown; try help")
    try:
        answer = command.run(device, words[1:])
        if answer is None or isinstance(answer, dict):
            return answer or {}
        await answer
    except (ValueError, LookupError, AssertionError) as error:
        raise CommandError(f"usage: {words[0]} {command.usage}".strip()) from error
    return {}


def state_of(device: FakeAppleTv) -> dict[str, object]:
    """Return what it is and does, for a line of output."""
    item = device.mrp.media.item
    return {
        "power": "on" if device.is_on else "off",
        "deep": device.is_deeply_asleep,
        "ports": dict(device.ports),
        "address": device.address,
        "clients": len(device.companion.connections),
        "paired": {name: len(known) for name, known in device.desk.pairings.items()},
        "volume": round(device.volume * 100, 1),
        "title": item.title if item is not None else None,
        "app": device.mrp.media.active,
        "launched": device.current_app,
        "account": device.current_account,
        "text_open": device.text_field is not None,
    }


def _help(device: FakeAppleTv, words: list[str]) -> _Answer:
    return {name: command.usage for name, command in COMMANDS.items()}


def _state(device: FakeAppleTv, words: list[str]) -> _Answer:
    return state_of(device)


def _simple(action: Callable[[FakeAppleTv], object]) -> _Run:
    def run(device: FakeAppleTv, words: list[str]) -> _Answer:
        action(device)
        return None

    return run


def _play(device: FakeAppleTv, words: list[str]) -> _Answer:
    media = device.mrp.media
    match words:
        case []:
            media.set_state(pb.PLAYBACK_STATE_PLAYING)
        case ["film"]:
            media.play(FILMS[0], film(), name=FILMS[1])
        case ["episode"]:
            media.play(TV[0], episode(), name=TV[1])
        case ["music"]:
            media.play(MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS)
        case _:
            raise ValueError(words)
    return None


def _pause(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.mrp.media.set_state(pb.PLAYBACK_STATE_PAUSED)
    return None


def _seek(device: FakeAppleTv, words: list[str]) -> _Answer:
    player = device.mrp.media.player
    if player is None or player.state is None:
        raise LookupError
    device.mrp.media.set_state(player.state, position=float(words[0]))
    return None


def _volume(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.set_volume(float(words[0]) / 100)
    return None


def _speaker(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.mrp.add_speaker(FakeOutput(words[0], " ".join(words[1:]) or words[0]))
    return None


def _text(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.open_text(" ".join(words))
    return None


def _type(device: FakeAppleTv, words: list[str]) -> _Answer:
    if device.text_field is None:
        raise LookupError
    device.text_field.text += " ".join(words)
    device.text_changed()
    return None


def _pin(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.desk.pin = f"{int(words[0]):04}"
    return None


def _unpair(device: FakeAppleTv, words: list[str]) -> _Answer:
    match words:
        case []:
            device.unpair()
        case ["airplay" | "companion" | "mrp" as protocol]:
            device.desk.unpair(protocol)
            device.drop()
        case _:
            raise ValueError(words)
    return None


def _back_off(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.desk.back_off = float(words[0])
    return None


def _on_off(words: list[str]) -> bool:
    return {"on": True, "off": False}[words[0] if words else "on"]


def _busy(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.desk.is_busy = _on_off(words)
    return None


def _full(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.desk.max_pairings = 0 if _on_off(words) else None
    return None


def _impostor(device: FakeAppleTv, words: list[str]) -> _Answer:
    wrong = _on_off(words)
    device.desk.wrong_signature = {"setup", "verify"} if wrong else set()
    device.desk.wrong_proof = wrong
    return None


def _mute(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.companion.mute = set(words)
    return None


def _fail(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.companion.errors = {name: RequestError(NO_HANDLER) for name in words}
    return None


def _delay(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.companion.answer_delay = float(words[0])
    return None


def _split(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.split(int(words[0]))
    return None


def _flood(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.mischief.flood(int(words[0]))
    return None


def _restart(device: FakeAppleTv, words: list[str]) -> Awaitable[None]:
    return device.restart(new_ports=words == ["ports"])


async def _reboot(device: FakeAppleTv, words: list[str]) -> None:
    await device.stop_for_a_while(float(words[0]) if words else 5.0)


def _move(device: FakeAppleTv, words: list[str]) -> Awaitable[None]:
    return device.move(words[0])


def _apps(device: FakeAppleTv, words: list[str]) -> _Answer:
    device.apps[words[0]] = " ".join(words[1:])
    return {"count": len(device.apps)}


def _rename(device: FakeAppleTv, words: list[str]) -> _Answer:
    if not words:
        raise ValueError
    device.rename(" ".join(words))
    return None


def _update(device: FakeAppleTv, words: list[str]) -> Awaitable[None]:
    for name in FLAVOURS:
        if name == words[0]:
            device.update(name)
            return device.restart()
    raise ValueError(words)


def _step(device: FakeAppleTv, words: list[str]) -> _Answer:
    evening = Evening(device, 0)
    for _ in range(int(words[0]) if words else 1):
        evening.step()
    return None


COMMANDS: dict[str, Command] = {
    "help": Command("", _help),
    "state": Command("", _state),
    "on": Command("", _simple(lambda device: device.wake())),
    "off": Command("", _simple(lambda device: device.sleep(deep=False))),
    "deep": Command("", _simple(lambda device: device.sleep())),
    "screensaver": Command("", _simple(lambda device: device.screensaver())),
    "play": Command("[film|episode|music]", _play),
    "pause": Command("", _pause),
    "seek": Command("SECONDS", _seek),
    "stop": Command("", _simple(lambda device: device.mrp.media.clear())),
    "step": Command("[COUNT]", _step),
    "volume": Command("PERCENT", _volume),
    "speaker": Command("ID NAME", _speaker),
    "app": Command("BUNDLE NAME", _apps),
    "text": Command("[TEXT]", _text),
    "type": Command("TEXT", _type),
    "close_text": Command("", _simple(lambda device: device.close_text())),
    "pin": Command("NNNN", _pin),
    "unpair": Command("[airplay|companion|mrp]", _unpair),
    "erase": Command("", _simple(lambda device: device.desk.new_identity())),
    "back_off": Command("SECONDS", _back_off),
    "busy": Command("[on|off]", _busy),
    "full": Command("[on|off]", _full),
    "impostor": Command("[on|off]", _impostor),
    "mute": Command("[REQUEST...]", _mute),
    "fail": Command("[REQUEST...]", _fail),
    "delay": Command("SECONDS", _delay),
    "split": Command("BYTES", _split),
    "flood": Command("COUNT", _flood),
    "undecryptable": Command(
        "", _simple(lambda device: device.mischief.undecryptable())
    ),
    "drop": Command("", _simple(lambda device: device.drop())),
    "vanish": Command("", _simple(lambda device: device.vanish())),
    "back": Command("", _simple(lambda device: device.come_back())),
    "restart": Command("[ports]", _restart),
    "reboot": Command("[SECONDS]", _reboot),
    "rename": Command("NAME", _rename),
    "rotate": Command("", _simple(lambda device: device.rotate())),
    "update": Command("OS", _update),
    "move": Command("ADDRESS", _move),
}
