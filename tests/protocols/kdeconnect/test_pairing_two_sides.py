"""Two pairing machines back to back: whatever happens, they end up agreeing."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.pairing import (
    Effect,
    Outcome,
    Pairing,
    PairingState,
    SendPair,
    StartTimer,
    StopTimer,
)

GREETING = Packet("kdeconnect.ping")
IN_PROGRESS = (PairingState.REQUESTED, PairingState.REQUESTED_BY_PEER)
MAX_DELIVERIES = 100

numbers = st.integers(0, 1)


@dataclass
class Side:
    """One machine with its inbox, its timer and what its user did."""

    pairing: Pairing
    clock_offset: int
    inbox: deque[Packet] = field(default_factory=deque)
    has_timer: bool = False
    consents: bool = False
    ever_consented: bool = False


class TwoSides(RuleBasedStateMachine):
    """The packets between the two keep their order; either may be slow, links may break."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: tuple[Side, Side] = (Side(Pairing(8), 0), Side(Pairing(8), 0))
        self.now = 1_700_000_000.0

    @initialize(version=st.sampled_from([7, 8]), offset=st.integers(-1000, 1000))
    def meet(self, version: int, offset: int) -> None:
        self.sides = (Side(Pairing(version), 0), Side(Pairing(version), offset))

    @rule(number=numbers)
    def user_asks(self, number: int) -> None:
        self.apply(
            number,
            self.sides[number].pairing.request(self.time_of(number)),
            by_user=True,
        )

    @precondition(lambda self: self.has(PairingState.REQUESTED_BY_PEER))
    @rule(number=numbers)
    def user_accepts(self, number: int) -> None:
        number = self.one_in(PairingState.REQUESTED_BY_PEER, number)
        self.apply(number, self.sides[number].pairing.accept(), by_user=True)

    @precondition(lambda self: self.has(PairingState.REQUESTED_BY_PEER))
    @rule(number=numbers)
    def user_rejects(self, number: int) -> None:
        number = self.one_in(PairingState.REQUESTED_BY_PEER, number)
        self.apply(number, self.sides[number].pairing.reject())

    @precondition(lambda self: self.has(PairingState.REQUESTED))
    @rule(number=numbers)
    def user_cancels(self, number: int) -> None:
        number = self.one_in(PairingState.REQUESTED, number)
        self.apply(number, self.sides[number].pairing.cancel())

    @precondition(lambda self: self.has(PairingState.PAIRED))
    @rule(number=numbers)
    def user_unpairs(self, number: int) -> None:
        number = self.one_in(PairingState.PAIRED, number)
        self.apply(number, self.sides[number].pairing.unpair())

    @precondition(lambda self: any(side.has_timer for side in self.sides))
    @rule(number=numbers)
    def timer_fires(self, number: int) -> None:
        number = number if self.sides[number].has_timer else 1 - number
        self.sides[number].has_timer = False
        self.apply(number, self.sides[number].pairing.timeout())

    @precondition(lambda self: any(side.inbox for side in self.sides))
    @rule(number=numbers)
    def packet_arrives(self, number: int) -> None:
        number = number if self.sides[number].inbox else 1 - number
        side = self.sides[number]
        packet = side.inbox.popleft()
        if packet == GREETING:
            if side.pairing.state is not PairingState.PAIRED:
                self.apply(number, side.pairing.received_other())
        else:
            self.apply(number, side.pairing.received(packet.body, self.time_of(number)))

    @rule(seconds=st.sampled_from([0.5, 5.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: any(side.inbox for side in self.sides))
    @rule()
    def link_breaks_and_comes_back(self) -> None:
        for side in self.sides:
            side.inbox.clear()
        for number, side in enumerate(self.sides):
            self.apply(number, side.pairing.link_lost())
        for number, side in enumerate(self.sides):
            if side.pairing.state is PairingState.PAIRED:
                self.sides[1 - number].inbox.append(GREETING)

    @rule()
    def everything_settles(self) -> None:
        deliveries = 0
        while True:
            while any(side.inbox for side in self.sides):
                deliveries += 1
                assert deliveries <= MAX_DELIVERIES
                self.packet_arrives(0)
            if not any(side.has_timer for side in self.sides):
                break
            self.timer_fires(0)
        first, second = (side.pairing.state for side in self.sides)
        assert first is second
        assert first not in IN_PROGRESS

    @invariant()
    def timer_runs_exactly_while_somebody_is_asked(self) -> None:
        for side in self.sides:
            assert side.has_timer == (side.pairing.state in IN_PROGRESS)

    @invariant()
    def nobody_is_paired_without_both_users(self) -> None:
        for side in self.sides:
            if side.pairing.state is PairingState.PAIRED:
                assert side.consents
                assert all(each.ever_consented for each in self.sides)

    @invariant()
    def timestamp_is_there_exactly_for_requests_of_version_8(self) -> None:
        for side in self.sides:
            if side.pairing.state in IN_PROGRESS:
                expected = side.pairing.protocol_version == 8
                assert (side.pairing.timestamp is not None) is expected

    def has(self, state: PairingState) -> bool:
        return any(side.pairing.state is state for side in self.sides)

    def one_in(self, state: PairingState, number: int) -> int:
        return number if self.sides[number].pairing.state is state else 1 - number

    def time_of(self, number: int) -> float:
        return self.now + self.sides[number].clock_offset

    def apply(
        self, number: int, effects: list[Effect], *, by_user: bool = False
    ) -> None:
        side, other = self.sides[number], self.sides[1 - number]
        for effect in effects:
            match effect:
                case SendPair(pair=pair):
                    # Only a user says yes first; a machine may repeat what its user said.
                    assert (
                        not pair or by_user or side.pairing.state is PairingState.PAIRED
                    )
                    if pair and by_user:
                        side.consents = side.ever_consented = True
                    other.inbox.append(effect.to_packet())
                case StartTimer():
                    assert not side.has_timer
                    side.has_timer = True
                case StopTimer():
                    assert side.has_timer
                    side.has_timer = False
                case Outcome(state=state):
                    assert state is side.pairing.state
                    if state is PairingState.UNPAIRED:
                        side.consents = False
                    elif state is PairingState.PAIRED:
                        other.inbox.append(GREETING)


def test_two_sides_agree_in_the_end() -> None:
    run_state_machine_as_test(
        TwoSides,
        settings=settings(
            max_examples=250, stateful_step_count=30, deadline=None, database=None
        ),
    )
