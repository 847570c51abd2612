"""A protocol that nobody knew of yet: a session and a maker are all that it takes."""

from collections.abc import Mapping
from typing import ClassVar, get_protocol_members, override

import pytest

from .stubs import COMPANION, LOGGER, Bench, StubCompanion, StubMrp, played, scenario
from custom_components.rumpus.protocols.apple.apis import CompanionApi, MrpApi
from custom_components.rumpus.protocols.apple.capabilities import Keys, Telling
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    FeatureState,
    InputAction,
    Key,
)
from custom_components.rumpus.protocols.apple.events import (
    LinkLost,
    LinkUp,
    PlayingChanged,
)
from custom_components.rumpus.protocols.apple.keys import ONCE
from custom_components.rumpus.protocols.apple.link import LinkState
from custom_components.rumpus.protocols.apple.makers import default_makers
from custom_components.rumpus.protocols.apple.models import IDLE, Playing
from custom_components.rumpus.protocols.apple.services import FoundDevice, Service
from custom_components.rumpus.protocols.apple.session import (
    Aspect,
    Context,
    Listener,
    Maker,
    Place,
    Session,
)
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.mrp.client import MrpClient
from tests.protocols.virtual_time import run

STUBS = {StubCompanion.__module__}
RAOP = Service(AppleProtocol.RAOP, "raop-id", 7000)
SPEAKING = Playing(device_state=DeviceState.PLAYING, title="Doorbell")


class SpeakerSession(Session, Keys, Telling):
    serves = AppleProtocol.RAOP
    features = frozenset({Feature.STREAM_FILE})
    keys: ClassVar[Mapping[Key, frozenset[InputAction]]] = {
        Key.STOP: ONCE,
        Key.PAUSE: ONCE,
    }

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.pressed: list[Key] = []
        self.now = IDLE

    @override
    async def open(self) -> None:
        assert self.info.build is None

    @override
    async def close(self) -> None:
        self.pressed.clear()

    @override
    def feature(self, feature: Feature) -> FeatureState:
        return FeatureState.AVAILABLE

    @property
    @override
    def playing(self) -> Playing:
        return self.now

    @override
    async def press(self, key: Key, action: InputAction) -> None:
        self.pressed.append(key)

    @override
    async def hold(self, key: Key, seconds: float) -> None:
        self.pressed.append(key)


class SpeakerMaker(Maker):
    protocol = AppleProtocol.RAOP
    session: ClassVar[type[Session]] = SpeakerSession

    def __init__(self) -> None:
        self.made: list[SpeakerSession] = []

    @override
    def place(
        self, found: FoundDevice, credentials: Mapping[AppleProtocol, str]
    ) -> Place | None:
        service = found.service(self.protocol)
        return None if service is None else Place(found.address, service.port)

    @override
    def make(self, place: Place, context: Context, listener: Listener) -> Session:
        assert place == Place("10.0.0.5", 7000)
        assert context.logger is LOGGER
        self.made.append(SpeakerSession(listener))
        return self.made[-1]


def test_a_protocol_of_its_own() -> None:
    maker = SpeakerMaker()

    async def scene(bench: Bench) -> None:
        device, speaker = bench.device, maker.made[-1]
        assert device.links[AppleProtocol.RAOP].state is LinkState.UP
        assert device.is_available(Feature.STREAM_FILE)
        # It serves what nobody else does, and leaves the rest to its betters.
        await device.stop_playing()
        await device.pause()
        assert speaker.pressed == [Key.STOP]
        assert bench.companion.calls == [("pause",)]
        speaker.now = SPEAKING
        speaker.listener.changed(Aspect.PLAYING)
        assert bench.told(PlayingChanged) == [PlayingChanged(SPEAKING)]
        # Its loss is its own.
        error = DisconnectedError("unplugged")
        speaker.listener.lost(error)
        assert bench.told(LinkLost) == [LinkLost(AppleProtocol.RAOP, error)]
        assert device.playing == IDLE
        assert len(bench.companions) == 1
        await bench.until(lambda: len(bench.told(LinkUp)) == 3)
        assert maker.made[-1] is not speaker
        speaker.listener.changed(Aspect.PLAYING)
        assert device.playing == IDLE

    run(played(scenario(COMPANION, RAOP, extra=(maker,)), scene))


def test_the_protocols_that_there_are() -> None:
    assert [maker.protocol for maker in default_makers()] == [
        AppleProtocol.AIRPLAY,
        AppleProtocol.MRP,
        AppleProtocol.COMPANION,
    ]


@pytest.mark.parametrize(
    ("wanted", "client"),
    [
        (CompanionApi, CompanionClient),
        (CompanionApi, StubCompanion),
        (MrpApi, MrpClient),
        (MrpApi, StubMrp),
    ],
)
def test_clients_and_stubs_are_what_the_sessions_want(
    wanted: type[object], client: type[object]
) -> None:
    missing = get_protocol_members(wanted) - set(dir(client))
    # Stubs keep in attributes what clients have as properties.
    assert missing <= ({"power", "volume"} if client.__module__ in STUBS else set())


def test_secrets_of_a_place_are_not_shown() -> None:
    assert "secret" not in repr(Place("10.0.0.5", 1, "secret"))


@pytest.mark.parametrize("protocol", list(AppleProtocol))
def test_every_protocol_has_its_place_in_every_table(protocol: AppleProtocol) -> None:
    from custom_components.rumpus.protocols.apple import const  # noqa: PLC0415

    assert protocol in const.PRIORITY
    assert protocol in const.POWER_PRIORITY
    assert protocol in const.IDENTIFIER_ORDER
