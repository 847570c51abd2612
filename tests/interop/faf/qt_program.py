"""Qt's own QDataStream as both ends of a lobby, driven by lines of JSON.

It runs in an environment of its own. Qt's modules are fetched by name, as their types
are of no use where the types are checked.
"""

import importlib
import json
import os
import sys
from typing import Any, Final

from .desk import answers

core: Any = importlib.import_module("PySide6.QtCore")
network: Any = importlib.import_module("PySide6.QtNetwork")

_SHOWN: Final = 500
_HOST: Final = "127.0.0.1"


def say(kind: str, **data: Any) -> None:
    """Print what happened."""
    print(json.dumps({"kind": kind, "data": data}), flush=True)


def pack(texts: list[str | None]) -> Any:
    """Return a block as Qt writes it; None is its null string."""
    block = core.QByteArray()
    stream = core.QDataStream(block, core.QIODevice.OpenModeFlag.WriteOnly)
    for text in texts:
        stream.writeQString(text)
    return block


def frame(block: Any) -> Any:
    """Return a block behind its length: a QByteArray on the wire."""
    data = core.QByteArray()
    stream = core.QDataStream(data, core.QIODevice.OpenModeFlag.WriteOnly)
    stream << block
    return data


def unpack(block: Any) -> list[str]:
    """Return the strings of a block. Raises ValueError."""
    stream = core.QDataStream(block)
    texts = []
    while not stream.atEnd():
        texts.append(stream.readQString())
        if stream.status() != core.QDataStream.Status.Ok:
            raise ValueError("not a block of strings")
    return texts


def to_json(message: Any) -> str:
    """Return a message as Qt's JSON has it: sorted, and not in ASCII."""
    document = core.QJsonDocument.fromVariant(message)
    compact = core.QJsonDocument.JsonFormat.Compact
    return bytes(document.toJson(compact)).decode()


def from_json(text: str) -> Any:
    """Return what Qt's JSON reads. Raises ValueError."""
    document = core.QJsonDocument.fromJson(core.QByteArray(text.encode()))
    if document.isNull():
        raise ValueError("Qt reads no JSON there")
    return document.toVariant()


class Connection:
    """One socket."""

    def __init__(self, socket: Any, peer: Peer, *, is_server: bool) -> None:
        """Read what comes."""
        self.socket = socket
        self._peer = peer
        self._is_server = is_server
        self._stream = core.QDataStream(socket)
        socket.readyRead.connect(self._readable)
        socket.disconnected.connect(self._lost)

    def _readable(self) -> None:
        while self.socket.bytesAvailable():
            self._stream.startTransaction()
            block = core.QByteArray()
            self._stream >> block
            if not self._stream.commitTransaction():
                return
            self._received(unpack(block))

    def _received(self, texts: list[str]) -> None:
        if texts[0] in ("PING", "PONG"):
            say("message", texts=texts)
            if texts[0] == "PING" and self._peer.is_lively:
                self.send(["PONG"])
            return
        message = from_json(texts[0])
        command = message.get("command")
        shown = [text[:_SHOWN] for text in texts]
        say("message", texts=shown, command=command, size=len(texts[0]))
        if self._is_server and self._peer.is_lively:
            for answer in answers(message):
                pong = answer["command"] == "pong"
                self.send(["PONG" if pong else to_json(answer)])

    def _lost(self) -> None:
        say("lost")
        if self in self._peer.connections:
            self._peer.connections.remove(self)

    def send(self, texts: list[str | None], *, split: bool = False) -> None:
        """Send a block, each byte by itself or all at once."""
        data = bytes(frame(pack(texts)))
        for at in range(0, len(data), 1) if split else (0,):
            self.socket.write(data[at : at + 1] if split else data)
            if split:
                self.socket.flush()


class Peer:
    """A lobby, a client, or only a codec."""

    def __init__(self) -> None:
        """Nothing runs."""
        self.is_lively = True
        self.connections: list[Connection] = []
        self._server: Any = None

    def listen(self, port: int = 0) -> dict[str, Any]:
        """Be a lobby."""
        self._server = network.QTcpServer()
        self._server.newConnection.connect(self._accept)
        if not self._server.listen(network.QHostAddress(_HOST), port):
            raise ValueError(self._server.errorString())
        return {"port": self._server.serverPort()}

    def unlisten(self) -> dict[str, Any]:
        """Be none any more."""
        self._server.close()
        return {}

    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            socket = self._server.nextPendingConnection()
            self.connections.append(Connection(socket, self, is_server=True))
            say("connected")

    def connect(self, port: int) -> dict[str, Any]:
        """Be a client."""
        socket = network.QTcpSocket()
        connection = Connection(socket, self, is_server=False)
        self.connections.append(connection)
        socket.connected.connect(lambda: say("connected"))
        socket.connectToHost(_HOST, port)
        return {}

    def lively(self, on: bool) -> dict[str, Any]:
        """Answer by itself or not."""
        self.is_lively = on
        return {}

    def send(self, message: Any, split: bool = False) -> dict[str, Any]:
        """Send a message."""
        for connection in self.connections:
            connection.send([to_json(message)], split=split)
        return {}

    def texts(self, texts: list[str | None]) -> dict[str, Any]:
        """Send a block with any strings."""
        for connection in self.connections:
            connection.send(texts)
        return {}

    def raw(self, data: str) -> dict[str, Any]:
        """Send bytes."""
        for connection in self.connections:
            connection.socket.write(bytes.fromhex(data))
        return {}

    def close(self) -> dict[str, Any]:
        """End the connections."""
        for connection in tuple(self.connections):
            connection.socket.disconnectFromHost()
        return {}

    def abort(self) -> dict[str, Any]:
        """Cut the connections."""
        for connection in tuple(self.connections):
            connection.socket.abort()
        return {}

    def pack(self, texts: list[str | None]) -> dict[str, Any]:
        """Only write."""
        return {"data": bytes(frame(pack(texts))).hex()}

    def unpack(self, data: str) -> dict[str, Any]:
        """Only read."""
        outer = core.QDataStream(core.QByteArray(bytes.fromhex(data)))
        block = core.QByteArray()
        outer >> block
        if outer.status() != core.QDataStream.Status.Ok or not outer.atEnd():
            raise ValueError("not one block")
        return {"texts": unpack(block)}

    def json(self, text: str) -> dict[str, Any]:
        """Read JSON and write it again."""
        return {"text": to_json(from_json(text))}


class Input:
    """Standard input."""

    def __init__(self, application: Any, peer: Peer) -> None:
        """Read lines."""
        self._application = application
        self._peer = peer
        self._rest = b""
        self._notifier = core.QSocketNotifier(
            sys.stdin.fileno(), core.QSocketNotifier.Type.Read
        )
        self._notifier.activated.connect(self._readable)

    def _readable(self) -> None:
        data = os.read(sys.stdin.fileno(), 1 << 20)
        if not data:
            self._application.quit()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            wish = json.loads(line)
            try:
                done = getattr(self._peer, wish.pop("do"))(**wish)
            except (ValueError, TypeError) as error:
                say("error", reason=repr(error))
            else:
                say("done", **done)


def main() -> None:
    """Run until standard input ends."""
    application = core.QCoreApplication(sys.argv)
    source = Input(application, Peer())
    say("ready", version=core.qVersion())
    application.exec()
    del source


if __name__ == "__main__":
    main()
