"""Who is announced when."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols.kdeconnect.pacing import (
    MAX_HOSTS,
    MAX_WAITING,
    STAGGER,
    TOLERANCE,
    Pacer,
    Turn,
)

ALL = None
LAN = "192.168.1.7"
OTHER = "192.168.1.8"
HOME, TV, BEDROOM = "home", "tv", "bedroom"


@pytest.fixture
def pacer() -> Pacer:
    return Pacer()


def ask(pacer: Pacer, now: float, *turns: Turn) -> list[Turn]:
    """Let some wait, and return who goes."""
    for turn in turns:
        assert pacer.add(turn, leads=turn.sender == HOME)
    return pacer.take(now)


def test_distance_is_more_than_any_program_asks_for() -> None:
    """Android ignores what comes within a second of the same address (section 4.1)."""
    assert STAGGER - TOLERANCE > 1


def test_one_identity_never_waits_for_itself(pacer: Pacer) -> None:
    for turn in (Turn(HOME, ALL), Turn(HOME, LAN), Turn(HOME, LAN), Turn(HOME, ALL)):
        assert ask(pacer, 100, turn) == [turn]
    assert pacer.next_time is None
    assert len(pacer) == 0


def test_others_keep_their_distance(pacer: Pacer) -> None:
    home, tv, bedroom = Turn(HOME, ALL), Turn(TV, ALL), Turn(BEDROOM, ALL)
    assert ask(pacer, 100, home, tv, bedroom) == [home]
    assert pacer.next_time == 100 + STAGGER
    assert pacer.time_of(bedroom) == pytest.approx(100 + 2 * STAGGER)
    assert pacer.take(101) == []
    assert pacer.take(100 + STAGGER) == [tv]
    assert pacer.take(100 + STAGGER) == []
    assert pacer.take(100 + 2 * STAGGER) == [bedroom]
    assert pacer.time_of(bedroom) is None


def test_timer_may_be_a_little_early(pacer: Pacer) -> None:
    assert ask(pacer, 100, Turn(HOME, ALL), Turn(TV, ALL)) == [Turn(HOME, ALL)]
    assert pacer.take(100 + STAGGER - TOLERANCE / 2) == [Turn(TV, ALL)]


def test_timer_that_is_late_shifts_those_behind(pacer: Pacer) -> None:
    """Both were due, but must not come together."""
    ask(pacer, 100, Turn(HOME, ALL), Turn(TV, ALL), Turn(BEDROOM, ALL))
    assert pacer.take(110) == [Turn(TV, ALL)]
    assert pacer.next_time == 110 + STAGGER


def test_other_hosts_hear_nothing_of_it(pacer: Pacer) -> None:
    turns = [Turn(HOME, LAN), Turn(TV, OTHER)]
    assert ask(pacer, 100, *turns) == turns


@pytest.mark.parametrize(
    ("first", "second"), [(ALL, LAN), (LAN, ALL), (LAN, LAN), (ALL, ALL)]
)
def test_everybody_has_ears_in_common_with_each_host(
    pacer: Pacer, first: str | None, second: str | None
) -> None:
    assert ask(pacer, 100, Turn(HOME, first)) == [Turn(HOME, first)]
    assert ask(pacer, 100, Turn(TV, second)) == []
    assert pacer.next_time == 100 + STAGGER


def test_who_waits_already_waits_once(pacer: Pacer) -> None:
    ask(pacer, 100, Turn(HOME, ALL))
    for _ in range(3):
        assert ask(pacer, 100.5, Turn(TV, ALL)) == []
    assert len(pacer) == 1
    assert pacer.next_time == 100 + STAGGER


def test_leading_identity_goes_before_those_that_wait(pacer: Pacer) -> None:
    ask(pacer, 100, Turn(BEDROOM, ALL), Turn(TV, ALL), Turn(HOME, ALL))
    # It came last and went first; now it has been the last one there.
    assert list(pacer._waiting) == [Turn(BEDROOM, ALL), Turn(TV, ALL)]
    ask(pacer, 100 + STAGGER)
    assert ask(pacer, 100.2 + STAGGER, Turn(HOME, LAN)) == []
    assert list(pacer._waiting) == [Turn(HOME, LAN), Turn(TV, ALL)]


def test_leading_identity_does_not_keep_the_others_out(pacer: Pacer) -> None:
    """However often it is announced."""
    ask(pacer, 100, Turn(HOME, ALL), Turn(TV, ALL), Turn(BEDROOM, ALL))
    heard: list[str] = []
    now = 100.0
    for _ in range(60):
        now += 0.1
        heard += [turn.sender for turn in ask(pacer, now, Turn(HOME, ALL))]
    assert {TV, BEDROOM} <= set(heard)


def test_hosts_that_wait_have_a_bound(pacer: Pacer) -> None:
    """MAX_WAITING, of each identity; what is for everybody has its place all the same."""
    ask(pacer, 100, Turn(HOME, ALL))
    for number in range(MAX_WAITING):
        assert pacer.add(Turn(TV, f"10.0.0.{number}"))
    assert not pacer.add(Turn(TV, LAN))
    assert pacer.add(Turn(TV, "10.0.0.1"))  # it waits already
    assert pacer.add(Turn(TV, ALL))
    assert pacer.add(Turn(BEDROOM, LAN))
    assert len(pacer) == MAX_WAITING + 2


def test_remembered_hosts_have_a_bound(pacer: Pacer) -> None:
    """MAX_HOSTS: the one that was told first is forgotten."""
    hosts = [f"10.0.{number // 250}.{number % 250}" for number in range(MAX_HOSTS + 1)]
    for host in hosts:
        ask(pacer, 100, Turn(HOME, host))
    assert len(pacer._gone) == MAX_HOSTS
    assert ask(pacer, 100, Turn(TV, hosts[0])) == [Turn(TV, hosts[0])]
    assert ask(pacer, 100, Turn(TV, hosts[-1])) == []


def test_what_is_long_ago_is_forgotten(pacer: Pacer) -> None:
    ask(pacer, 100, Turn(HOME, LAN))
    assert pacer.take(100 + STAGGER) == []
    assert not pacer._gone


def test_who_gives_up_waits_no_more(pacer: Pacer) -> None:
    ask(pacer, 100, Turn(HOME, ALL), Turn(TV, LAN), Turn(TV, ALL), Turn(BEDROOM, ALL))
    pacer.drop(TV, OTHER)
    assert len(pacer) == 3
    pacer.drop(TV, LAN)
    assert len(pacer) == 2
    pacer.drop(TV)
    assert pacer.take(100 + STAGGER) == [Turn(BEDROOM, ALL)]
    pacer.drop(TV)
    assert len(pacer) == 0


STEPS = st.lists(
    st.tuples(
        st.floats(0, 3),
        st.sampled_from([HOME, TV, BEDROOM]),
        st.sampled_from([ALL, LAN, OTHER]),
    ),
    max_size=40,
)


@given(STEPS)
def test_no_ears_hear_two_identities_too_close(
    steps: list[tuple[float, str, str | None]],
) -> None:
    pacer, now = Pacer(), 100.0
    gone: list[tuple[float, Turn]] = []
    asked: set[Turn] = set()
    for pause, sender, host in steps:
        end = now + pause
        while (due := pacer.next_time) is not None and due <= end:
            gone += [(due, turn) for turn in pacer.take(due)]
        now = end
        asked.add(Turn(sender, host))
        gone += [(now, turn) for turn in ask(pacer, now, Turn(sender, host))]
    while (due := pacer.next_time) is not None:
        gone += [(due, turn) for turn in pacer.take(due)]
    assert {turn for _, turn in gone} == asked
    for ears in (LAN, OTHER):
        heard = [(time, turn) for time, turn in gone if turn.host in {ALL, ears}]
        for (before, one), (after, other) in pairwise(heard):
            assert one.sender == other.sender or after - before >= STAGGER - TOLERANCE
