"""The other project's client, driven by lines of JSON on its standard input.

It runs in a Python of that client's day: nothing of ours is imported here and nothing
written that is newer than Python 3.9. The client has no types, so that its modules are
fetched by name. It is for one session: the client does not forget enough for a second.
"""

import asyncio
from collections.abc import Callable
import importlib
import json
import sys
from typing import Any

consoles = importlib.import_module("xbox.sg.console")
enums = importlib.import_module("xbox.sg.enum")
managers = importlib.import_module("xbox.sg.manager")
tv_managers = importlib.import_module("xbox.stump.manager")
title_managers = importlib.import_module("xbox.auxiliary.manager")
aux_crypto = importlib.import_module("xbox.auxiliary.crypto")
aux_packer = importlib.import_module("xbox.auxiliary.packer")

PATIENCE = 10.0


def say(kind: str, data: dict[str, Any]) -> None:
    """Print what happened."""
    print(json.dumps({"kind": kind, "data": data}, default=str), flush=True)


async def until(look: Callable[[], Any], what: str) -> Any:
    """Look again and again: the client tells of little by itself."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not look():
        if loop.time() > end:
            raise TimeoutError(what)
        await asyncio.sleep(0.02)
    return look()


class Peer:
    """The client, and what can be asked of it."""

    def __init__(self) -> None:
        """Nothing is found yet."""
        self.found: dict[str, Any] = {}
        self.console: Any = None
        self.told: list[dict[str, Any]] = []

    async def discover(self, address: str = "") -> dict[str, Any]:
        """Search, by broadcast and multicast, and at an address."""
        found = await consoles.Console.discover(addr=address or None, tries=1)
        self.found = {console.address: console for console in found}
        return {
            "consoles": [
                {
                    **console.to_dict(),
                    "flags": console.flags.value,
                    "anonymous": console.anonymous_connection_allowed,
                }
                for console in found
            ]
        }

    async def wake(self, live_id: str) -> dict[str, Any]:
        """Switch a console on, by broadcast and multicast."""
        await consoles.Console.power_on(live_id)
        return {}

    async def connect(
        self, address: str, userhash: str = "", token: str = ""
    ) -> dict[str, Any]:
        """Connect to a console that was found, and open all channels."""
        console = self.console = self.found[address]
        for manager in (
            managers.InputManager,
            managers.MediaManager,
            managers.TextManager,
            tv_managers.StumpManager,
            title_managers.TitleManager,
        ):
            console.add_manager(manager)
        console.on_console_status += self._status
        console.on_pairing_state += lambda state: say("pairing", {"state": state.name})
        console.on_active_surface += self._surface
        console.on_timeout += lambda: say("timeout", {})
        media, text = console.managers["media"], console.managers["text"]
        media.on_media_state += self._media
        media.on_media_command_result += lambda answer: say(
            "media_result", {"request": answer.request_id, "result": answer.result}
        )
        media.on_media_controller_removed += lambda gone: say(
            "media_removed", {"title_id": gone.title_id}
        )
        text.on_systemtext_configuration += self._text_opened
        text.on_systemtext_input += lambda typed: say(
            "text_input",
            {"text": typed.text_chunk, "version": typed.submitted_version},
        )
        text.on_systemtext_done += lambda done: say(
            "text_done", {"session": done.text_session_id, "result": done.result.name}
        )
        console.on_json += self._json
        state = await console.connect(userhash or None, token or None)
        channels = console.protocol._chl_mgr._channel_mapping
        await until(lambda: len(channels) == 5, "not all channels are open")
        return {"state": state.name, "pairing": console.pairing_state.name}

    def _status(self, status: Any) -> None:
        if status is not None:
            titles = [
                {
                    "aum": title.aum,
                    "title_id": title.title_id,
                    "focused": title.disposition.has_focus,
                }
                for title in status.active_titles
            ]
            build = status.build_number
            say("status", {"build": build, "locale": status.locale, "titles": titles})

    def _surface(self, surface: Any) -> None:
        if surface is not None:
            say("surface", {"type": surface.surface_type.name})

    def _media(self, state: Any) -> None:
        metadata = {pair.name: pair.value for pair in state.metadata}
        say(
            "media",
            {
                "title_id": state.title_id,
                "asset": len(state.asset_id),
                "status": state.playback_status.name,
                "position": state.position,
                "end": state.media_end,
                "metadata": metadata,
            },
        )

    def _text_opened(self, field: Any) -> None:
        data = {"session": field.text_session_id, "prompt": field.prompt}
        say("text_opened", {**data, "scope": field.input_scope.name})

    def _json(self, body: Any, channel: Any) -> None:
        if channel.name == "SystemBroadcast":
            say("broadcast", body)

    async def press(self, button: str) -> dict[str, Any]:
        """Press a button and let it go."""
        for mask in (enums.GamePadButton[button], enums.GamePadButton.Clear):
            await self.console.gamepad_input(mask)
            await asyncio.sleep(0.1)
        return {}

    async def media(
        self, command: str, title_id: int, request: int, seek: int = 0
    ) -> dict[str, Any]:
        """Send a media command."""
        wanted = enums.MediaControlCommand[command]
        position = seek if command == "Seek" else None
        status = await self.console.media_command(title_id, wanted, request, position)
        return {"ack": status.name}

    async def text(self, text: str) -> dict[str, Any]:
        """Replace the text."""
        status = await self.console.send_systemtext_input(text)
        return {"ack": status.name}

    async def finish_text(self) -> dict[str, Any]:
        """Accept the text."""
        await self.console.finish_text_input()
        return {}

    async def tv(self, request: str, arguments: list[Any]) -> dict[str, Any]:
        """Ask the TV provider; the answer has passed the client's models."""
        answer = await getattr(self.console, request)(*arguments)
        params = json.loads(answer.json())["params"]
        return {"params": params, "model": type(answer).__name__}

    async def broadcast(self, body: dict[str, Any]) -> dict[str, Any]:
        """Send an object on the broadcast channel."""
        await self.console.json(body, enums.ServiceChannel.SystemBroadcast)
        return {}

    async def record(self, seconds: int) -> dict[str, Any]:
        """Keep what was just played."""
        status = await self.console.game_dvr_record(-seconds, 0)
        return {"ack": status.name}

    async def launch(self, uri: str) -> dict[str, Any]:
        """Launch a title; the client does not ask for an ack."""
        await self.console.launch_title(uri)
        return {}

    async def title(self, title_id: int, text: str) -> dict[str, Any]:
        """Open a title's channel and send text over its stream, there and back."""
        channels = self.console.protocol._chl_mgr._channel_mapping
        await self.console.start_title_channel(title_id)
        title = self.console.managers["title"]
        await until(lambda: enums.ServiceChannel.Title in channels, "no title channel")
        await title._request_connection_info()
        info = await until(lambda: title.connection_info, "no connection info")
        crypto = aux_crypto.AuxiliaryStreamCrypto.from_connection_info(info)
        endpoint = info.endpoints[0]
        reader, writer = await asyncio.open_connection(endpoint.ip, int(endpoint.port))
        echo = b""
        for _ in range(2):
            for packet in aux_packer.pack(text.encode(), crypto):
                writer.write(packet)
            head = await reader.readexactly(4)
            size = int.from_bytes(head[2:], "big")
            rest = await reader.readexactly((size + 15) // 16 * 16 + 32)
            echo += aux_packer.unpack(head + rest, crypto)
        writer.close()
        return {"echo": echo.decode()}

    async def power_off(self) -> dict[str, Any]:
        """Switch the console off."""
        await self.console.power_off()
        return {}


async def main() -> None:
    """Do what each line asks for, until there are no more."""
    loop = asyncio.get_running_loop()
    peer = Peer()
    say("ready", {})
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        wish = json.loads(line)
        action = getattr(peer, wish.pop("do"))
        try:
            say("done", await action(**wish))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            say("error", {"type": type(error).__name__, "text": str(error)})


if __name__ == "__main__":
    asyncio.run(main())
