"""What a lobby tells the own account alone (the FAF reference, section 7.4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ..json_fields import get_int, get_objects, get_strings
from ..json_lines import JsonObject
from .decode import (
    MAX_CHANNELS,
    MAX_NAME,
    MAX_PARTY,
    MAX_SOCIAL,
    decode_avatars,
    decode_notice,
    decode_party,
    read_id,
    read_ids,
    read_text,
    read_time,
)
from .events import (
    AvatarsListed,
    Disabled,
    GameLaunch,
    LobbyEvent,
    MatchCancelled,
    MatchFound,
    NoticeReceived,
    PartyChanged,
    PartyInvited,
    SearchChanged,
    SearchTimedOut,
    SearchViolation,
    SocialChanged,
)
from .lobby_queues import MAX_QUEUES
from .models import Avatar, Party, Social

type Events = tuple[LobbyEvent, ...]


class OwnAccount:
    """The own account's lists, searches and party."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.social = Social()
        self.avatars: tuple[Avatar, ...] = ()
        self.searching: frozenset[str] = frozenset()
        self.party: Party | None = None
        self._readers: Final[dict[str, Callable[[JsonObject], Events]]] = {
            "avatar": self._read_avatars,
            "disabled": _read_disabled,
            "game_launch": _read_game_launch,
            "kicked_from_party": self._read_kicked_from_party,
            "match_cancelled": _read_match_cancelled,
            "match_found": self._read_match_found,
            "notice": _read_notice,
            "party_invite": _read_party_invite,
            "search_info": self._read_search_info,
            "search_timeout": _read_search_timeout,
            "search_violation": _read_search_violation,
            "social": self._read_social,
            "update_party": self._read_update_party,
        }

    def reset(self) -> None:
        """Forget what ends with a connection: searches and the party (section 10)."""
        self.searching = frozenset()
        self.party = None

    def apply(self, command: str, message: JsonObject) -> Events:
        """Merge a message, and return what to tell; nothing for one of another kind."""
        reader = self._readers.get(command)
        return () if reader is None else reader(message)

    def set_friend(self, player_id: int, *, is_listed: bool) -> bool:
        """Put somebody on the list of friends, or off it; tells whether it has changed."""
        friends = _with(self.social.friends, player_id, is_listed=is_listed)
        return self._set_social(replace(self.social, friends=friends))

    def set_foe(self, player_id: int, *, is_listed: bool) -> bool:
        """Put somebody on the list of foes, or off it; tells whether it has changed."""
        foes = _with(self.social.foes, player_id, is_listed=is_listed)
        return self._set_social(replace(self.social, foes=foes))

    def _set_social(self, social: Social) -> bool:
        if social == self.social:
            return False
        self.social = social
        return True

    def _read_social(self, message: JsonObject) -> Events:
        # What is missing stays: an administrator's order to join a channel comes as a
        # message of this kind with nothing else in it.
        social = self.social
        if isinstance(friends := message.get("friends"), list):
            social = replace(social, friends=frozenset(read_ids(friends, MAX_SOCIAL)))
        if isinstance(foes := message.get("foes"), list):
            social = replace(social, foes=frozenset(read_ids(foes, MAX_SOCIAL)))
        channels = _strings(message, "channels")
        joined = _strings(message, "autojoin")
        if channels is None and joined is not None:
            channels = social.channels + joined
        if channels is not None:
            unique = tuple(dict.fromkeys(channels))[:MAX_CHANNELS]
            social = replace(social, channels=unique)
        if (power := get_int(message, "power")) is not None:
            social = replace(social, power=power)
        return (SocialChanged(),) if self._set_social(social) else ()

    def _read_avatars(self, message: JsonObject) -> Events:
        if "avatarlist" not in message:
            return ()
        self.avatars = decode_avatars(message["avatarlist"])
        return (AvatarsListed(),)

    def _read_search_info(self, message: JsonObject) -> Events:
        name = read_text(message, "queue_name", MAX_NAME)
        match message.get("state"):
            case "start" if name:
                return self._search(name, is_searching=True)
            case "stop":
                return self._search(name, is_searching=False)
            case _:
                return ()

    def _read_match_found(self, message: JsonObject) -> Events:
        # No message says that the search of this queue is over.
        name = read_text(message, "queue_name", MAX_NAME)
        return (*self._search(name, is_searching=False), MatchFound(name))

    def _search(self, name: str, *, is_searching: bool) -> Events:
        if is_searching and len(self.searching) >= MAX_QUEUES:
            return ()
        searching = _with(self.searching, name, is_listed=is_searching)
        if searching == self.searching:
            return ()
        self.searching = searching
        return (SearchChanged(name, is_searching),)

    def _read_update_party(self, message: JsonObject) -> Events:
        return self._set_party(decode_party(message))

    def _read_kicked_from_party(self, _message: JsonObject) -> Events:
        return self._set_party(None)

    def _set_party(self, party: Party | None) -> Events:
        if party == self.party:
            return ()
        self.party = party
        return (PartyChanged(),)


def _read_disabled(message: JsonObject) -> Events:
    return (Disabled(read_text(message, "request", MAX_NAME)),)


def _read_notice(message: JsonObject) -> Events:
    return (NoticeReceived(decode_notice(message)),)


def _read_party_invite(message: JsonObject) -> Events:
    sender = read_id(message, "sender")
    return () if sender is None else (PartyInvited(sender),)


def _read_match_cancelled(message: JsonObject) -> Events:
    return (MatchCancelled(read_id(message, "game_id")),)


def _read_search_violation(message: JsonObject) -> Events:
    return (SearchViolation(get_int(message, "count") or 0),)


def _read_search_timeout(message: JsonObject) -> Events:
    # One for each member of the party; the last to end is what counts.
    timeouts = get_objects(message, "timeouts", max_items=MAX_PARTY) or ()
    times = [read_time(item.get("expires_at")) for item in timeouts]
    return (SearchTimedOut(max(filter(None, times), default=None)),)


def _read_game_launch(message: JsonObject) -> Events:
    uid = read_id(message, "uid")
    if uid is None:
        return ()
    return (
        GameLaunch(
            uid=uid,
            name=read_text(message, "name", MAX_NAME),
            mod=read_text(message, "mod", MAX_NAME),
            game_type=read_text(message, "game_type", MAX_NAME),
            rating_type=read_text(message, "rating_type", MAX_NAME),
            map_name=read_text(message, "mapname", MAX_NAME) or None,
            team=get_int(message, "team"),
            faction=get_int(message, "faction"),
            expected_players=get_int(message, "expected_players"),
            map_position=get_int(message, "map_position"),
        ),
    )


def _strings(message: JsonObject, key: str) -> tuple[str, ...] | None:
    return get_strings(message, key, max_items=MAX_CHANNELS, limit=MAX_NAME)


def _with[T](items: frozenset[T], item: T, *, is_listed: bool) -> frozenset[T]:
    return items | {item} if is_listed else items - {item}
