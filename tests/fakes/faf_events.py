"""What a fake lobby saw and did, kept until a test asks for it."""

from typing import Literal, override

from tests.fakes.event_log import LoggedEvent, LoggedEvents
from tests.fakes.faf_json import JsonValue

type EventKind = Literal[
    # Connections; data has `session`, a number that counts up from 1.
    "connected",  # transport
    "refused_connection",  # transport, reason: nothing was accepted
    "received",  # command, message: every message, before it is handled
    "sent",  # command, login; with `logs_sent`
    "invalid",  # command: answered with `invalid` and closed
    "dropped",  # reason: ended without a word
    "closed",  # login, reason
    # Accounts.
    "session_asked",  # user_agent, number
    # login, id, transport, user_agent, version, and how: "token" or "password"
    "signed_in",
    "signed_out",  # login, id
    # login, reason: "credentials", "proof", "ban", "user_agent", "database"
    "login_refused",
    "kicked",  # login, reason
    "proof",  # unique_id, accepted
    # What clients did, each when it took effect.
    "friend_added",  # login, other: the id
    "friend_removed",
    "foe_added",
    "foe_removed",
    "avatar",  # login, url
    "queues_asked",  # login
    "search",  # login, queue, state
    "party",  # owner, members
    "client_error",  # command, text: answered with a notice
    "disabled",  # command
    "game_command",  # login, command, args
    # What happens on the server, whoever caused it.
    "game",  # uid, state: "initializing", "lobby", "live", "ended", "removed"
    "match",  # uid, queue, players
    "match_cancelled",  # uid
    "rating",  # login, leaderboard, mean, deviation
    "report",  # queues, players, games: how many changes were told of
    "shutdown",  # step
]

type FafEvent = LoggedEvent[EventKind, JsonValue]


class FafEventLog(LoggedEvents[EventKind, JsonValue]):
    """All events of a lobby."""

    @override
    def describe(self, event: FafEvent) -> str:
        if event.kind in ("received", "sent", "game_command"):
            return f"{event.kind}:{event.data['command']}"
        return event.kind
