"""The queues of a lobby, merged from messages that tell of some only."""

from datetime import timedelta

import pytest

from .watching import START, Watched, player, queue, queues, welcome
from custom_components.rumpus.protocols.faf import lobby_queues
from custom_components.rumpus.protocols.faf.events import (
    QueueChanged,
    QueueRemoved,
    Updated,
)


@pytest.fixture
def watched() -> Watched:
    watched = Watched()
    watched.log_in()
    watched.tell(queues(queue("ladder1v1", 60.0, 2), queue("tmm2v2", 90.0, 4, 2)))
    return watched


def test_queues_of_a_reply(watched: Watched) -> None:
    assert set(watched.lobby.queues) == {"ladder1v1", "tmm2v2"}
    ladder = watched.lobby.queues["ladder1v1"]
    assert (ladder.players, ladder.team_size) == (2, 1)
    assert ladder.pop_at == watched.now + 60.0
    assert ladder.pop_time == START + timedelta(seconds=60)


def test_a_broadcast_leaves_the_other_queues_alone(watched: Watched) -> None:
    before = watched.lobby.queues["tmm2v2"]

    events = watched.tell_all(queues(queue("ladder1v1", 60.0, 3)))

    assert events == [QueueChanged(watched.lobby.queues["ladder1v1"]), Updated()]
    assert watched.lobby.queues["ladder1v1"].players == 3
    assert watched.lobby.queues["tmm2v2"] is before


def test_the_next_round_is_steady(watched: Watched) -> None:
    before = watched.lobby.queues["ladder1v1"]
    watched.now += 10.0

    assert watched.tell_all(queues(queue("ladder1v1", 50.4, 2))) == []
    assert watched.lobby.queues["ladder1v1"] is before

    watched.tell(queues(queue("ladder1v1", 50.4, 3)))
    assert watched.lobby.queues["ladder1v1"].pop_at == before.pop_at
    assert watched.lobby.queues["ladder1v1"].pop_time == before.pop_time


def test_another_round(watched: Watched) -> None:
    watched.now += 60.0

    (changed,) = watched.tell(queues(queue("ladder1v1", 90.0, 0)))

    assert changed == QueueChanged(watched.lobby.queues["ladder1v1"])
    assert watched.lobby.queues["ladder1v1"].pop_at == watched.now + 90.0


def test_no_queues_means_none(watched: Watched) -> None:
    gone = list(watched.lobby.queues.values())

    events = watched.tell_all(queues())

    assert events == [*map(QueueRemoved, gone), Updated()]
    assert dict(watched.lobby.queues) == {}
    assert watched.tell_all(queues()) == []


def test_a_queue_that_is_not_told_of_any_more(watched: Watched) -> None:
    gone = watched.lobby.queues["tmm2v2"]
    watched.now += 90.0 + lobby_queues.MAX_SILENCE + 1

    events = watched.tell(queues(queue("ladder1v1", 30.0)))

    assert QueueRemoved(gone) in events
    assert set(watched.lobby.queues) == {"ladder1v1"}


def test_reconnect_keeps_queues_until_they_are_told_again(watched: Watched) -> None:
    watched.tell(welcome())

    assert set(watched.lobby.queues) == {"ladder1v1", "tmm2v2"}


def test_limit_of_queues(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby_queues, "MAX_QUEUES", 2)

    watched.tell(queues(queue("more", 1.0), queue("ladder1v1", 60.0, 9)))

    assert set(watched.lobby.queues) == {"ladder1v1", "tmm2v2"}
    assert watched.lobby.queues["ladder1v1"].players == 9
    assert watched.lobby.dropped == 1


def test_limit_of_queues_in_a_message(watched: Watched) -> None:
    many = [queue("ladder1v1", 60.0, 2)] * lobby_queues.MAX_QUEUES

    assert watched.tell_all(queues(*many, queue("more", 1.0))) == []
    assert watched.lobby.dropped == 1


def test_queues_are_taken_one_by_one(watched: Watched) -> None:
    # Each may have as many numbers as many players.
    message = queues(queue("ladder1v1", 60.0, 3), queue("tmm2v2", 90.0, 5, 2))

    steps = list(watched.lobby.apply(message, watched.now, watched.utc))

    assert steps.count(None) == 2


def test_items_of_no_use_are_dropped(watched: Watched) -> None:
    assert watched.tell_all(queues(player(1), 5)) == []
    assert watched.tell_all({"command": "matchmaker_info"}) == []
    assert watched.lobby.dropped == 3
