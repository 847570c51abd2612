"""What a user may tell a fake KDE Connect device to do: one line is one command.

Every command is a word and what belongs to it; `COMMANDS` has them by the word, each with a
line for the user. A command that cannot be carried out raises LookupError, ValueError or
AssertionError.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from tests.e2e.kdeconnect_furniture import ADA, PEOPLE, chat
from tests.e2e.media import picture
from tests.fakes.kdeconnect import FakeDevice, FakePeer
from tests.fakes.kdeconnect_share import SharedFile

PICTURE: Final = ((240, 90, 70), (70, 90, 240))
"""The colours of the picture that is shared."""

_PAIRING: Final = ("request", "unpair")

type Action = Callable[[FakeDevice, str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command; `has` is the kind of device that has it, None for every kind."""

    action: Action
    usage: str
    has: Literal["phone", "computer"] | None = None


async def steer(device: FakeDevice, line: str) -> bool:
    """Carry a line out; returns whether it is a command of such a device."""
    word, _, argument = line.partition(" ")
    command = COMMANDS.get(word)
    if command is None or command.has not in {None, device.kind}:
        return False
    await command.action(device, argument.strip())
    return True


def usages(kind: Literal["phone", "computer"] | None) -> list[str]:
    """Return how the commands are written that only a kind of device has, or all kinds."""
    written = [command.usage for command in COMMANDS.values() if command.has == kind]
    return [*_PAIRING, *written] if kind is None else written


# --- both ---


def _home(device: FakeDevice) -> FakePeer:
    """Return the Home Assistant that we are paired with; its televisions are others."""
    for peer in device.linked:
        if peer.is_paired and peer.identity.device_type != "tv":
            return peer
    raise LookupError("not paired and connected")


async def _battery(device: FakeDevice, argument: str) -> None:
    await device.battery.set(int(argument))


async def _ping(device: FakeDevice, argument: str) -> None:
    await device.ping.send(argument or None)


async def _copy(device: FakeDevice, argument: str) -> None:
    await device.clipboard.copy(argument)
    if not device.clipboard.tells:
        # What Android does when its user taps on "send clipboard".
        await device.clipboard.send()


async def _share(device: FakeDevice, argument: str) -> None:
    if "://" in argument:
        await device.share.send_url(argument)
    else:
        await device.share.send_text(argument)


async def _share_files(device: FakeDevice, argument: str) -> None:
    names = [name.strip() for name in argument.split("|")]
    files = [SharedFile(name or "Picture.png", picture(*PICTURE)) for name in names]
    await device.share.send_files(*files, device_id=_home(device).device_id)


async def _find(device: FakeDevice, argument: str) -> None:
    await device.find.send()


async def _do_player(device: FakeDevice, argument: str) -> None:
    action, _, name = argument.partition(" ")
    await device.players.act(name, action)


async def _do_command(device: FakeDevice, argument: str) -> None:
    keys = [
        key
        for key, command in device.remote_commands.commands.items()
        if command.name == argument
    ]
    if not keys:
        raise LookupError("no such command of Home Assistant")
    await device.remote_commands.run(keys[0])


async def _type(device: FakeDevice, argument: str) -> None:
    await device.input.set_takes_keys(argument == "on")


# --- phones ---


async def _notify(device: FakeDevice, argument: str) -> None:
    title, _, text = argument.partition("|")
    await device.notifications.post(chat(title.strip(), text.strip()))


async def _call(device: FakeDevice, argument: str) -> None:
    number = argument or ADA
    await device.telephony.ring(number, PEOPLE.get(number))


async def _answer(device: FakeDevice, argument: str) -> None:
    await device.telephony.answer()


async def _hang_up(device: FakeDevice, argument: str) -> None:
    await device.telephony.hang_up()


async def _miss(device: FakeDevice, argument: str) -> None:
    await device.telephony.miss()


async def _text(device: FakeDevice, argument: str) -> None:
    await device.sms.arrive(ADA, argument)


async def _bars(device: FakeDevice, argument: str) -> None:
    await device.connectivity.set("1", bars=int(argument))


async def _tv(device: FakeDevice, argument: str) -> None:
    key = argument.strip()
    if key not in {"left", "up", "right", "down", "select", "home", "back", "close"}:
        raise ValueError("no such key")
    await device.tv_remote.press(key)  # type: ignore[arg-type]


# --- computers ---


def _newest(device: FakeDevice) -> str:
    """Return the id of the notification of Home Assistant that came last."""
    shown = list(device.desktop.shown)
    if not shown:
        raise LookupError("no notification is shown")
    return shown[-1]


async def _click(device: FakeDevice, argument: str) -> None:
    await device.desktop.press(_newest(device), argument)


async def _reply(device: FakeDevice, argument: str) -> None:
    await device.desktop.reply(_newest(device), argument)


async def _dismiss(device: FakeDevice, argument: str) -> None:
    await device.desktop.dismiss(_newest(device))


async def _post(device: FakeDevice, argument: str) -> None:
    title, _, text = argument.partition("|")
    await device.desktop.post("Mail", title.strip(), text.strip())


async def _volume(device: FakeDevice, argument: str) -> None:
    sink = device.sinks.sinks[device.sinks.default or ""]
    volume = round(int(argument) * sink.max_volume / 100)
    await device.sinks.change(sink.name, volume=volume)


async def _lock(device: FakeDevice, argument: str) -> None:
    await device.lock.set(locked=argument != "off")


COMMANDS: Final = {
    "battery": Command(_battery, "battery PERCENT"),
    "ping": Command(_ping, "ping TEXT"),
    "copy": Command(_copy, "copy TEXT"),
    "share": Command(_share, "share TEXT or https://..."),
    "share-files": Command(_share_files, "share-files NAME | NAME"),
    "find": Command(_find, "find"),
    "player": Command(_do_player, "player PlayPause NAME"),
    "run": Command(_do_command, "run NAME"),
    "keyboard": Command(_type, "keyboard on"),
    "notify": Command(_notify, "notify TITLE | TEXT", "phone"),
    "call": Command(_call, "call NUMBER", "phone"),
    "answer": Command(_answer, "answer", "phone"),
    "hang-up": Command(_hang_up, "hang-up", "phone"),
    "miss": Command(_miss, "miss", "phone"),
    "text": Command(_text, "text TEXT", "phone"),
    "bars": Command(_bars, "bars 0-4", "phone"),
    "tv": Command(_tv, "tv up, select, home ...", "phone"),
    "click": Command(_click, "click BUTTON", "computer"),
    "reply": Command(_reply, "reply TEXT", "computer"),
    "dismiss": Command(_dismiss, "dismiss", "computer"),
    "post": Command(_post, "post TITLE | TEXT", "computer"),
    "volume": Command(_volume, "volume PERCENT", "computer"),
    "lock": Command(_lock, "lock on, lock off", "computer"),
}
