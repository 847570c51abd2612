"""The files of a phone: one session, when somebody looks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from .support import PATIENCE
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
)
from custom_components.rumpus.protocols.kdeconnect import (
    sftp_session as session_module,
    storage as storage_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import (
    DeviceEvent,
    LinkDown,
    MessageReceived,
)
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from custom_components.rumpus.protocols.kdeconnect.plugins import ping
from custom_components.rumpus.protocols.kdeconnect.storage import (
    FileUnavailableError,
    PhoneStorage,
    Root,
    SessionModule,
    StorageBusyError,
    StorageRefusedError,
    import_session,
)
from tests.fakes.kdeconnect import FakeDevice

type Look = Callable[[], object]


@pytest.fixture
async def storage(
    local: LocalPeer, friend: RemoteDevice, phone: FakeDevice, tmp_path: Path
) -> AsyncIterator[PhoneStorage]:
    """The files of a phone that shows some."""
    (tmp_path / "a.mp3").write_bytes(b"sound")
    (tmp_path / "folder").mkdir()
    phone.storage.root = tmp_path

    async def load() -> SessionModule:
        return await asyncio.to_thread(import_session)

    found = PhoneStorage(friend, lambda: local.credentials.private_key_pem, load)

    def on_event(event: DeviceEvent) -> None:
        match event:
            case MessageReceived(message):
                found.received(message)
            case LinkDown():
                found.disconnected()

    friend.subscribe(on_event)
    yield found
    await found.close()
    await phone.storage.shut_down()


def is_open(storage: PhoneStorage) -> bool:
    """Tell whether there is a session; it changes behind the type checker's back."""
    return storage.is_open


async def test_a_visit(storage: PhoneStorage) -> None:
    assert not is_open(storage)
    assert await storage.roots() == (Root("/", b"/"),)
    assert is_open(storage)
    entries = {entry.name: entry for entry in await storage.scan(b"/")}
    assert set(entries) == {b"a.mp3", b"folder"}
    assert entries[b"folder"].is_folder
    assert entries[b"a.mp3"].is_file
    assert (await storage.stat(b"/a.mp3")).size == 5
    async with storage.open(b"/a.mp3") as file:
        assert file.size == 5
        assert await file.read(100, 2) == b"und"
        assert await file.read(100, 5) == b""
    await storage.close()
    assert not is_open(storage)


async def test_names_of_roots(storage: PhoneStorage, phone: FakeDevice) -> None:
    """They are known as long as there is a session."""
    phone.storage.roots = {"Files": "/folder/"}
    assert storage.root_name(b"/folder") is None
    await storage.roots()
    assert storage.root_name(b"/folder") == "Files"
    assert storage.root_name(b"/") is None
    storage.disconnected()
    assert storage.root_name(b"/folder") is None


async def test_only_one_session(storage: PhoneStorage, phone: FakeDevice) -> None:
    """Whoever comes while somebody logs in waits for that."""
    await asyncio.gather(*(storage.roots() for _ in range(20)))
    assert phone.storage.server is not None
    assert len(phone.storage.server.connections) == 1


async def test_what_is_no_file(storage: PhoneStorage) -> None:
    for path in (b"/folder", b"/nothing", b"relative", b"/../x"):
        with pytest.raises(FileUnavailableError):
            async with storage.open(path):
                pass


async def test_no_usable_root(storage: PhoneStorage, phone: FakeDevice) -> None:
    """Roots that are no paths, or none that there are, are no roots."""
    phone.storage.roots = {"Up": "/../.."}
    phone.storage.overrides = {"multiPaths": ["x", "/a/../.."]}
    with pytest.raises(FileUnavailableError):
        await storage.roots()
    assert not storage.is_open


async def test_refused(storage: PhoneStorage, phone: FakeDevice) -> None:
    """The reason is for the user alone."""
    phone.storage.root = None
    with pytest.raises(StorageRefusedError) as refused:
        await storage.roots()
    assert refused.value.reason == "No storage locations configured"
    assert refused.value.reason not in str(refused.value)


async def test_what_nobody_asked_for(
    storage: PhoneStorage, phone: FakeDevice, friend: RemoteDevice
) -> None:
    """An offer out of the blue is no reason to go anywhere."""
    arrived = asyncio.Event()
    friend.subscribe(lambda _: arrived.set())
    peer = next(iter(phone.peers.values()))
    peer.send("sftp", {"errorMessage": "no"})
    async with asyncio.timeout(PATIENCE):
        await arrived.wait()
    storage.received(ping.Ping(None))
    assert not storage.is_open


