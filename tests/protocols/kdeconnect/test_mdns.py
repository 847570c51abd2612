"""Announcing and browsing by mDNS (section 4.2), over loopback and with a scripted zeroconf."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
import ipaddress
from typing import override

import pytest
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from .support import LOOPBACK, PATIENCE, new_id, our_identity, turns
from custom_components.rumpus.protocols.kdeconnect import mdns as mdns_module
from custom_components.rumpus.protocols.kdeconnect.const import SERVICE_TYPE, DeviceType
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.mdns import (
    MAX_LOOKUPS,
    FoundService,
    MdnsDiscovery,
)


def identity() -> Identity:
    """Return what we announce, with an id of its own: others may be tested at once."""
    return replace(our_identity(), device_id=new_id(), tcp_port=1720)


# Over loopback

# As it is before any test has started Home Assistant, which then hands its own instance to
# whoever makes another.
_INIT = Zeroconf.__init__


@pytest.fixture
def real_zeroconf(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> None:
    """Let instances of zeroconf be made."""

    def new(cls: type[Zeroconf], *_args: object, **_kwargs: object) -> Zeroconf:
        return object.__new__(cls)

    monkeypatch.setattr(Zeroconf, "__new__", new)
    monkeypatch.setattr(Zeroconf, "__init__", _INIT)


@pytest.fixture
async def zeroconf(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


@pytest.fixture
async def other(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


async def test_two_ends_find_each_other(
    zeroconf: AsyncZeroconf, other: AsyncZeroconf
) -> None:
    one, two = identity(), identity()
    found: asyncio.Queue[FoundService] = asyncio.Queue()

    def note(service: FoundService) -> None:
        if service.device_id == one.device_id:
            found.put_nowait(service)

    announcing = MdnsDiscovery(zeroconf, lambda _: None)
    browsing = MdnsDiscovery(other, note)
    await announcing.start(one, (LOOPBACK,))
    await browsing.start(two, (LOOPBACK,))
    async with asyncio.timeout(PATIENCE):
        assert await found.get() == FoundService(one.device_id, LOOPBACK, 1720)
        info = AsyncServiceInfo(SERVICE_TYPE, f"{one.device_id}.{SERVICE_TYPE}")
        assert await info.async_request(other.zeroconf, 3000)
    assert info.port == 1720
    assert info.decoded_properties == {
        "id": one.device_id,
        "name": one.name,
        "type": "desktop",
        "protocol": "8",
    }
    await browsing.stop(two.device_id)
    await announcing.stop(one.device_id)
    await announcing.stop(one.device_id)
    assert not zeroconf.zeroconf.registry.async_get_service_infos()


async def test_several_identities_of_one_machine_are_found(
    zeroconf: AsyncZeroconf, other: AsyncZeroconf
) -> None:
    """They do not find each other."""
    home, tv, guest = identity(), identity(), identity()
    found: asyncio.Queue[str] = asyncio.Queue()
    ours: set[str] = set()
    announcing = MdnsDiscovery(zeroconf, lambda service: ours.add(service.device_id))
    browsing = MdnsDiscovery(other, lambda service: found.put_nowait(service.device_id))
    for own in (home, tv):
        await announcing.start(own, (LOOPBACK,))
    await browsing.start(guest, (LOOPBACK,))
    missing = {home.device_id, tv.device_id}
    async with asyncio.timeout(PATIENCE):
        while missing:
            missing.discard(await found.get())
        while guest.device_id not in ours:
            await turns()
    assert not ours & {home.device_id, tv.device_id}
    await announcing.stop(home.device_id)
    (left,) = zeroconf.zeroconf.registry.async_get_service_infos()
    assert left.name == f"{tv.device_id}.{SERVICE_TYPE}"
    await announcing.stop(tv.device_id)
    await browsing.stop(guest.device_id)


# With a script


class ScriptedInfo(AsyncServiceInfo):
    """Answers as the test has written into `answers`, once `released` is set."""

    answers: dict[str, tuple[int | None, list[str]]] = {}
    asked: list[str] = []
    released = asyncio.Event()

    @override
    async def async_request(  # type: ignore[override]
        self, zc: Zeroconf, timeout: float
    ) -> bool:
        """Look up what a name announces."""
        self.asked.append(self.name)
        await self.released.wait()
        answer = self.answers.get(self.name.partition(".")[0])
        if answer is None:
            return False
        self.port, hosts = answer
        self.addresses = [ipaddress.ip_address(host).packed for host in hosts]
        return True


class ScriptedBrowser:
    """A search in which the test says what is found."""

    current: ScriptedBrowser

    def __init__(
        self, zc: Zeroconf, service_type: str, handlers: list[Callable[..., None]]
    ) -> None:
        assert service_type == SERVICE_TYPE
        self.zeroconf = zc
        self.changed = handlers[0]
        self.cancelled = False
        ScriptedBrowser.current = self

    async def async_cancel(self) -> None:
        """End."""
        self.cancelled = True

    def show(
        self, name: str, change: ServiceStateChange = ServiceStateChange.Added
    ) -> None:
        """Find something."""
        self.changed(
            zeroconf=self.zeroconf,
            service_type=SERVICE_TYPE,
            name=name,
            state_change=change,
        )


class ScriptedZeroconf(AsyncZeroconf):
    """Notes what is registered."""

    def __init__(self) -> None:
        self.services: list[AsyncServiceInfo] = []
        self.withdrawn = 0
        self.cancelled = False

    zeroconf = None  # type: ignore[assignment]

    @override
    async def async_register_service(  # type: ignore[override]
        self, info: AsyncServiceInfo, *, cooperating_responders: bool
    ) -> asyncio.Future[None]:
        """Register; announcing it goes on until it is cancelled."""
        assert cooperating_responders
        self.services.append(info)
        return asyncio.ensure_future(self._announce())

    async def _announce(self) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    @override
    async def async_unregister_service(  # type: ignore[override]
        self, info: AsyncServiceInfo
    ) -> asyncio.Future[None]:
        """Withdraw."""
        self.services.remove(info)
        self.withdrawn += 1
        return asyncio.ensure_future(asyncio.sleep(0))


class Script:
    """A search under way, and what it found."""

    def __init__(self) -> None:
        self.zeroconf = ScriptedZeroconf()
        self.identity = identity()
        self.found: list[FoundService] = []
        self.known: set[str] = set()
        self.mdns = MdnsDiscovery(
            self.zeroconf, self.found.append, is_known=self.known.__contains__
        )

    def show(self, port: int | None, *hosts: str) -> str:
        """Find a device, and return its id."""
        device_id = new_id()
        ScriptedInfo.answers[device_id] = (port, list(hosts))
        ScriptedBrowser.current.show(f"{device_id}.{SERVICE_TYPE}")
        return device_id


@pytest.fixture
async def script(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Script]:
    monkeypatch.setattr(mdns_module, "AsyncServiceInfo", ScriptedInfo)
    monkeypatch.setattr(mdns_module, "AsyncServiceBrowser", ScriptedBrowser)
    ScriptedInfo.answers, ScriptedInfo.asked = {}, []
    ScriptedInfo.released = asyncio.Event()
    ScriptedInfo.released.set()
    script = Script()
    await script.mdns.start(script.identity, ("192.168.1.2", "10.0.0.2"))
    yield script
    await script.mdns.stop(script.identity.device_id)


async def test_our_service(script: Script) -> None:
    (info,) = script.zeroconf.services
    assert info.name == f"{script.identity.device_id}.{SERVICE_TYPE}"
    assert info.type == "_kdeconnect._udp.local."
    assert info.port == 1720
    assert info.parsed_addresses() == ["192.168.1.2", "10.0.0.2"]


async def test_our_service_without_a_port_yet() -> None:
    script = Script()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mdns_module, "AsyncServiceBrowser", ScriptedBrowser)
        phone = replace(script.identity, tcp_port=None, device_type=DeviceType.PHONE)
        await script.mdns.start(phone, ())
        (info,) = script.zeroconf.services
        assert info.port == 1716
        assert info.decoded_properties["type"] == "phone"
        await script.mdns.stop(script.identity.device_id)


@pytest.mark.parametrize(
    ("announced", "port"),
    [(1716, 1716), (1764, 1764), (0, 1716), (22, 1716), (1765, 1716), (None, 1716)],
)
async def test_port_that_no_device_listens_on(
    script: Script, announced: int | None, port: int
) -> None:
    """KDE 26.08 announces port 0."""
    device_id = script.show(announced, "192.168.1.9")
    await turns()
    assert script.found == [FoundService(device_id, "192.168.1.9", port)]


async def test_first_local_ipv4_address_counts(script: Script) -> None:
    device_id = script.show(1716, "8.8.8.8", "fe80::1", "10.0.0.9", "10.0.0.10")
    await turns()
    assert script.found == [FoundService(device_id, "10.0.0.9", 1716)]


async def test_service_without_a_local_address_is_ignored(
    script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    device_id = script.show(1716, "8.8.8.8", "2001:4860::1")
    await turns()
    assert script.found == []
    assert f"{device_id} announces no local address" in caplog.text


async def test_service_that_cannot_be_looked_up_is_ignored(script: Script) -> None:
    ScriptedBrowser.current.show(f"{new_id()}.{SERVICE_TYPE}")
    await turns()
    assert len(ScriptedInfo.asked) == 1
    assert script.found == []


async def test_services_that_are_not_looked_up(script: Script) -> None:
    """Ours, those that go, and those whose names are no ids."""
    browser = ScriptedBrowser.current
    browser.show(f"{script.identity.device_id}.{SERVICE_TYPE}")
    browser.show(f"{new_id()}.{SERVICE_TYPE}", ServiceStateChange.Removed)
    browser.show(f"short.{SERVICE_TYPE}")
    browser.show(f"{'../' * 11}.{SERVICE_TYPE}")
    browser.show(new_id() + "._other._udp.local.")
    await turns()
    assert ScriptedInfo.asked == []


async def test_service_that_changes_is_looked_up_again(script: Script) -> None:
    device_id = script.show(1716, "192.168.1.9")
    await turns()
    name = f"{device_id}.{SERVICE_TYPE}"
    ScriptedBrowser.current.show(name, ServiceStateChange.Updated)
    await turns()
    assert ScriptedInfo.asked == [name, name]
    assert len(script.found) == 2


async def test_lookups_at_once_are_bounded(script: Script) -> None:
    """MAX_LOOKUPS, and one for each device."""
    ScriptedInfo.released.clear()
    first = script.show(1716, "192.168.1.9")
    ScriptedBrowser.current.show(f"{first}.{SERVICE_TYPE}")
    for _ in range(MAX_LOOKUPS):
        script.show(1716, "192.168.1.9")
    await turns()
    assert len(ScriptedInfo.asked) == len(set(ScriptedInfo.asked)) == MAX_LOOKUPS
    ScriptedInfo.released.set()
    await turns()
    assert len(script.found) == MAX_LOOKUPS
    script.show(1716, "192.168.1.9")
    await turns()
    assert len(script.found) == MAX_LOOKUPS + 1


async def test_paired_device_is_looked_up_however_many_strangers_there_are(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    ScriptedInfo.released.clear()
    for _ in range(MAX_LOOKUPS):
        script.show(1716, "192.168.1.9")
    await turns()
    monkeypatch.setattr(script.mdns, "_is_known", lambda device_id: True)
    script.show(1716, "192.168.1.9")
    await turns()
    assert len(ScriptedInfo.asked) == MAX_LOOKUPS + 1
    ScriptedInfo.released.set()
    await turns()


async def test_paired_devices_are_looked_up_all_the_same(script: Script) -> None:
    """However many strangers show up."""
    ScriptedInfo.released.clear()
    for _ in range(MAX_LOOKUPS):
        script.show(1716, "192.168.1.9")
    friend = new_id()
    script.known.add(friend)
    name = f"{friend}.{SERVICE_TYPE}"
    ScriptedBrowser.current.show(name)
    script.show(1716, "192.168.1.9")
    await turns()
    assert len(ScriptedInfo.asked) == MAX_LOOKUPS + 1
    assert ScriptedInfo.asked[-1] == name


async def test_stop_ends_everything(script: Script) -> None:
    ScriptedInfo.released.clear()
    script.show(1716, "192.168.1.9")
    await turns()
    await script.mdns.stop(script.identity.device_id)
    assert script.zeroconf.cancelled
    assert script.zeroconf.withdrawn == 1
    assert ScriptedBrowser.current.cancelled
    ScriptedInfo.released.set()
    await turns()
    assert script.found == []
    await script.mdns.stop(script.identity.device_id)
    assert script.zeroconf.withdrawn == 1


async def test_several_services_share_one_search(script: Script) -> None:
    """Whoever comes later hears of what was found before: the search begins anew."""
    tv, first = identity(), ScriptedBrowser.current
    await script.mdns.start(tv, ("192.168.1.2",))
    browser = ScriptedBrowser.current
    assert first.cancelled
    ended = [browser.cancelled]
    for own in (tv, script.identity):
        browser.show(f"{own.device_id}.{SERVICE_TYPE}")
    await turns()
    assert ScriptedInfo.asked == []
    await script.mdns.stop(script.identity.device_id)
    (info,) = script.zeroconf.services
    assert info.name == f"{tv.device_id}.{SERVICE_TYPE}"
    ended.append(browser.cancelled)
    script.show(1716, "192.168.1.9")
    await turns()
    assert len(script.found) == 1
    await script.mdns.stop(tv.device_id)
    assert [*ended, browser.cancelled] == [False, False, True]
    assert script.zeroconf.services == []


async def test_stop_before_start_does_nothing() -> None:
    script = Script()
    await script.mdns.stop(script.identity.device_id)
    assert script.zeroconf.withdrawn == 0


async def test_start_that_fails_can_be_stopped(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Script()

    async def fail(info: AsyncServiceInfo, **options: object) -> None:
        failing.zeroconf.services.append(info)
        raise OSError("no network")

    monkeypatch.setattr(failing.zeroconf, "async_register_service", fail)
    with pytest.raises(OSError, match="no network"):
        await failing.mdns.start(failing.identity, (LOOPBACK,))
    await failing.mdns.stop(failing.identity.device_id)
    assert failing.zeroconf.services == []
