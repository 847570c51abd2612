"""The storage of a fake phone: an SFTP server on demand (section 11.17).

Give it a folder, which stays as it is: the server only reads. In a test::

    phone.storage.root = tmp_path
    phone.storage.roots = {"Internal storage": "/", "Camera": "/DCIM"}
    await computer.send("sftp.request", {"startBrowsing": True})
    offer = await computer.wait_packet("sftp")
    assert phone.storage.log.logins == ["publickey"]

It takes the password or the key of the other side's certificate, and ends with the
link. Its host key and its password are others at each start.
"""

from pathlib import Path
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_plugins import Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer
    from tests.fakes.kdeconnect_sftp import SftpLog, SftpServer


class StoragePlugin(Plugin):
    """The folders of a phone, for one peer at a time and until its link ends."""

    handles = frozenset({"kdeconnect.sftp.request"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without a folder: nobody set up what may be seen."""
        super().__init__(device)
        self.root: Path | None = None
        self.roots: dict[str, str] = {}  # titles and paths, if there are several
        self.path = "/"
        self.error = "No storage locations configured"  # without a root
        self.overrides: Body = {}  # members of the offer; None removes one
        self.server: SftpServer | None = None
        self._ended: list[SftpServer] = []
        self._log: SftpLog | None = None
        self._peer: FakePeer | None = None

    @property
    def log(self) -> SftpLog:
        """What clients did, in all servers so far, and what they may do."""
        # Only a phone that is looked into needs an SSH library.
        from tests.fakes.kdeconnect_sftp import SftpLog  # noqa: PLC0415

        if self._log is None:
            self._log = SftpLog()
        return self._log

    def close(self) -> None:
        """Stop the server and whoever is in it."""
        server, self.server = self.server, None
        if server is not None:
            server.close()
            self._ended.append(server)

    @override
    def link_lost(self, peer: FakePeer) -> None:
        if peer is self._peer:
            self.close()

    @override
    async def shut_down(self) -> None:
        self.close()
        servers, self._ended = self._ended, []
        for server in servers:
            await server.wait_closed()

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        if packet.body.get("startBrowsing"):
            self.device.run_task(self._offer(peer, packet))

    async def _offer(self, peer: FakePeer, packet: FakePacket) -> None:
        from tests.fakes.kdeconnect_sftp import USER, SftpServer  # noqa: PLC0415

        if self.root is None:
            peer.send("sftp", {"errorMessage": self.error})
            peer.emit("storage_wanted", packet)
            return
        if self.server is None or peer is not self._peer:
            self.close()
            self._peer = peer
            certificate = self.device.paired[peer.device_id]
            self.server = SftpServer(self.root, certificate, self.log)
        # One that runs goes on, with the same password.
        server = self.server
        port = await server.start(self.device.bind)
        offer: Body = {
            "ip": "192.0.2.1",  # another network's: nobody may believe it
            "port": port,
            "user": USER,
            "password": server.password,
            "path": self.path,
        }
        if self.roots:
            offer["multiPaths"] = list[JsonValue](self.roots.values())
            offer["pathNames"] = list[JsonValue](self.roots)
        offer |= self.overrides
        peer.send(
            "sftp", {key: value for key, value in offer.items() if value is not None}
        )
        peer.emit("storage_wanted", packet, port=port)
