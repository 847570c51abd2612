"""What is to be paired, and how."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from .stubs import (
    AIRPLAY,
    COMPANION,
    CREDENTIALS,
    HOMEPOD,
    IDENTITY,
    MRP,
    TRANSIENT,
    found,
)
from custom_components.rumpus.protocols.airplay.pairing import AirPlayPairing
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.pairing import (
    PROCEDURES,
    pairing_needed,
    start_pairing,
)
from custom_components.rumpus.protocols.apple.services import FoundDevice, Service
from custom_components.rumpus.protocols.companion.pairing import CompanionPairing
from custom_components.rumpus.protocols.errors import UnsupportedError
from custom_components.rumpus.protocols.hap.credentials import (
    Credentials,
    parse_credentials,
)
from custom_components.rumpus.protocols.hap.errors import WrongPinError
from custom_components.rumpus.protocols.mrp.pairing import MrpPairing

A, C, M = AppleProtocol.AIRPLAY, AppleProtocol.COMPANION, AppleProtocol.MRP
OLD = replace(AIRPLAY, properties={"model": "AppleTV5,3", "osvers": "12.4"})
CLOSED = PairingRequirement.DISABLED


@pytest.mark.parametrize(
    ("device", "credentials", "expected"),
    [
        (found(), {}, (A, C)),
        (found(COMPANION, AIRPLAY), {}, (A, C)),
        (found(), {A: CREDENTIALS}, (C,)),
        (found(), {C: CREDENTIALS}, (A,)),
        (found(), {A: CREDENTIALS, C: CREDENTIALS}, ()),
        # What everybody has opens no tunnel, and what is damaged opens nothing.
        (found(), {A: TRANSIENT, C: "nonsense"}, (A, C)),
        # MRP goes through the tunnel.
        (found(AIRPLAY, COMPANION, MRP), {}, (A, C)),
        (found(OLD, MRP), {}, (M,)),
        (found(MRP), {M: CREDENTIALS}, ()),
        (found(replace(MRP, pairing=PairingRequirement.NOT_NEEDED)), {}, ()),
        (found(replace(MRP, is_enabled=False)), {}, ()),
        (found(replace(AIRPLAY, pairing=CLOSED), MRP), {}, (M,)),
        # HomePods let everybody in, or nobody.
        (found(HOMEPOD), {}, ()),
        (found(replace(HOMEPOD, pairing=CLOSED)), {}, ()),
        (found(replace(COMPANION, pairing=PairingRequirement.UNSUPPORTED)), {}, ()),
        (found(replace(COMPANION, pairing=CLOSED)), {}, ()),
        (found(replace(COMPANION, port=0)), {}, ()),
        (found(replace(COMPANION, pairing=PairingRequirement.OPTIONAL)), {}, ()),
        # Nothing of the next protocols yet.
        (
            found(
                Service(
                    AppleProtocol.DMAP,
                    "x",
                    3689,
                    {},
                    True,
                    PairingRequirement.MANDATORY,
                ),
                Service(
                    AppleProtocol.RAOP,
                    "y",
                    7000,
                    {},
                    True,
                    PairingRequirement.MANDATORY,
                ),
            ),
            {},
            (),
        ),
    ],
)
def test_what_is_needed(
    device: FoundDevice,
    credentials: Mapping[AppleProtocol, str],
    expected: tuple[AppleProtocol, ...],
) -> None:
    assert pairing_needed(device, credentials) == expected


class Stub:
    def __init__(self, address: str, service: Service) -> None:
        self.place = (address, service.port)
        self.calls: list[str] = []

    async def begin(self) -> None:
        self.calls.append("begin")

    async def finish(self, pin: str) -> Credentials:
        self.calls.append(pin)
        if pin != "1234":
            raise WrongPinError("wrong")
        return parse_credentials(CREDENTIALS)

    async def close(self) -> None:
        self.calls.append("close")


async def test_a_pairing() -> None:
    made: list[Stub] = []

    def make(address: str, service: Service, identity: object) -> Stub:
        made.append(Stub(address, service))
        return made[-1]

    pairing = start_pairing(found(), C, IDENTITY, procedures={C: make})
    assert pairing.protocol is C
    await pairing.begin()
    with pytest.raises(WrongPinError):
        await pairing.finish("0000")
    assert await pairing.finish("1234") == CREDENTIALS
    await pairing.close()
    assert made[0].place == ("10.0.0.5", 49153)
    assert made[0].calls == ["begin", "0000", "1234", "close"]
    assert CREDENTIALS not in repr(pairing)


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [(A, AirPlayPairing), (C, CompanionPairing), (M, MrpPairing)],
)
async def test_every_protocol_has_its_own(
    protocol: AppleProtocol, kind: type[object]
) -> None:
    device = found(AIRPLAY, COMPANION, MRP)
    service = device.service(protocol)
    assert service is not None
    procedure = PROCEDURES[protocol](device.address, service, IDENTITY)
    assert isinstance(procedure, kind)
    await procedure.close()
    pairing = start_pairing(device, protocol, IDENTITY)
    assert pairing.protocol is protocol
    await pairing.close()


@pytest.mark.parametrize(
    ("device", "protocol"),
    [
        (found(COMPANION), A),
        (found(replace(COMPANION, port=0)), C),
        (found(Service(AppleProtocol.DMAP, "x", 3689)), AppleProtocol.DMAP),
    ],
)
def test_there_is_nothing_to_pair(device: FoundDevice, protocol: AppleProtocol) -> None:
    with pytest.raises(UnsupportedError):
        start_pairing(device, protocol, IDENTITY)
