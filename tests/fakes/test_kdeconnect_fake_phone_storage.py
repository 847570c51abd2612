"""The storage of the fake KDE Connect phone, looked into with a real SFTP client."""

import asyncio
from collections.abc import AsyncIterator
import os
from pathlib import Path

import asyncssh
import pytest

from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_pairs import devices, link, pair
from tests.fakes.kdeconnect_tls import FakeCredentials, KeyType
from tests.fakes.kdeconnect_wire import Body

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture(params=["ec", "rsa"])
async def both(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone with a folder and a computer that are paired."""
    key_type: KeyType = request.param
    async with devices(key_type=key_type) as (phone, computer):
        (tmp_path / "DCIM").mkdir()
        (tmp_path / "DCIM" / "1.jpg").write_bytes(b"picture" * 9999)
        phone.storage.root = tmp_path
        await pair(phone, computer)
        yield phone, computer


async def offered(computer: FakeDevice) -> Body:
    """Ask for the storage and return the answer."""
    await computer.send("sftp.request", {"startBrowsing": True})
    return await computer.wait_packet("sftp")


async def connect(
    offer: Body,
    *,
    password: str | None = None,
    credentials: FakeCredentials | None = None,
) -> asyncssh.SSHClientConnection:
    """Log in."""
    keys: list[asyncssh.SSHKey] = []
    if credentials is not None:
        keys.append(asyncssh.import_private_key(credentials.private_key_pem))
    port = offer["port"]
    assert isinstance(port, int)
    return await asyncssh.connect(
        "127.0.0.1",
        port,
        username="kdeconnect",
        password=password,
        client_keys=keys or None,
        known_hosts=None,
        agent_path=None,
        config=None,
    )


def host_key(phone: FakeDevice) -> str | None:
    """Return the fingerprint of the server of now, if there is one."""
    server = phone.storage.server
    return None if server is None else server.host_key


async def test_password(both: tuple[FakeDevice, FakeDevice], tmp_path: Path) -> None:
    """With the password of the offer the folder is there, to read only."""
    phone, computer = both
    offer = await offered(computer)
    password = offer["password"]
    assert isinstance(password, str)
    assert len(password) == 28
    assert (offer["user"], offer["path"]) == ("kdeconnect", "/")
    async with (
        await connect(offer, password=password) as connection,
        connection.start_sftp_client() as sftp,
    ):
        assert sorted(await sftp.listdir("/")) == [".", "..", "DCIM"]
        await sftp.get("/DCIM/1.jpg", tmp_path / "got.jpg")
        assert (tmp_path / "got.jpg").read_bytes() == b"picture" * 9999
        for forbidden in (
            sftp.open("/new", "w"),
            sftp.mkdir("/new"),
            sftp.rmdir("/DCIM"),
            sftp.remove("/DCIM/1.jpg"),
            sftp.rename("/DCIM", "/new"),
            sftp.posix_rename("/DCIM", "/new"),
            sftp.symlink("/DCIM", "/new"),
            sftp.link("/DCIM/1.jpg", "/new"),
            sftp.chmod("/DCIM", 0o700),
            sftp.chmod("/DCIM", 0o700, follow_symlinks=False),
        ):
            with pytest.raises(asyncssh.SFTPError):
                await forbidden
        async with sftp.open("/DCIM/1.jpg", "rb") as file:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await file.setstat(asyncssh.SFTPAttrs(permissions=0o700))
    assert phone.storage.log.logins == ["password"]
    assert phone.storage.log.opened == ["/DCIM/1.jpg", "/DCIM/1.jpg"]


async def test_key(both: tuple[FakeDevice, FakeDevice]) -> None:
    """The key of the other side's certificate opens it, another one does not."""
    phone, computer = both
    phone.storage.log.takes_password = False
    offer = await offered(computer)
    stranger = FakeCredentials.generate()
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(offer, password="x", credentials=stranger)
    connection = await connect(offer, credentials=computer.credentials)
    assert phone.storage.log.logins[-1:] == ["publickey"]
    assert "publickey" in phone.storage.log.refused
    # It ends with the link.
    await computer.close_link()
    await connection.wait_closed()
    assert phone.storage.server is None


async def test_wrong_password(both: tuple[FakeDevice, FakeDevice]) -> None:
    """A wrong password stays out, and so does a key when none is taken."""
    phone, computer = both
    phone.storage.log.takes_key = False
    offer = await offered(computer)
    with pytest.raises(asyncssh.PermissionDenied):
        await connect(offer, password="x", credentials=computer.credentials)
    assert phone.storage.log.refused == ["password"]


async def test_misbehaviour(both: tuple[FakeDevice, FakeDevice]) -> None:
    """Names may be hostile, files without an end, answers late."""
    phone, computer = both
    phone.storage.log.extra_names = [b"../evil", b"\xff"]
    phone.storage.log.is_endless = True
    offer = await offered(computer)
    async with (
        await connect(offer, credentials=computer.credentials) as connection,
        connection.start_sftp_client() as sftp,
    ):
        # As text asyncssh would not read the last one.
        names = [os.fsencode(item.filename) async for item in sftp.scandir(b"/DCIM")]
        assert names[-2:] == [b"../evil", b"\xff"]
        file = await sftp.open("/DCIM/1.jpg", "rb")
        assert len(await file.read(5, offset=10**9)) == 5
        phone.storage.log.read_delay = 60
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await file.read(5)
        await phone.stop()


async def test_next_start(both: tuple[FakeDevice, FakeDevice]) -> None:
    """Each start has a password and a key of its own, and may list several roots."""
    phone, computer = both
    phone.storage.roots = {"Internal": "/", "Camera": "/DCIM"}
    first = await offered(computer)
    assert first["multiPaths"] == ["/", "/DCIM"]
    assert first["pathNames"] == ["Internal", "Camera"]
    assert (await phone.wait_for("storage_wanted")).data == {"port": first["port"]}
    key = host_key(phone)
    assert key
    # Asked again, it is the same server.
    assert await offered(computer) == first
    await phone.close_link()
    await phone.wait_for("link_down")
    await computer.wait_for("link_down")
    assert host_key(phone) is None
    await link(phone, computer)
    phone.storage.overrides = {"ip": None, "port": "1739"}
    second = await offered(computer)
    assert second["port"] == "1739"
    assert "ip" not in second
    assert first["password"] != second["password"]
    assert host_key(phone) not in {None, key}


async def test_refused(both: tuple[FakeDevice, FakeDevice]) -> None:
    """Without a folder the phone says why."""
    phone, computer = both
    phone.storage.root = None
    phone.storage.error = "No permission"
    assert await offered(computer) == {"errorMessage": "No permission"}
    assert (await phone.wait_for("storage_wanted")).data == {}
