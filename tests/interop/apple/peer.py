"""The other project's client, in a process of its own."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Final, override

from .client import Client, Credentials, Found, Plain, State
from .environment import find_peer
from tests.e2e.shapes import JsonObject, JsonValue, as_list, as_object
from tests.fakes.apple_tv import FakeAppleTv
from tests.interop.report import CheckError
from tests.interop.smartglass.program import Program

_PROGRAM: Final = Path(__file__).with_name("peer_program.py")
_KEYS: Final = (
    *("up", "down", "left", "right", "select", "menu", "home", "home_hold"),
    *("top_menu", "channel_up", "channel_down", "screensaver", "guide"),
    *("control_center", "play", "pause", "play_pause", "stop", "next", "previous"),
)
# What is done with which method, and which of its arguments are of which enum.
ACTIONS: Final[Mapping[str, tuple[str, dict[str, str]]]] = {
    **{key: (f"remote_control.{key}", {}) for key in _KEYS},
    **{
        f"{key}_{action}": (f"remote_control.{key}", {"0": f"InputAction.{member}"})
        for key in ("up", "select", "menu")
        for action, member in (("hold", "Hold"), ("double", "DoubleTap"))
    },
    "skip_forward": ("remote_control.skip_forward", {}),
    "skip_backward": ("remote_control.skip_backward", {}),
    "seek": ("remote_control.set_position", {}),
    "set_volume": ("audio.set_volume", {}),
    "volume_up": ("audio.volume_up", {}),
    "volume_down": ("audio.volume_down", {}),
    "add_outputs": ("audio.add_output_devices", {}),
    "remove_outputs": ("audio.remove_output_devices", {}),
    "set_outputs": ("audio.set_output_devices", {}),
    "turn_on": ("power.turn_on", {}),
    "turn_off": ("power.turn_off", {}),
    "launch": ("apps.launch_app", {}),
    "play_url": ("stream.play_url", {}),
    "switch_account": ("user_accounts.switch_account", {}),
    "text_get": ("keyboard.text_get", {}),
    "text_set": ("keyboard.text_set", {}),
    "text_append": ("keyboard.text_append", {}),
    "text_clear": ("keyboard.text_clear", {}),
    "swipe": ("touch.swipe", {}),
    "click": ("touch.click", {"0": "InputAction.SingleTap"}),
    **{
        f"shuffle_{member.lower()}": (
            "remote_control.set_shuffle",
            {"0": f"ShuffleState.{member}"},
        )
        for member in ("Off", "Albums", "Songs")
    },
    **{
        f"repeat_{member.lower()}": (
            "remote_control.set_repeat",
            {"0": f"RepeatState.{member}"},
        )
        for member in ("Off", "Track", "All")
    },
}


class PeerClient(Client):
    """pyatv."""

    name = "pyatv"

    def __init__(self, mdns_port: int) -> None:
        """`mdns_port` is where all devices answer."""
        self._command = (
            *("env", f"PYATV_UDNS_PORT={mdns_port}"),
            *(str(find_peer()), "-W", "ignore", str(_PROGRAM)),
        )
        self._program: Program | None = None
        self._found: set[str] = set()

    @property
    def program(self) -> Program:
        """The process."""
        assert self._program is not None
        return self._program

    @override
    async def start(self) -> None:
        """Run the process."""
        self._program = Program(self.name, self._command)
        await self._program.start()

    @override
    async def stop(self) -> None:
        """End it."""
        program, self._program = self._program, None
        if program is not None:
            await program.stop()

    @override
    async def find(self, *devices: FakeAppleTv) -> list[Found]:
        hosts: JsonValue = [device.address for device in devices]
        answer = await self.program.do("scan", hosts=hosts)
        found = [as_object(item) for item in as_list(answer["devices"])]
        self._found = {str(item["address"]) for item in found}
        return sorted((_found(item) for item in found), key=lambda item: item.name)

    async def _known(self, device: FakeAppleTv) -> None:
        if device.address not in self._found:
            await self.find(device)

    @override
    async def pair(self, device: FakeAppleTv, protocol: str, pin: str) -> str:
        await self._known(device)
        await self.program.do("pair", address=device.address, protocol=protocol)
        done = await self.program.do("finish", pin=pin)
        return str(done["credentials"])

    @override
    async def connect(
        self, device: FakeAppleTv, credentials: Credentials, *protocols: str
    ) -> None:
        self.program.mark()
        await self.find(device)
        await self.program.do(
            "connect",
            address=device.address,
            credentials=dict(credentials),
            protocols=list(protocols),
        )

    @override
    async def playing(self) -> Mapping[str, Plain]:
        told = await self.program.do("playing")
        app = told.pop("app")
        # That nothing plays is an app without a name there, and no app at all here.
        told["app"] = app["identifier"] or None if isinstance(app, dict) else None
        told["app_name"] = app["name"] if isinstance(app, dict) else None
        return {name: _plain(value) for name, value in told.items()}

    @override
    async def state(self) -> State:
        told = await self.program.do("state")
        volume = told["volume"]
        features = as_object(told["features"])
        return State(
            str(told["power"]),
            float(volume) if isinstance(volume, int | float) else -1.0,
            tuple(str(name) for name in as_list(told["outputs"])),
            {name: str(state).lower() for name, state in features.items()},
        )

    @override
    async def artwork(self) -> bytes:
        told = await self.program.do("artwork")
        return base64.b64decode(str(told.get("begin", "")))

    @override
    async def do(self, action: str, *arguments: Plain) -> Plain:
        method, enums = ACTIONS[action]
        more: JsonObject = dict(enums)
        if action == "swipe":
            # Positions of the pad are whole numbers there, too.
            arguments = tuple(int(number or 0) for number in arguments)
        done = await self.program.do(
            "call", method=method, arguments=list(arguments), enums=more
        )
        return _plain(done["result"])

    @override
    async def names(self, what: str) -> list[str]:
        method = {"apps": "apps.app_list", "accounts": "user_accounts.account_list"}
        done = await self.program.do("call", method=method[what], arguments=[])
        return sorted(str(as_object(item)["name"]) for item in as_list(done["result"]))

    @override
    async def close(self) -> None:
        await self.program.do("close")


def _plain(value: JsonValue) -> Plain:
    if isinstance(value, str | int | float) or value is None:
        return value
    raise CheckError(f"not a plain value: {value!r}")


def _found(item: JsonObject) -> Found:
    services = {}
    for protocol, told in as_object(item["services"]).items():
        service = as_object(told)
        port, identifier = service["port"], service["identifier"]
        services[protocol] = (
            port if isinstance(port, int) else 0,
            None if identifier is None else str(identifier),
            str(service["pairing"]).lower(),
            service["is_enabled"] is True,
        )
    return Found(
        str(item["name"]),
        frozenset(str(text) for text in as_list(item["identifiers"])),
        str(item["raw_model"]),
        str(item["version"]),
        item["is_asleep"] is True,
        services,
    )
