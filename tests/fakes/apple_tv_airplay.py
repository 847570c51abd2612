"""The AirPlay server of a fake Apple TV: HTTP and RTSP on one port.

The Apple TV reference, part A, sections 5, 6 and 9. What is missing is what the remote
control of a device does not need: streams of sound, screens and addresses to play.
"""

from dataclasses import dataclass, field

from tests.fakes.apple_tv_control import Control
from tests.fakes.apple_tv_host import Host
from tests.fakes.apple_tv_rtsp import PlistDict
from tests.fakes.apple_tv_stream import Link, Listener, Wire
from tests.fakes.apple_tv_tunnel import Session


@dataclass(slots=True)
class Switches:
    """What a test may change at any time; seconds where nothing else is said."""

    feedback_timeout: float = 30.0  # a session without feedback ends
    event_timeout: float = 30.0  # so does one that does not answer an event
    event_port_delay: float = 0.0  # until it listens for the event channel
    data_port_delay: float = 0.0
    pin_timeout: float | None = None  # an M1 later than that gets 470
    sends_update_info: bool = True
    # Statuses instead of answers, by path or method; "SETUP 2" is the second SETUP.
    refuse: dict[str, int] = field(default_factory=dict)
    mute: set[str] = field(default_factory=set)  # never answered, by the same names
    wrong_cseq: bool = False  # answer with another CSeq
    stray_answers: int = 0  # so many old answers before each right one


class AirPlayServer:
    """Listens on one port; each connection is a `Control`."""

    def __init__(self, core: Host) -> None:
        """Nothing listens yet."""
        self.core = core
        self.wire = Wire()
        self.switches = Switches()
        self.controls: set[Control] = set()
        self._listener = Listener(self.wire, self._opened)
        self._ended: list[Listener] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def silent(self) -> bool:
        """Whether it keeps its sockets and answers nothing."""
        return self.wire.silent

    @silent.setter
    def silent(self, value: bool) -> None:
        self.wire.silent = value

    @property
    def sessions(self) -> list[Session]:
        """The sessions of remote controls, the oldest first."""
        found = (control.session for control in self.controls)
        sessions = [session for session in found if session is not None]
        return sorted(sessions, key=lambda session: session.number)

    async def start(self, address: str, port: int = 0) -> int:
        """Listen and return the port."""
        return await self._listener.start(address, port)

    async def stop(self) -> None:
        """End everything."""
        for session in self.sessions:
            session.end("stopped")
        await self._listener.stop()
        ended, self._ended = self._ended, []
        for listener in ended:
            await listener.stop()

    def drop(self) -> None:
        """Break off all connections."""
        for session in self.sessions:
            session.end("dropped")
        self._listener.drop()

    def listened(self, listener: Listener) -> None:
        """Remember a listener of a session, to end it in order."""
        self._ended = [other for other in self._ended if other.is_busy]
        self._ended.append(listener)

    def info(self) -> PlistDict:
        """Return what GET /info tells."""
        core = self.core
        return {
            "deviceID": core.device_id,
            "macAddress": core.device_id,
            "name": core.name,
            "model": core.model,
            "osBuildVersion": core.build,
            "pi": core.pi,
            "psi": core.pi,
            "pk": core.desk.public_key,
            "features": 0x527FFFF7 | 0x38BC7D77 << 32,
            "statusFlags": 0x244 | (0x80 if core.password else 0),
            "sourceVersion": "845.5.1",
            "protocolVersion": "1.1",
            "vv": 2,
            "initialVolume": -20.0,
            "volumeControlType": 3,
            "keepAliveLowPower": True,
            "keepAliveSendStatsAsBody": True,
        }

    def _opened(self, link: Link) -> None:
        # Nobody is there in deep sleep; but who comes may wake it.
        self.core.power.knocked(self.port)
        link.is_wanted = lambda: not self.core.is_deeply_asleep
        self.controls.add(Control(self, link))
