"""Readers of what a lobby server sends: objects of JSON in, models out.

They are lenient: what is missing, or of a wrong type, becomes what its model has for it,
and None comes back for an item that cannot be told from others without it. Everything
that is kept is bounded here. Texts are made fit to be shown: without control characters
and halves of surrogate pairs, which other programs choke on.
"""

from datetime import UTC, datetime, timedelta
import html
import re
from typing import Final, TypeIs

from ..json_fields import get_bool, get_int, get_number
from ..json_lines import JsonObject, JsonValue
from .models import (
    OBSERVERS,
    Avatar,
    Game,
    GameState,
    Notice,
    NoticeStyle,
    Party,
    Player,
    Queue,
    Rating,
    Welcome,
)

MAX_ID: Final = 2**63 - 1
"""The largest number that is taken as that of a player or a game."""
MAX_COUNT: Final = 1_000_000
"""The largest number of people, games or slots that is believed."""
MAX_RATING: Final = 1e6
"""The largest magnitude of a rating that is believed."""
MAX_NAME: Final = 128
"""Characters of a login, or of the name of a mod, a map, a queue or a leaderboard."""
MAX_TITLE: Final = 256
"""Characters of the title of a game; servers cut at 128 (section 7.2)."""
MAX_URL: Final = 1024
"""Characters of an address; a longer one is dropped, since half of one leads nowhere."""
MAX_NOTICE: Final = 4096
"""Characters of a notice that are read, with its HTML."""
MAX_RATINGS: Final = 16
"""Leaderboards of one player."""
MAX_SIM_MODS: Final = 128
"""Mods that change one game."""
MAX_TEAMS: Final = 64
"""Teams of one game."""
MAX_MEMBERS: Final = 64
"""People in one game."""
MAX_BOUNDARIES: Final = 1024
"""Searches of one queue whose ratings are kept."""
MAX_SOCIAL: Final = 20_000
"""Friends, or foes, of the own account."""
MAX_CHANNELS: Final = 128
"""Channels of the own account."""
MAX_AVATARS: Final = 256
"""Avatars that the own account may choose from."""
MAX_PARTY: Final = 64
"""Members of a party."""
MAX_DELTA: Final = 86_400.0
"""Seconds that the next round of a queue may be away."""

_STATES: Final = {state.value: state for state in GameState}
_STYLES: Final = {style.value: style for style in NoticeStyle}
#: The ratings of servers that know no others, which newer ones still send (section 7.1).
_OLD_RATINGS: Final = (("global", "global_rating"), ("ladder_1v1", "ladder_rating"))
_TEAM: Final = re.compile("-1|[0-9]{1,6}", re.ASCII)
_BREAKS: Final = re.compile(r"<(?:br|/p|/div|/li|/h[1-6]|/tr)\b[^<>]*>", re.IGNORECASE)
_TAGS: Final = re.compile(r"<[a-z/!][^<>]*>", re.IGNORECASE)
_BLANKS: Final = re.compile(r"[^\S\n]+")


def decode_player(body: JsonObject) -> Player | None:
    """Return a player (section 7.1), or None without an id or a login."""
    player_id = read_id(body, "id")
    login = read_text(body, "login", MAX_NAME)
    if player_id is None or not login:
        return None
    avatar = body.get("avatar")
    worn = decode_avatar(avatar) if isinstance(avatar, dict) else None
    return Player(
        id=player_id,
        login=login,
        country=read_text(body, "country", MAX_NAME) or None,
        clan=read_text(body, "clan", MAX_NAME) or None,
        avatar_url=worn.url if worn else None,
        avatar_tooltip=worn.tooltip if worn else None,
        ratings=_ratings(body),
    )


def is_offline(body: JsonObject) -> bool:
    """Whether the server says of a player that they are gone."""
    return body.get("state") == "offline"


def decode_game(body: JsonObject) -> Game | None:
    """Return a game (section 7.2), or None without a number or a state."""
    uid = read_id(body, "uid")
    state = read_text(body, "state", MAX_NAME)
    if uid is None or not state:
        return None
    return Game(
        uid=uid,
        state=_STATES.get(state, state),
        title=read_text(body, "title", MAX_TITLE),
        host=read_text(body, "host", MAX_NAME),
        visibility=read_text(body, "visibility", MAX_NAME),
        is_password_protected=_flag(body, "password_protected"),
        game_type=read_text(body, "game_type", MAX_NAME),
        featured_mod=read_text(body, "featured_mod", MAX_NAME),
        sim_mods=_sim_mods(body.get("sim_mods")),
        map_name=read_text(body, "mapname", MAX_NAME),
        num_players=_count(body, "num_players"),
        max_players=_count(body, "max_players"),
        hosted_at=read_time(body.get("hosted_at")),
        launched_at=read_time(body.get("launched_at")),
        rating_type=read_text(body, "rating_type", MAX_NAME),
        rating_min=_rating_limit(body, "rating_min"),
        rating_max=_rating_limit(body, "rating_max"),
        is_rating_enforced=_flag(body, "enforce_rating_range"),
        teams=_teams(body.get("teams_ids")),
        team_logins=_team_logins(body.get("teams")),
    )


