"""A fake KDE Connect device for the demo: found by broadcast or mDNS, steered over standard input.

    python -m tests.e2e.kdeconnect_device --kind phone --name "Demo phone" --mdns ADDRESS --accept-after 4

Prints one JSON object a line, first `{"event": "ready", ...}`. Commands, one a line: `announce`, `request` (ask every
linked device for pairing), `accept`, `reject`, `unpair`, and those of `kdeconnect_steering`. With `--lively` things
happen by themselves.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
import contextlib
from datetime import UTC, datetime
import json
from pathlib import Path
import signal
import socket
import sys
from typing import override

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from tests.e2e.kdeconnect_furniture import ADA, PEOPLE, furnish
from tests.e2e.kdeconnect_steering import steer
from tests.fakes.kdeconnect import UDP_PORT, FakeDevice, FakePeer, LinkFailedError
from tests.fakes.kdeconnect_discovery import TCP_PORTS
from tests.fakes.kdeconnect_events import FakeEvent
from tests.fakes.kdeconnect_payload import PayloadError
from tests.fakes.kdeconnect_state import read_state, write_state

SERVICE = "_kdeconnect._udp.local."
CALL_EVERY = 240.0
RINGS = 12.0


def main() -> None:
    """Run until SIGTERM, SIGINT or the end of standard input."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.kdeconnect_device")
    parser.add_argument("--kind", choices=["phone", "computer"], default="phone")
    parser.add_argument("--protocol", type=int, choices=[7, 8], default=8)
    parser.add_argument("--name", required=True)
    parser.add_argument("--bind", default="0.0.0.0")  # noqa: S104
    parser.add_argument("--udp-port", type=int, default=UDP_PORT)
    parser.add_argument("--announce", action="append", default=[], metavar="HOST")
    parser.add_argument("--every", type=float, metavar="SECONDS")
    parser.add_argument("--only", metavar="ADDRESS", help="call this host alone")
    parser.add_argument("--mdns", metavar="ADDRESS", help="announce by mDNS from here")
    parser.add_argument("--accept-after", type=float, metavar="SECONDS")
    parser.add_argument("--battery", type=int, metavar="PERCENT")
    parser.add_argument("--state-file", type=Path, required=True)
    parser.add_argument("--files", type=Path, required=True, help="a phone's storage")
    parser.add_argument("--lively", action="store_true", help="somebody calls at times")
    asyncio.run(DemoDevice(parser.parse_args()).run())


class SelectiveDevice(FakeDevice):
    """A device that does not mind the other fake ones around it."""

    only: str | None = None

    @override
    async def call(
        self,
        host: str,
        port: int,
        target_id: str | None = None,
        target_protocol: int | None = None,
    ) -> FakePeer:
        if self.only not in {None, host}:
            raise LinkFailedError("another fake device")
        return await super().call(host, port, target_id, target_protocol)


