"""Our end of KDE Connect: it is found, finds others, and keeps a device object for each.

Devices that are paired have to be added before `start`: what an unknown device sends is
answered with "we are not paired", and a device that believes itself paired then forgets us.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
import contextlib
from dataclasses import replace
import logging
from types import MappingProxyType
from typing import Final

from zeroconf.asyncio import AsyncZeroconf

from ..errors import DisconnectedError, ProtocolError, RumpusError
from ..reconnect import Reconnector
from . import plugins
from .airwaves import Airwaves
from .calls import Caller, resolve
from .const import PROTOCOL_VERSION, TCP_PORTS, DeviceType
from .credentials import Credentials
from .device import RemoteDevice
from .discovery import (
    Announcement,
    DiscoveryGuard,
    Network,
    PlacedTimes,
    RecentTimes,
    is_loopback,
)
from .events import (
    DeviceAppeared,
    DeviceDisappeared,
    DeviceEvent,
    LinkDown,
    LinkUp,
    PairingChanged,
    PairingRequested,
    PeerEvent,
    TrustReason,
)
from .handshake import CallTarget, CertificateChangedError
from .identity import Identity, filter_name
from .link import Link
from .listener import Listener
from .mdns import FoundService
from .paired import PairedDevice
from .pairing import PairingState
from .payload import Payloads
from .tls import TlsContexts
from .waiting import LinkWaiters

_LOGGER = logging.getLogger(__name__)

DEFAULT_NAME: Final = "Home Assistant"
# Section 12.1: links with devices that are not paired.
MAX_UNPAIRED_LINKS: Final = 10
# How long a device may take to call us after our datagram before we call it, in seconds.
REPLY_WAIT: Final = 3.0
# Two programs that answer datagrams with datagrams must not go on for ever, in seconds.
ANSWER_INTERVAL: Final = 10.0
# A device that announces itself while it has a link may have lost its end of it; the link
# is renewed, but not for every announcement, in seconds.
RENEW_INTERVAL: Final = 10.0
# The user is asked at most this often on behalf of one device, in seconds.
PROMPT_INTERVAL: Final = 30.0


class LocalPeer:
    """One end of ours: a device in the eyes of all others."""

    def __init__(
        self,
        credentials: Credentials,
        name: str,
        *,
        network: Network | None = None,
        zeroconf: AsyncZeroconf | None = None,
        airwaves: Airwaves | None = None,
        device_type: DeviceType = DeviceType.DESKTOP,
        incoming: frozenset[str] = plugins.INCOMING_CAPABILITIES,
        outgoing: frozenset[str] = plugins.OUTGOING_CAPABILITIES,
    ) -> None:
        """Make an end that is not started.

        Several ends on one machine share their airwaves, which bring UDP and mDNS with them;
        the first one made leads.  An end without makes its own: without zeroconf there is
        no mDNS.  `incoming` and `outgoing` are the packet types that it lists.
        """
        self.credentials = credentials
        self._own_certificate = credentials.certificate
        self._air = airwaves or Airwaves(network or Network(), zeroconf)
        self._network = network or self._air.network
        self._identity = Identity(
            credentials.device_id,
            filter_name(name) or DEFAULT_NAME,
            device_type,
            PROTOCOL_VERSION,
            incoming,
            outgoing,
        )
        self._contexts = TlsContexts(credentials)
        self._caller = Caller(self._contexts)
        self._guard = DiscoveryGuard(self._air.budget)
        self._station = self._air.add(
            credentials.device_id,
            identity=lambda: self._identity,
            heard=self._heard,
            found=self._heard_service,
            is_known=self._is_paired,
        )
        self._listener: Listener | None = None
        self._devices: dict[str, RemoteDevice] = {}
        self._reconnectors: dict[str, Reconnector] = {}
        self._listeners: dict[object, Callable[[PeerEvent], None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()
        # The calls under way by device and host, and whom to call once more should they fail,
        # with whether it has announced itself.
        self._calling: dict[tuple[str, str], tuple[CallTarget, bool] | None] = {}
        # Paired devices that were lost and have been looked for everywhere.
        self._sought: set[str] = set()
        self._answered = RecentTimes()
        self._invited = RecentTimes()
        self._renewed = PlacedTimes()
        self._prompted = RecentTimes()
        self._link_waiters = LinkWaiters()

    @property
    def identity(self) -> Identity:
        """Our identity, with the TCP port once started."""
        return self._identity

    @property
    def tcp_port(self) -> int:
        """The port that devices reach us at."""
        return self._identity.tcp_port or 0

    @property
    def udp_port(self) -> int | None:
        """The port that we hear announcements on."""
        return self._air.udp_port

    @property
    def udp_bound(self) -> bool:
        """Whether others' broadcasts reach us; another program may own the port."""
        return self._air.is_bound

    @property
    def devices(self) -> Mapping[str, RemoteDevice]:
        """Every device that has a link or is paired, by its id."""
        return MappingProxyType(self._devices)

    def subscribe(self, callback: Callable[[PeerEvent], None]) -> Callable[[], None]:
        """Call back on every event until the returned function is called."""
        key = object()
        self._listeners[key] = callback

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    async def start(self) -> None:
        """Listen, announce ourselves and look for paired devices; raise OSError."""
        self._listener = Listener(
            self._network,
            await self._contexts.client(),
            identity=lambda: self._identity,
            is_known=self._is_known_host,
            admit=self._admit_caller,
            linked=self._linked,
        )
        try:
            await self._listener.start()
            self._identity = replace(self._identity, tcp_port=self._listener.port)
            await self._air.join(self._station)
        except BaseException:
            await self.stop()
            raise
        self._say()
        for device in self._devices.values():
            self._spawn(self._prepare(device))
        for reconnector in self._reconnectors.values():
            reconnector.start()

    async def stop(self) -> None:
        """Close everything; safe to call twice."""
        listener, self._listener = self._listener, None
        await self._air.leave(self._station)
        if listener is not None:
            await listener.stop()
        for reconnector in list(self._reconnectors.values()):
            await reconnector.stop()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._endings, return_exceptions=True)
        for device in list(self._devices.values()):
            await device.close()
        self._reconnectors.clear()
        self._devices.clear()
        self._sought.clear()

    # Devices

    def add_paired(self, paired: PairedDevice) -> RemoteDevice:
        """Know a device as paired: accept its pin alone and keep looking for it."""
        device = self._devices.get(paired.device_id)
        if device is None:
            device = self._add(paired.identity, paired)
        elif device.paired is None or device.paired.certificate != paired.certificate:
            device.trust(paired)
        self._look_for(device)
        return device

    async def remove(self, device_id: str) -> None:
        """Know nothing of a device any more and cut its link; this does not unpair it."""
        if (reconnector := self._reconnectors.pop(device_id, None)) is not None:
            await reconnector.stop()
        if (device := self._devices.pop(device_id, None)) is not None:
            if device.paired is not None:
                self._contexts.forget(device.paired.certificate)
            await device.close()

    async def announce(self, host: str | None = None) -> None:
        """Announce ourselves to everybody, or to one host.

        Raises DisconnectedError when the host's name cannot be resolved.
        """
        self._say(None if host is None else await resolve(host))

    def is_own(self, device_id: str) -> bool:
        """Tell whether an id is ours or that of an end which shares our airwaves."""
        return self._air.is_own(device_id)

    def invite(self, device_id: str, host: str) -> None:
        """Let a device call us, unless it has a link or was asked a moment ago.

        The host is an address.  Programs make a new link for every datagram that they get,
        and some of them stumble over two at once (section 13, number 33).
        """
        device = self._devices.get(device_id)
        now = asyncio.get_running_loop().time()
        if device is not None and device.is_connected:
            return
        if self._answered.is_recent(device_id, now, ANSWER_INTERVAL):
            return
        if not self._invited.too_soon(device_id, now, ANSWER_INTERVAL):
            self._say(host)

    async def connect_to(self, host: str, port: int = TCP_PORTS.start) -> RemoteDevice:
        """Return the device at an address that the user knows, with a link.

        It gets our datagram first, so that it calls us; if it does not, we call it (then it
        has to speak protocol 8, since an older one never says who it is).  Raises
        DisconnectedError, PeerTimeoutError, ProtocolError, CertificateChangedError or, with
        too many calls under way, UnsupportedError.
        """
        address = await resolve(host)
        if not is_loopback(address):
            for device in self._devices.values():
                if device.is_connected and device.address == address:
                    return device
            if found := await self._ask_to_call(
                address, lambda device: device.address == address
            ):
                return found
        return self._admit_link(
            await self._caller.call_unknown(CallTarget(address, port), self._identity),
            port,
        )

    def _add(
        self, identity: Identity, paired: PairedDevice | None = None
    ) -> RemoteDevice:
        device = RemoteDevice(
            identity,
            self._own_certificate,
            paired=paired,
            outgoing=self._identity.outgoing,
            payloads=Payloads(self._contexts, self._network.bind),
            changed=self._device_changed,
        )
        self._devices[identity.device_id] = device
        return device

    def _device_changed(self, device: RemoteDevice, event: DeviceEvent) -> None:
        match event:
            case LinkUp():
                self._sought.discard(device.device_id)
                if (
                    reconnector := self._reconnectors.get(device.device_id)
                ) is not None:
                    reconnector.link_up()
                self._emit(DeviceAppeared(device))
            case LinkDown():
                if (
                    reconnector := self._reconnectors.get(device.device_id)
                ) is not None:
                    reconnector.link_down()
                else:
                    self._drop(device)
                # It may be back, and announce itself, before we may answer again.
                self._answered.forget(device.device_id)
                self._invited.forget(device.device_id)
                self._emit(DeviceDisappeared(device))
            case PairingChanged(PairingState.REQUESTED_BY_PEER):
                now = asyncio.get_running_loop().time()
                if not self._prompted.too_soon(device.device_id, now, PROMPT_INTERVAL):
                    self._emit(PairingRequested(device))
            case PairingChanged(PairingState.PAIRED):
                self._look_for(device)
            case PairingChanged(PairingState.UNPAIRED):
                self._stop_looking(device)

    def _look_for(self, device: RemoteDevice) -> None:
        """Begin to reconnect a paired device whenever its link is lost."""
        if device.device_id in self._reconnectors:
            return
        reconnector = Reconnector(
            lambda: self._knock(device),
            name=f"{device.name!r} ({device.device_id})",
            logger=_LOGGER,
        )
        self._reconnectors[device.device_id] = reconnector
        if device.is_connected:
            reconnector.link_up()
        if self._listener is not None:
            self._spawn(self._prepare(device))
            reconnector.start()

    async def _prepare(self, device: RemoteDevice) -> None:
        """Make what a call to a paired device needs, so that it need not be made then."""
        if device.paired is not None:
            with contextlib.suppress(ProtocolError):  # the call will tell
                await self._contexts.pinned_server(device.paired.certificate)

    def _stop_looking(self, device: RemoteDevice) -> None:
        if (reconnector := self._reconnectors.pop(device.device_id, None)) is None:
            return
        self._contexts.forget(device.certificate)
        # Not among the tasks that our own end cancels: it has to be carried through.
        ending = asyncio.get_running_loop().create_task(reconnector.stop())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        if not device.is_up:  # else it goes with its LinkDown
            self._drop(device)

    def _drop(self, device: RemoteDevice) -> None:
        if self._devices.get(device.device_id) is device:
            del self._devices[device.device_id]

    async def _knock(self, device: RemoteDevice) -> bool:
        """Look for a paired device: everywhere, at its last address, and there by a call.

        Everywhere only once for each loss (section 8.3): every other device that hears it
        makes its link anew.
        """
        if device.device_id not in self._sought:
            self._sought.add(device.device_id)
            self._say()
        if device.address is None:
            return False
        address = await resolve(device.address)
        if not is_loopback(address):
            await self._ask_to_call(address, lambda found: found is device)
        if not device.is_connected:
            await self._call_paired(
                device, CallTarget(address, device.port, device.identity)
            )
        return device.is_connected

    # Discovery

    def _say(self, host: str | None = None) -> float:
        """Announce ourselves to everybody or one address; return in how many seconds."""
        return self._air.announce(self._station, host)

    async def _ask_to_call(
        self, address: str, matches: Callable[[RemoteDevice], bool]
    ) -> RemoteDevice | None:
        """Announce ourselves to an address and return the device that calls then, if any."""
        return await self._link_waiters.wait(matches, self._say(address) + REPLY_WAIT)

    def _heard(self, announcement: Announcement) -> None:
        identity, host = announcement.identity, announcement.host
        device = self._devices.get(identity.device_id)
        paired = device.paired if device is not None else None
        if paired is not None and identity.protocol_version < paired.protocol_version:
            return
        now = asyncio.get_running_loop().time()
        if not self._admit_hint(identity.device_id, host, now):
            return
        if device is None or paired is None:
            self._heard_unknown(announcement, now)
        elif not device.is_connected or not self._renewed.too_soon(
            device.device_id, host, now, RENEW_INTERVAL, device.address
        ):
            # Protocol 7 says nothing more inside TLS, so that a forged datagram could
            # rename a device (CVE-2025-32900): then what we know of it counts.
            known = identity if identity.protocol_version >= 8 else device.identity
            target = CallTarget(host, announcement.port, known)
            self._spawn(self._call_or_announce(device, target))

    def _admit_hint(self, device_id: str, host: str, now: float) -> bool:
        """Tell whether to act on what says that a device is at an address."""
        device = self._devices.get(device_id)
        if device is None or not device.is_paired:
            return self._guard.admit(device_id, host, now)
        return self._guard.admit_known(device_id, host, now, last=device.address)

    def _heard_service(self, service: FoundService) -> None:
        device = self._devices.get(service.device_id)
        now = asyncio.get_running_loop().time()
        if device is not None and device.is_connected:
            return
        if not self._admit_hint(service.device_id, service.host, now):
            return
        if device is not None and device.is_paired:
            target = CallTarget(service.host, service.port, device.identity)
            self._spawn(self._call_or_announce(device, target))
        else:
            self.invite(service.device_id, service.host)

    def _heard_unknown(self, announcement: Announcement, now: float) -> None:
        device_id = announcement.identity.device_id
        if (device := self._devices.get(device_id)) is not None and device.is_connected:
            return
        if self._unpaired_links() >= MAX_UNPAIRED_LINKS:
            return
        if self._answered.too_soon(device_id, now, ANSWER_INTERVAL):
            return
        self._spawn(self._invite(announcement))

    async def _invite(self, announcement: Announcement) -> None:
        """Let an unknown device call us, which shows us its certificate; else call it."""
        device_id = announcement.identity.device_id
        # On loopback our datagram would come back to ourselves.
        if not is_loopback(announcement.host) and await self._ask_to_call(
            announcement.host, lambda found: found.device_id == device_id
        ):
            return
        if (device := self._devices.get(device_id)) is not None and device.is_connected:
            return
        target = CallTarget(announcement.host, announcement.port, announcement.identity)
        try:
            link = await self._caller.call_unknown(target, self._identity)
            self._admit_link(link, target.port)
        except RumpusError as err:
            _LOGGER.debug("No link with %s: %s", announcement.host, err)

    async def _call_or_announce(self, device: RemoteDevice, target: CallTarget) -> None:
        """Call a device that says that it is there."""
        try:
            await self._call_paired(device, target, is_announced=True)
        except CertificateChangedError as err:
            _LOGGER.debug("No link with %s: %s", device.device_id, err)
        except RumpusError as err:
            # Perhaps only the other direction works (section 5, "Reverse fallback").
            _LOGGER.debug("No link with %s: %s", device.device_id, err)
            self._say(target.host)

    async def _call_paired(
        self, device: RemoteDevice, target: CallTarget, *, is_announced: bool = False
    ) -> None:
        key = (device.device_id, target.host)
        if key in self._calling:
            # It has shown up since: what is under way may have begun too early.
            self._calling[key] = target, is_announced
            return
        try:
            while device.paired is not None:
                self._calling[key] = None
                try:
                    link = await self._caller.call_paired(
                        target, self._identity, device.paired.certificate
                    )
                except RumpusError as err:
                    # Where we only guess that it is, at its last address, another device
                    # may be by now: only one that names itself proves anything.
                    if is_announced and isinstance(err, CertificateChangedError):
                        device.distrust(TrustReason.CERTIFICATE_CHANGED)
                    if (again := self._calling[key]) is None:
                        raise
                    target, is_announced = again
                else:
                    self._admit_call(device, link, target.port)
                    return
        finally:
            self._calling.pop(key, None)

    def _admit_call(self, device: RemoteDevice, link: Link, port: int) -> None:
        """Give a link that we made to a device, unless that was removed meanwhile."""
        if self._devices.get(device.device_id) is not device:
            link.abort()
            raise DisconnectedError("the device was removed meanwhile")
        self._admit_link(link, port)

    # Links

    def _is_paired(self, device_id: str) -> bool:
        device = self._devices.get(device_id)
        return device is not None and device.is_paired

    def _is_known_host(self, host: str) -> bool:
        return any(
            device.is_paired and device.address == host
            for device in self._devices.values()
        )

    def _unpaired_links(self) -> int:
        return sum(
            device.is_connected and not device.is_paired
            for device in self._devices.values()
        )

    def _admit_caller(self, identity: Identity) -> None:
        """Refuse a caller by what it says in clear text."""
        if self.is_own(identity.device_id):
            raise ProtocolError("both ends are ours")
        device = self._devices.get(identity.device_id)
        if device is not None and (device.is_connected or device.is_paired):
            return
        if self._unpaired_links() >= MAX_UNPAIRED_LINKS:
            raise ProtocolError("too many devices that are not paired")

    def _linked(self, link: Link) -> None:
        try:
            self._admit_link(link, None)
        except RumpusError as err:
            _LOGGER.debug("No link with %s: %s", link.host, err)

    def _admit_link(self, link: Link, port: int | None) -> RemoteDevice:
        """Give a finished link to its device, or cut it and raise."""
        device = self._devices.get(link.identity.device_id)
        try:
            if self._listener is None:  # nobody would ever close it
                raise DisconnectedError("our end was stopped")
            self._admit_caller(link.identity)
            if device is not None:
                self._check_trust(device, link)
        except RumpusError:
            link.abort()
            raise
        if device is None:
            device = self._add(link.identity)
        if port is not None:
            device.port = port
        now = asyncio.get_running_loop().time()
        self._renewed.touch(device.device_id, now)
        device.attach(link)
        self._air.hush(self._station, link.host)
        self._link_waiters.linked(device)
        return device

    def _check_trust(self, device: RemoteDevice, link: Link) -> None:
        if (paired := device.paired) is None:
            if device.is_connected and device.certificate != link.certificate:
                raise CertificateChangedError("another device uses the same id")
            return
        if paired.certificate != link.certificate:
            device.distrust(TrustReason.CERTIFICATE_CHANGED)
            raise CertificateChangedError(
                "the device shows another certificate than before"
            )
        if link.identity.protocol_version < paired.protocol_version:
            device.distrust(TrustReason.PROTOCOL_DOWNGRADED)
            raise ProtocolError(
                "the device speaks an older protocol version than before"
            )

    def _spawn(self, coro: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _emit(self, event: PeerEvent) -> None:
        for callback in list(self._listeners.values()):
            try:
                callback(event)
            except Exception:
                _LOGGER.exception("A listener failed")