def decode_queue(
    body: JsonObject, now: float, utc: datetime, skew: float | None = None
) -> Queue | None:
    """Return a queue (section 7.3), or None without its name or the time of its round.

    `now` is the time of the loop and `utc` that of our clock, both when the message came;
    the server's clock is `skew` seconds ahead of ours. The seconds that the server counts
    down are preferred to the time that it names, which needs both clocks to agree.
    """
    name = read_text(body, "queue_name", MAX_NAME)
    delta = get_number(body, "queue_pop_time_delta")
    if delta is None:
        pop_time = read_time(body.get("queue_pop_time"))
        if pop_time is not None:
            delta = (pop_time - utc).total_seconds() - (skew or 0.0)
    if not name or delta is None:
        return None
    delta = min(max(delta, 0.0), MAX_DELTA)
    return Queue(
        name=name,
        players=_count(body, "num_players"),
        team_size=_count(body, "team_size"),
        pop_at=now + delta,
        pop_time=utc + timedelta(seconds=delta),
        boundaries=_boundaries(body.get("boundary_80s")),
    )


def decode_welcome(body: JsonObject) -> Welcome | None:
    """Return the answer to a login (section 6.1), or None if it names nobody."""
    me = body.get("me")
    player = decode_player(me) if isinstance(me, dict) else None
    player = player or decode_player(body)
    if player is None:
        return None
    return Welcome(player, read_time(body.get("current_time")))


def decode_notice(body: JsonObject) -> Notice:
    """Return a notice; its text is plain (section 7.4)."""
    style = read_text(body, "style", MAX_NAME)
    text = body.get("text")
    return Notice(
        style=_STYLES.get(style, style),
        text=plain_text(text) if isinstance(text, str) else "",
    )


def decode_party(body: JsonObject) -> Party | None:
    """Return a party (section 7.4), or None for one that is gone."""
    owner = read_id(body, "owner")
    members = body.get("members")
    if owner is None or not isinstance(members, list):
        return None
    ids = [
        member.get("player") for member in members[:MAX_PARTY] if type(member) is dict
    ]
    players = read_ids(ids, MAX_PARTY)
    return Party(owner, players) if players else None


def decode_avatar(body: JsonObject) -> Avatar | None:
    """Return an avatar, or None without an address that can be named to the server."""
    url = body.get("url")
    if not isinstance(url, str) or not url.isprintable() or not 0 < len(url) <= MAX_URL:
        return None
    return Avatar(url, read_text(body, "tooltip", MAX_TITLE))


def decode_avatars(value: JsonValue) -> tuple[Avatar, ...]:
    """Return a list of avatars without those of no use, at most MAX_AVATARS."""
    if not isinstance(value, list):
        return ()
    avatars = (
        decode_avatar(item) for item in value[:MAX_AVATARS] if isinstance(item, dict)
    )
    return tuple(avatar for avatar in avatars if avatar is not None)