class DemoDevice:
    """The program's state."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Make the device, the same as before when its state file is there."""
        self._options = options
        state = read_state(options.state_file)
        self.device = SelectiveDevice(
            options.kind,
            protocol=options.protocol,
            name=options.name,
            bind=options.bind,
            udp_port=options.udp_port,
            tcp_ports=TCP_PORTS,
            accept="ask",
            credentials=state.credentials if state else None,
            battery=options.battery,
        )
        self.device.only = options.only
        if state:
            self.device.paired.update(state.paired)
            self.device.versions.update(state.versions)
        self.device.events.keep = False
        self.device.events.listeners.append(self._happened)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Run until told to stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await furnish(self.device, self._options.files)
        async with self.device:
            self._save()
            _say(
                "ready",
                id=self.device.device_id,
                name=self.device.name,
                tcp_port=self.device.tcp_port,
            )
            async with contextlib.AsyncExitStack() as stack:
                if self._options.mdns:
                    await stack.enter_async_context(self._mdns())
                tasks = [asyncio.create_task(self._announce_always())]
                tasks.append(asyncio.create_task(self._obey()))
                if self._options.lively and self.device.kind == "phone":
                    tasks.append(asyncio.create_task(self._live()))
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _save(self) -> None:
        write_state(self.device, self._options.state_file)

    def _happened(self, event: FakeEvent) -> None:
        data = dict(event.data)
        if event.packet is not None:
            data["type"] = event.packet.type
            if event.kind == "notification_shown":
                body = event.packet.body
                members = ("title", "text", "ticker", "actions", "requestReplyId")
                data |= {name: body.get(name) for name in members}
        _say(event.kind, device=event.device_id, **data)
        if event.kind in {"paired", "unpaired"}:
            self._save()
        delay: float | None = self._options.accept_after
        if event.kind == "pairing_requested" and delay is not None:
            asyncio.get_running_loop().call_later(delay, self._accept, event.device_id)

    def _accept(self, device_id: str) -> None:
        # The other side may have given up meanwhile.
        with contextlib.suppress(RuntimeError, LookupError):
            self.device.peer(device_id).accept_pairing()

    def _announce(self) -> None:
        for host in self._options.announce:
            with contextlib.suppress(OSError):
                self.device.announce(host)

    async def _announce_always(self) -> None:
        """Announce until there is a link, and again after each loss."""
        while True:
            if not self.device.linked:
                self._announce()
            if self._options.every is None:
                return
            await asyncio.sleep(self._options.every)

    @contextlib.asynccontextmanager
    async def _mdns(self) -> AsyncIterator[None]:
        """Be found by mDNS, as phones are (section 4.2 of the KDE Connect reference)."""
        address: str = self._options.mdns
        device = self.device
        info = AsyncServiceInfo(
            SERVICE,
            f"{device.device_id}.{SERVICE}",
            addresses=[socket.inet_aton(address)],
            port=device.tcp_port,
            properties={
                "id": device.device_id,
                "name": device.name,
                "type": device.device_type,
                "protocol": str(device.protocol),
            },
            server=f"{device.device_id}.local.",
        )
        zeroconf = AsyncZeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
        try:
            await zeroconf.async_register_service(info)
            yield
        finally:
            await zeroconf.async_close()

    async def _obey(self) -> None:
        """Carry out the commands on standard input; its end ends the program."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := (await reader.readline()).decode().strip():
            command, _, argument = line.partition(" ")
            await self._command(command, argument)
        self._stop.set()

    async def _command(self, command: str, argument: str) -> None:
        """Carry out one command."""
        match command:
            case "announce":
                self._announce()
            case "request" | "accept" | "reject" | "unpair":
                for peer in self.device.linked:
                    _act(peer, command)
                    await peer.drain()
            case _:
                # A file takes its time, and there may be other commands meanwhile.
                self.device.run_task(self._steer(f"{command} {argument}"))

    async def _steer(self, line: str) -> None:
        """Carry out a command of the device's user."""
        command = line.partition(" ")[0]
        try:
            if not await steer(self.device, line):
                _say("unknown_command", command=command)
        except (LookupError, ValueError, AssertionError, PayloadError) as err:
            _say("command_failed", command=command, reason=str(err))

    async def _live(self) -> None:
        """Let something happen now and then: a call in vain, and a chat."""
        while True:
            await asyncio.sleep(CALL_EVERY / 2)
            await steer(self.device, f"notify {PEOPLE[ADA]} | {_remark()}")
            await asyncio.sleep(CALL_EVERY / 2)
            if self.device.linked and not self._is_called():
                await steer(self.device, "call")
                await asyncio.sleep(RINGS)
                if self._is_called():
                    await steer(self.device, "miss")

    def _is_called(self) -> bool:
        return self.device.telephony.state == "ringing"


def _act(peer: FakePeer, command: str) -> None:
    """Do something about the pairing with one device."""
    with contextlib.suppress(RuntimeError):
        {
            "request": peer.request_pairing,
            "accept": peer.accept_pairing,
            "reject": peer.reject_pairing,
            "unpair": peer.unpair,
        }[command]()


def _remark() -> str:
    return f"It is {datetime.now(UTC):%H:%M} and I am hungry"


def _say(event: str, **data: object) -> None:
    """Print one line."""
    at = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
    print(json.dumps({"at": at, "event": event, **data}), flush=True)


if __name__ == "__main__":
    main()
