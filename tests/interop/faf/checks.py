"""All checks, in their order."""

from collections.abc import Awaitable, Callable
from typing import Final

from . import codec, qt_lobby, websocket_lobby
from .world import World

type Check = Callable[[World], Awaitable[str | None]]

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("our strings read by Qt", codec.ours_read_by_qt),
    ("Qt's strings read by us", codec.qt_read_by_ours),
    ("Qt's null string", codec.null_string),
    ("JSON of both", codec.json_both_ways),
    ("Qt's lobby probed", qt_lobby.probed),
    ("Qt's lobby with a token", qt_lobby.token),
    ("Qt's lobby with a password", qt_lobby.password),
    ("players and games of Qt's lobby", qt_lobby.model),
    ("text that Qt does not escape", qt_lobby.foreign_text),
    ("pings with Qt's lobby", qt_lobby.pings),
    ("several strings in Qt's block", qt_lobby.more_strings),
    ("a crowd in Qt's block", qt_lobby.crowd),
    ("Qt's block in single bytes", qt_lobby.single_bytes),
    ("broken blocks", qt_lobby.broken_blocks),
    ("Qt's lobby gone and back", qt_lobby.gone_and_back),
    ("kicked by Qt's lobby", qt_lobby.kicked),
    ("commands to Qt's lobby", qt_lobby.commands),
    ("Qt's lobby silent", qt_lobby.silent),
    ("Qt as a client of the fake lobby", qt_lobby.client_of_fake),
    ("WebSocket probed", websocket_lobby.probed),
    ("WebSocket with both logins", websocket_lobby.logins),
    ("frames of all kinds", websocket_lobby.framings),
    ("control frames", websocket_lobby.control_frames),
    ("a large frame", websocket_lobby.large_frame),
    ("broken frames", websocket_lobby.broken_frames),
    ("WebSocket gone and back", websocket_lobby.gone_and_back),
    ("a gateway that refuses", websocket_lobby.refused),
    ("websockets as a client of the fake lobby", websocket_lobby.client_of_fake),
)
