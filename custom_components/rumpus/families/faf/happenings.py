"""What happens in a lobby, as events for automations: of whom a user knows, not of all."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from ...names import clean_text
from ...protocols.faf.events import (
    GameChanged,
    GameEnded,
    GameLaunched,
    GameOpened,
    LobbyEvent,
    MatchCancelled,
    MatchFormed,
    MatchFound,
    NoticeReceived,
    PlayerCameOnline,
    PlayerWentOffline,
    RatingChanged,
    Refreshed,
)
from ...protocols.faf.lobby import Lobby
from ...protocols.faf.models import Game
from .const import (
    FRIEND_OPENED,
    GAME,
    GAME_ENDED,
    GAME_OPENED,
    GAME_STARTED,
    MATCH,
    MATCH_CANCELLED,
    MATCH_FOUND,
    MAX_EVENT_TEXT,
    NOTICE,
    NOTICE_EVENTS,
    NOTICE_OTHER,
    PLAYER_GAME_ENDED,
    PLAYER_GAME_STARTED,
    PLAYER_JOINED_GAME,
    PLAYER_MATCH_FOUND,
    PLAYER_OFFLINE,
    PLAYER_ONLINE,
    PLAYER_OPENED_GAME,
    PLAYER_RATING_CHANGED,
    player_event_key,
)
from .follow import Followed
from .maps import map_name
from .queues import readable_name

MATCH_TITLE: Final = " Vs "
"""What is between the two sides in the title of a match (the FAF reference, section 7.2)."""

MAX_RUNNING: Final = 500
"""Games of players of whom a user knows that are followed at once."""

type Fire = Callable[[str, str, Mapping[str, Any] | None], None]
"""Takes the key of an event entity, what happens, and its attributes."""


class Happenings:
    """Turns what a lobby tells into events of the event entities."""

    def __init__(self, lobby: Lobby, followed: Followed, fire: Fire) -> None:
        """Look at a lobby, for some players."""
        self._lobby = lobby
        self._followed = followed
        self._fire = fire
        # Games that are played, and which of the followed players were in them at the
        # start: who has left by the end has played all the same.
        self._running: dict[int, frozenset[str]] = {}
        self._match_queue: str | None = None

    def handle(self, event: LobbyEvent) -> None:
        """Tell about an event what there is to tell."""
        match event:
            case Refreshed():
                self._look_at_all()
            case PlayerCameOnline(player):
                self._tell_player(self._followed.meet(player), PLAYER_ONLINE, {})
            case PlayerWentOffline(player):
                self._tell_player(self._followed.key_of(player.id), PLAYER_OFFLINE, {})
            case RatingChanged():
                self._on_rating(event)
            case GameOpened(game):
                self._on_opened(game)
            case GameChanged(game, before):
                self._on_changed(game, before)
            case GameLaunched(game):
                self._on_launched(game)
            case GameEnded(game):
                self._on_ended(game, was_running=event.was_running)
            case MatchFormed(game):
                for key in self._matched(game):
                    self._tell_player(key, PLAYER_MATCH_FOUND, _facts(game))
            case MatchFound(queue_name):
                self._match_queue = clean_text(queue_name)
                self._fire(MATCH, MATCH_FOUND, {"queue": self._match_queue})
            case MatchCancelled():
                self._fire(MATCH, MATCH_CANCELLED, {"queue": self._match_queue})
            case NoticeReceived(notice):
                style = str(notice.style)
                self._fire(
                    NOTICE,
                    style if style in NOTICE_EVENTS else NOTICE_OTHER,
                    {"text": clean_text(notice.text, MAX_EVENT_TEXT)},
                )
            case _:
                pass  # of the lobby itself, or nobody's business

    def _tell_player(
        self, key: str | None, event_type: str, attributes: Mapping[str, Any]
    ) -> None:
        if key is not None:
            self._fire(player_event_key(key), event_type, attributes)

    def _on_rating(self, event: RatingChanged) -> None:
        self._tell_player(
            self._followed.rated(event),
            PLAYER_RATING_CHANGED,
            {
                "leaderboard": readable_name(event.leaderboard),
                "rating": round(event.after.displayed),
                "rating_change": round(event.change, 1),
            },
        )

    # Games

    def _on_opened(self, game: Game) -> None:
        if game.is_matchmaker:
            return  # nobody has opened it, and nobody can join it
        host = self._lobby.find_player(game.host)
        host_key = None if host is None else self._followed.meet(host)
        facts = _facts(game)
        if host_key is not None or (host is not None and self._is_friend(host.id)):
            self._fire(GAME, FRIEND_OPENED, facts)
        elif (host is not None and self._is_me(host.id)) or self._is_known(
            game.member_ids
        ):
            self._fire(GAME, GAME_OPENED, facts)
        self._tell_player(host_key, PLAYER_OPENED_GAME, facts)
        for key in self._followed.keys_of(game.member_ids):
            if key != host_key:
                self._tell_player(key, PLAYER_JOINED_GAME, facts)

    def _on_changed(self, game: Game, before: Game) -> None:
        if not game.is_open or game.is_matchmaker:
            return
        for key in self._followed.keys_of(game.member_ids - before.member_ids):
            if self._followed.key_of_login(game.host) != key:
                self._tell_player(key, PLAYER_JOINED_GAME, _facts(game))

    def _on_launched(self, game: Game) -> None:
        self._note_running(game)
        if game.uid not in self._running:
            return
        facts = _facts(game)
        self._fire(GAME, GAME_STARTED, facts)
        for key in sorted(self._running[game.uid]):
            self._tell_player(key, PLAYER_GAME_STARTED, facts)

    def _on_ended(self, game: Game, *, was_running: bool) -> None:
        keys = self._running.pop(game.uid, None)
        if keys is None or not was_running:
            return
        facts = _facts(game)
        self._fire(GAME, GAME_ENDED, facts)
        for key in sorted(keys):
            self._tell_player(key, PLAYER_GAME_ENDED, facts)

    def _look_at_all(self) -> None:
        """Know who plays; there are no events of what was so before we came."""
        self._running.clear()
        for game in self._lobby.games.values():
            if game.is_running:
                self._note_running(game)

    def _note_running(self, game: Game) -> None:
        if len(self._running) < MAX_RUNNING and self._is_known(game.member_ids):
            self._running[game.uid] = frozenset(self._followed.keys_of(game.player_ids))

    def _matched(self, game: Game) -> set[str]:
        """Return the keys of the followed players whom a new match names."""
        names = {game.host, *game.title.split(MATCH_TITLE)}
        keys = {self._followed.key_of_login(name) for name in names}
        return {key for key in keys if key is not None} | set(
            self._followed.keys_of(game.player_ids)
        )

    # Who is of interest

    def _is_me(self, player_id: int) -> bool:
        me = self._lobby.me
        return me is not None and me.id == player_id

    def _is_friend(self, player_id: int) -> bool:
        return player_id in self._lobby.social.friends

    def _is_known(self, player_ids: Collection[int]) -> bool:
        """Tell whether one of some players is followed, a friend, or we ourselves."""
        return any(
            self._followed.key_of(player_id) is not None
            or self._is_friend(player_id)
            or self._is_me(player_id)
            for player_id in player_ids
        )


def _facts(game: Game) -> dict[str, Any]:
    return {
        "uid": game.uid,
        "title": clean_text(game.title, MAX_EVENT_TEXT),
        "host": clean_text(game.host),
        "map": map_name(game.map_name),
        "mod": clean_text(game.featured_mod),
        "players": game.num_players,
    }