async def test_too_many_files(
    storage: PhoneStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_OPEN bounds how many files are open at once."""
    monkeypatch.setattr(storage_module, "MAX_OPEN", 1)
    async with storage.open(b"/a.mp3"):
        with pytest.raises(StorageBusyError):
            async with storage.open(b"/a.mp3"):
                pass
    async with storage.open(b"/a.mp3"):
        pass


async def test_large_folders(
    storage: PhoneStorage, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_ENTRIES bounds what is read of a folder."""
    phone.storage.log.extra_names = [b"%d.mp3" % number for number in range(50)]
    monkeypatch.setattr(storage_module, "MAX_ENTRIES", 20)
    # Two of them are the folder itself and the one above.
    assert len(await storage.scan(b"/folder")) == 18


async def test_folders_take_so_long(
    storage: PhoneStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIST_TIMEOUT bounds the whole of a folder; a new session is begun after it."""
    await storage.roots()
    monkeypatch.setattr(storage_module, "LIST_TIMEOUT", 0)
    with pytest.raises(RumpusError):
        await storage.scan(b"/")
    monkeypatch.setattr(storage_module, "LIST_TIMEOUT", PATIENCE)
    assert await storage.scan(b"/")


async def test_no_answer(
    storage: PhoneStorage, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OFFER_TIMEOUT bounds how long is waited."""
    monkeypatch.setattr(storage_module, "OFFER_TIMEOUT", 0.02)
    phone.storage.overrides = {"port": 1}
    with pytest.raises(PeerTimeoutError):
        await storage.roots()


async def test_the_device_goes_while_it_is_asked(
    storage: PhoneStorage, phone: FakeDevice
) -> None:
    phone.storage.overrides = {"port": 1}
    looking = asyncio.create_task(storage.roots())
    await phone.wait_for("storage_wanted")
    storage.disconnected()
    with pytest.raises(DisconnectedError):
        await looking


async def test_who_asked_goes(storage: PhoneStorage, phone: FakeDevice) -> None:
    """Somebody else may look at once."""
    phone.storage.overrides = {"port": 1}
    looking = asyncio.create_task(storage.roots())
    await phone.wait_for("storage_wanted")
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    phone.storage.overrides = {}
    assert await storage.roots()


async def test_not_connected(
    storage: PhoneStorage, phone: FakeDevice, friend: RemoteDevice
) -> None:
    gone = asyncio.Event()
    friend.subscribe(lambda event: gone.set() if isinstance(event, LinkDown) else None)
    await storage.roots()
    await phone.stop()
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    with pytest.raises(DisconnectedError):
        await storage.roots()


async def test_after_the_end(storage: PhoneStorage) -> None:
    await storage.roots()
    await storage.close()
    with pytest.raises(DisconnectedError):
        await storage.roots()


async def test_a_link_without_an_address(
    storage: PhoneStorage, friend: RemoteDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(friend, "_address", None)
    with pytest.raises(DisconnectedError):
        await storage.roots()


async def test_a_phone_whose_paths_lead_nowhere(
    storage: PhoneStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the phone tells no real paths, or none that are any, the path counts."""

    async def nothing(self: object, path: bytes) -> bytes | None:
        return None

    async def relative(self: object, path: bytes) -> bytes | None:
        return b"relative"

    monkeypatch.setattr(session_module.SftpSession, "real_path", nothing)
    assert await storage.scan(b"/")
    monkeypatch.setattr(session_module.SftpSession, "real_path", relative)
    with pytest.raises(FileUnavailableError):
        await storage.scan(b"/")
    storage.disconnected()
    with pytest.raises(FileUnavailableError):
        await storage.roots()


async def test_idle(
    storage: PhoneStorage, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IDLE_TIME after the last one has left, the session is closed; not while one is there."""
    monkeypatch.setattr(storage_module, "IDLE_TIME", 0)
    async with storage.open(b"/a.mp3") as file:
        server = phone.storage.server
        assert server is not None
        (connection,) = server.connections
        assert await storage.stat(b"/a.mp3")
        assert await file.read(5, 0) == b"sound"
        assert is_open(storage)
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()
    assert not is_open(storage)