def plain_text(text: str) -> str:
    """Return a text of at most MAX_NOTICE characters without the HTML in it.

    What ends a line in HTML ends it here, too.
    """
    text = _BREAKS.sub("\n", text[:MAX_NOTICE])
    text = html.unescape(_TAGS.sub("", text))
    lines = (_clean(_BLANKS.sub(" ", line)) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def read_id(body: JsonObject, key: str) -> int | None:
    """Return the number of a player or a game: whole, not negative, at most MAX_ID."""
    value = body.get(key)
    if type(value) is not int:
        value = get_int(body, key)
    return value if value is not None and 0 <= value <= MAX_ID else None


def read_ids(value: JsonValue | list[JsonValue], limit: int) -> tuple[int, ...]:
    """Return the numbers in a list, at most `limit` of them, without all that is none."""
    if not isinstance(value, list):
        return ()
    # A list first: twice as fast as a generator.
    return tuple(
        [item for item in value[:limit] if type(item) is int and 0 <= item <= MAX_ID]
    )


def read_text(body: JsonObject, key: str, limit: int) -> str:
    """Return a line of text that is fit to be shown, cut to `limit` characters."""
    value = body.get(key)
    if not isinstance(value, str):
        return ""
    text = value[:limit]
    return text if text.isprintable() else _clean(text)


def read_time(value: JsonValue) -> datetime | None:
    """Return a time in UTC, sent as ISO 8601 or as seconds since 1970."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except OSError, OverflowError, ValueError:
        pass
    return None


def _clean(text: str) -> str:
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "" for char in text
    ).strip()


def _flag(body: JsonObject, key: str) -> bool:
    value = body.get(key)
    return value if type(value) is bool else get_bool(body, key) or False


def _count(body: JsonObject, key: str) -> int:
    value = body.get(key)
    if type(value) is not int:
        value = get_int(body, key) or 0
    return value if 0 <= value <= MAX_COUNT else 0


def _rating_limit(body: JsonObject, key: str) -> float | None:
    value = body.get(key)
    if value is None:
        return None
    number = get_number(body, key)
    return number if number is not None and abs(number) <= MAX_RATING else None


def _ratings(body: JsonObject) -> dict[str, Rating]:
    ratings: dict[str, Rating] = {}
    value = body.get("ratings")
    if type(value) is dict:
        for name, item in value.items():
            if len(ratings) == MAX_RATINGS:
                break
            if type(item) is dict and 0 < len(name) <= MAX_NAME:
                rating = _rating(item.get("rating"), item.get("number_of_games"))
                if rating is not None:
                    ratings[name if name.isprintable() else _clean(name)] = rating
        return ratings
    for name, key in _OLD_RATINGS:
        games = body.get("number_of_games") if name == "global" else 0
        rating = _rating(body.get(key), games)
        if rating is not None:
            ratings[name] = rating
    return ratings


def _rating(pair: JsonValue, games: JsonValue) -> Rating | None:
    if type(pair) is not list or len(pair) < 2:
        return None
    mean, deviation = pair[0], pair[1]
    if not _is_limit(mean) or not _is_limit(deviation) or deviation < 0:
        return None
    if type(games) is not int or not 0 <= games <= MAX_COUNT:
        games = 0
    return Rating(float(mean), float(deviation), games)


def _sim_mods(value: JsonValue) -> tuple[str, ...]:
    if not value or type(value) is not dict:
        return ()
    names = list(value.values())[:MAX_SIM_MODS]
    cut = (_clean(name[:MAX_NAME]) for name in names if isinstance(name, str))
    return tuple(name for name in cut if name)


def _teams(value: JsonValue) -> dict[int, tuple[int, ...]]:
    teams: dict[int, tuple[int, ...]] = {}
    if type(value) is not list:
        return teams
    room = MAX_MEMBERS
    seen: set[int] = set()
    for item in value[:MAX_TEAMS]:
        if type(item) is not dict:
            continue
        team = item.get("team_id")
        if type(team) is not int:
            team = get_int(item, "team_id")
        if team is None or not OBSERVERS <= team <= MAX_COUNT:
            continue
        members = read_ids(item.get("player_ids"), room)
        if not seen.isdisjoint(members) or len(set(members)) < len(members):
            # In no two places at once, whatever the server says.
            members = tuple(each for each in dict.fromkeys(members) if each not in seen)
        seen.update(members)
        teams[team] = teams[team] + members if team in teams else members
        room -= len(members)
    return teams


def _team_logins(value: JsonValue) -> dict[int, tuple[str, ...]]:
    teams: dict[int, tuple[str, ...]] = {}
    if type(value) is not dict:
        return teams
    room = MAX_MEMBERS
    for name, logins in list(value.items())[:MAX_TEAMS]:
        # Old servers say "null" for those without a team (section 7.2).
        if _TEAM.fullmatch(name) is None or type(logins) is not list:
            continue
        texts = [each[:MAX_NAME] for each in logins[:room] if type(each) is str]
        cut = [each if each.isprintable() else _clean(each) for each in texts]
        members = tuple([login for login in cut if login])
        teams[int(name)] = members
        room -= len(members)
    return teams


def _boundaries(value: JsonValue) -> tuple[tuple[int, int], ...]:
    if type(value) is not list:
        return ()
    pairs: list[tuple[int, int]] = []
    for item in value[:MAX_BOUNDARIES]:
        if type(item) is not list or len(item) != 2:
            continue
        low, high = item
        if _is_limit(low) and _is_limit(high):
            pairs.append((int(low), int(high)))
    return tuple(pairs)


def _is_limit(value: JsonValue) -> TypeIs[int | float]:
    # NaN fails the comparisons.
    return isinstance(value, int | float) and -MAX_RATING <= value <= MAX_RATING
