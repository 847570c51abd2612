"""The other project's client, pyatv, driven by lines of JSON on its standard input.

It runs in an environment of its own; nothing of ours is imported here. The client's
modules are fetched by name, as its types are of no use where the types are checked.
"""

import asyncio
import base64
import contextlib
from enum import Enum
import importlib
import json
import sys
from typing import Any

pyatv = importlib.import_module("pyatv")
exceptions = importlib.import_module("pyatv.exceptions")
const = importlib.import_module("pyatv.const")

_PLAYING = (
    "title",
    "artist",
    "album",
    "genre",
    "total_time",
    "position",
    "series_name",
    "season_number",
    "episode_number",
    "content_identifier",
    "itunes_store_identifier",
    "hash",
    "device_state",
    "media_type",
    "shuffle",
    "repeat",
)


def say(kind: str, data: dict[str, Any]) -> None:
    """Print what happened."""
    print(json.dumps({"kind": kind, "data": data}), flush=True)


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (str, int, float, bool, dict)) or value is None:
        return value
    return {"identifier": value.identifier, "name": value.name}


class Listener:
    """Tells of what the client tells of."""

    def connection_lost(self, exception: Any) -> None:
        """Tell."""
        say("lost", {"error": type(exception).__name__})

    def connection_closed(self) -> None:
        """Tell."""
        say("closed", {})

    def playstatus_update(self, updater: Any, playstatus: Any) -> None:
        """Tell."""
        say("playing", {name: plain(getattr(playstatus, name)) for name in _PLAYING})

    def playstatus_error(self, updater: Any, exception: Any) -> None:
        """Tell."""
        say("playing_error", {"error": str(exception)})

    def powerstate_update(self, old_state: Any, new_state: Any) -> None:
        """Tell."""
        say("power", {"old": plain(old_state), "new": plain(new_state)})

    def volume_update(self, old_level: float, new_level: float) -> None:
        """Tell."""
        say("volume", {"volume": round(new_level, 1)})

    def volume_device_update(self, device: Any, old: float, new: float) -> None:
        """Tell."""
        say("device_volume", {"device": device.identifier, "volume": round(new, 1)})

    def outputdevices_update(self, old_devices: Any, new_devices: Any) -> None:
        """Tell."""
        say("outputs", {"names": sorted(device.name for device in new_devices)})

    def focusstate_update(self, old_state: Any, new_state: Any) -> None:
        """Tell."""
        say("focus", {"new": plain(new_state)})


class Peer:
    """The client, and what can be asked of it."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self.found: dict[str, Any] = {}
        self.pairing: Any = None
        self.atv: Any = None
        self.listener = Listener()

    async def scan(self, hosts: list[str], timeout: int = 5) -> dict[str, Any]:
        """Search at addresses."""
        loop = asyncio.get_running_loop()
        devices = await pyatv.scan(loop, timeout=timeout, hosts=hosts)
        self.found = {str(device.address): device for device in devices}
        return {"devices": [self._describe(device) for device in devices]}

    @staticmethod
    def _describe(device: Any) -> dict[str, Any]:
        info = device.device_info
        return {
            "name": device.name,
            "address": str(device.address),
            "identifier": device.identifier,
            "identifiers": sorted(device.all_identifiers),
            "is_asleep": device.deep_sleep,
            "model": info.model_str,
            "raw_model": info.raw_model,
            "version": info.version,
            "build": info.build_number,
            "mac": info.mac,
            "services": {
                service.protocol.name.lower(): {
                    "port": service.port,
                    "identifier": service.identifier,
                    "is_enabled": service.enabled,
                    "pairing": service.pairing.name,
                    "requires_password": service.requires_password,
                }
                for service in device.services
            },
        }

    async def pair(self, address: str, protocol: str) -> dict[str, Any]:
        """Begin to pair; the device shows a PIN."""
        loop = asyncio.get_running_loop()
        self.pairing = await pyatv.pair(
            self.found[address], protocol_of(protocol), loop, name="Peer"
        )
        await self.pairing.begin()
        return {}

    async def finish(self, pin: str) -> dict[str, Any]:
        """Go on with the PIN, return the credentials."""
        self.pairing.pin(pin)
        try:
            await self.pairing.finish()
            return {"credentials": self.pairing.service.credentials}
        finally:
            await self.pairing.close()

    async def connect(
        self, address: str, credentials: dict[str, str], protocols: list[str]
    ) -> dict[str, Any]:
        """Connect to these protocols alone."""
        config = self.found[address]
        for service in config.services:
            name = service.protocol.name.lower()
            service.enabled = name in protocols
            service.credentials = credentials.get(name)
        self.atv = await pyatv.connect(config, asyncio.get_running_loop())
        self.atv.listener = self.listener
        self.atv.power.listener = self.listener
        self.atv.audio.listener = self.listener
        with contextlib.suppress(Exception):
            self.atv.keyboard.listener = self.listener
        self.atv.push_updater.listener = self.listener
        self.atv.push_updater.start()
        return {}

    async def close(self) -> dict[str, Any]:
        """Disconnect."""
        if self.atv is not None:
            await asyncio.gather(*self.atv.close())
        self.atv = None
        return {}

    async def playing(self) -> dict[str, Any]:
        """Return what plays, and the app."""
        playing = await self.atv.metadata.playing()
        return {
            **{name: plain(getattr(playing, name)) for name in _PLAYING},
            "app": plain(self.atv.metadata.app),
            "artwork_id": self.atv.metadata.artwork_id,
        }

    async def state(self) -> dict[str, Any]:
        """Return the rest of what is known."""
        features = self.atv.features.all_features(include_unsupported=True)
        return {
            "power": plain(self.atv.power.power_state),
            "volume": round(self.asked("audio", "volume", 0.0), 1),
            "outputs": sorted(
                d.name for d in self.asked("audio", "output_devices", ())
            ),
            "features": {name.name: info.state.name for name, info in features.items()},
        }

    def asked(self, what: str, name: str, otherwise: Any) -> Any:
        """Return a property, or something else where no protocol has it."""
        try:
            return getattr(getattr(self.atv, what), name)
        except exceptions.NotSupportedError:
            return otherwise

    async def artwork(self, width: int = 512) -> dict[str, Any]:
        """Return the artwork."""
        found = await self.atv.metadata.artwork(width=width)
        if found is None:
            return {"size": 0}
        return {
            "size": len(found.bytes),
            "mime_type": found.mimetype,
            "begin": base64.b64encode(found.bytes[:64]).decode(),
        }

    async def call(
        self, method: str, arguments: list[Any], enums: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Call a method such as `remote_control.play`; enums are by position."""
        owner, _, name = method.rpartition(".")
        for position, text in (enums or {}).items():
            kind, _, member = text.partition(".")
            arguments.insert(int(position), getattr(getattr(const, kind), member))
        target = self.atv
        for part in owner.split("."):
            target = getattr(target, part)
        return {"result": plain(await getattr(target, name)(*arguments))}


def protocol_of(name: str) -> Any:
    """Return the protocol with a name in any case."""
    return next(p for p in const.Protocol if p.name.lower() == name)


async def main() -> None:
    """Do what the lines say until they end."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    peer = Peer()
    say("ready", {})
    while line := await reader.readline():
        wish = json.loads(line)
        try:
            say("done", await getattr(peer, wish.pop("do"))(**wish))
        except Exception as error:  # noqa: BLE001 - the checks look at it
            say("error", {"type": type(error).__name__, "text": str(error)})
    await peer.close()


if __name__ == "__main__":
    asyncio.run(main())
