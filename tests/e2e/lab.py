"""A Home Assistant and fake devices on one made-up network: what the demo and its check share."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
import socket
from types import TracebackType
from typing import Final, Self

from .api import HomeAssistantApi
from .fakes import FakeProcess, python_command
from .network import (
    Forwarder,
    PrivateNetwork,
    can_use_namespaces,
    enter_private_network,
    listen,
)
from .server import DEFAULT_ENVIRONMENT, ROOT, HomeAssistantServer

CACHE: Final = ROOT / ".cache"
YAML: Final = Path(__file__).with_name("demo.yaml").read_text(encoding="utf-8")


@dataclass(slots=True)
class Place:
    """Where everything runs: a private network with a door to the outside, or this machine's loopback."""

    port: int
    network: PrivateNetwork | None = None
    listener: socket.socket | None = field(default=None, repr=False)

    @classmethod
    def open(cls, port: int, *, private: bool | None = None) -> Self:
        """Enter a private network where that is possible (or wanted); before the event loop starts.

        Raises NetworkError when `private` asks for what cannot be had, or the port is taken.
        """
        listener = listen(port)
        if private is False or (private is None and not can_use_namespaces()):
            listener.close()
            return cls(port)
        network = enter_private_network()
        return cls(port, network, listener)

    @property
    def is_private(self) -> bool:
        """Whether broadcasts and mDNS work between Home Assistant and the devices."""
        return self.network is not None


class Lab:
    """The Home Assistant, its API and the fake devices; leaves nothing running."""

    def __init__(
        self,
        place: Place,
        config_dir: Path,
        *,
        fresh: bool = False,
        environment: Path = DEFAULT_ENVIRONMENT,
        name: str = "Rumpus demo",
    ) -> None:
        """Describe it; nothing is started yet."""
        self.place = place
        self.server = HomeAssistantServer(
            config_dir,
            port=place.port,
            environment=environment,
            yaml=YAML,
            fresh=fresh,
            name=name,
        )
        self.api = HomeAssistantApi(self.server.url)
        self.fakes: dict[str, FakeProcess] = {}
        self._environment = environment
        self._forwarder: Forwarder | None = None

    async def __aenter__(self) -> Self:
        """Start Home Assistant and sign in."""
        await self.start()
        return self

    async def start(self) -> None:
        """Start Home Assistant and sign in."""
        try:
            await self.server.start()
            if self.place.listener is not None:
                self._forwarder = Forwarder(self.place.listener, self.place.port)
                await self._forwarder.start()
            await self.api.connect()
            await self.api.wait_running()
        except BaseException:
            await self.stop()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything."""
        await self.stop()

    async def stop(self) -> None:
        """Stop everything, also when some of it never started."""
        await asyncio.gather(*(fake.stop() for fake in self.fakes.values()))
        await self.api.close()
        if self._forwarder is not None:
            await self._forwarder.stop()
        await self.server.stop()

    async def start_fake(
        self, name: str, module: str, arguments: Sequence[str], address: str
    ) -> FakeProcess:
        """Start a fake device, with its own address on the private network where there is one."""
        network = self.place.network
        prefix = network.add_host(address).command_prefix if network is not None else ()
        fake = FakeProcess(
            name, python_command(self._environment, module, *arguments), prefix=prefix
        )
        self.fakes[name] = fake
        await fake.start()
        return fake
