"""Tests of a remote control's session that does not come up."""

import asyncio

import pytest

from .fixtures import FAST, SOON, events_of, open_wires, session_with
from .scripted import PATIENCE
from custom_components.rumpus.protocols.airplay.errors import (
    PasswordRequiredError,
    RequestFailedError,
)
from custom_components.rumpus.protocols.airplay.legacy import new_credentials
from custom_components.rumpus.protocols.airplay.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import (
    CredentialsRefusedError,
    DecryptionError,
    IdentityError,
    VerificationUnavailableError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_tunnel import Session

pytestmark = pytest.mark.usefixtures("socket_enabled")

NO_ANSWER = Timing(first_request=SOON, request=SOON)


STEPS = ["/pair-verify", "SETUP 1", "RECORD", "SETUP 2"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (470, CredentialsRefusedError),
        (403, PasswordRequiredError),
        (501, UnsupportedError),
        (500, RequestFailedError),
    ],
)
async def test_refused(step: str, status: int, error: type[RumpusError]) -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.refuse[step] = status
        session, ends = session_with(tv)
        with pytest.raises(error):
            await session.connect()
        assert open_wires(session) == []
        assert ends.reasons == []
        with pytest.raises(RuntimeError):
            await session.connect()
        await session.close()


@pytest.mark.parametrize("step", STEPS)
async def test_no_answer(step: str) -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.mute.add(step)
        session, ends = session_with(tv, NO_ANSWER)
        with pytest.raises(PeerTimeoutError):
            await session.connect()
        assert open_wires(session) == []
        assert ends.reasons == []
        await session.close()


@pytest.mark.parametrize("step", STEPS)
async def test_the_device_goes_away_meanwhile(step: str) -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.mute.add(step)
        session, ends = session_with(tv, Timing())
        task = asyncio.create_task(session.connect())
        await _asked(tv, step)
        tv.drop()
        with pytest.raises(DisconnectedError):
            await task
        assert open_wires(session) == []
        assert ends.reasons == []
        await session.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_given_up_meanwhile(step: str, how: str) -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.mute.add(step)
        session, ends = session_with(tv, Timing())
        task = asyncio.create_task(session.connect())
        await _asked(tv, step)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            await session.close()
            with pytest.raises(DisconnectedError):
                await task
        assert open_wires(session) == []
        assert ends.reasons == []
        await session.close()


async def test_closed_while_it_connects() -> None:
    async with FakeAppleTv() as tv:
        session, ends = session_with(tv)
        task = asyncio.create_task(session.connect())
        await asyncio.sleep(0)
        await session.close()
        with pytest.raises(DisconnectedError):
            await task
        assert open_wires(session) == []
        assert ends.reasons == []
        assert tv.events.seen("airplay_request") == []


async def _asked(tv: FakeAppleTv, step: str) -> None:
    name, _, number = step.partition(" ")
    for _ in range(int(number or 1)):
        if name.startswith("/"):
            await tv.wait_for("airplay_request", path=name)
        else:
            await tv.wait_for("airplay_request", method=name)


async def test_another_device() -> None:
    async with FakeAppleTv() as tv:
        session, _ = session_with(tv)
        tv.desk.new_identity()
        with pytest.raises(IdentityError):
            await session.connect()
        assert open_wires(session) == []


async def test_unpaired() -> None:
    async with FakeAppleTv() as tv:
        session, _ = session_with(tv)
        tv.desk.unpair()
        with pytest.raises(CredentialsRefusedError):
            await session.connect()


async def test_busy() -> None:
    async with FakeAppleTv(kind="homepod") as tv:
        tv.desk.errors["setup", 2] = 7
        session, _ = session_with(tv)
        with pytest.raises(VerificationUnavailableError):
            await session.connect()
        assert open_wires(session) == []


async def test_legacy_credentials() -> None:
    async with FakeAppleTv(airplay_pairing="legacy") as tv:
        credentials = new_credentials()
        session, _ = session_with(tv, FAST, credentials)  # type: ignore[arg-type]
        with pytest.raises(CredentialsRefusedError):
            await session.connect()
        assert open_wires(session) == []


async def test_legacy_credentials_that_are_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with FakeAppleTv(airplay_pairing="legacy") as tv:
        tv.airplay.switches.refuse["/pair-verify"] = 200
        monkeypatch.setattr(
            "custom_components.rumpus.protocols.airplay.legacy.LegacyVerify.answer",
            lambda _self, _data: b"",
        )
        credentials = new_credentials()
        session, _ = session_with(tv, FAST, credentials)  # type: ignore[arg-type]
        with pytest.raises(UnsupportedError):
            await session.connect()
        assert open_wires(session) == []


async def test_an_event_port_that_never_opens() -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.event_port_delay = 60
        session, _ = session_with(tv, Timing(event_attempts=3, event_pause=0.01))
        with pytest.raises(DisconnectedError):
            await session.connect()
        assert open_wires(session) == []


async def test_the_device_goes_away_while_its_port_is_closed() -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.event_port_delay = 60
        session, _ = session_with(tv, Timing(event_attempts=3, event_pause=30))
        paused, pause = asyncio.Event(), session._pause

        async def noted(seconds: float) -> None:
            paused.set()
            await pause(seconds)

        session._pause = noted  # type: ignore[method-assign]
        task = asyncio.create_task(session.connect())
        await paused.wait()
        tv.drop()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(DisconnectedError):
                await task
        assert open_wires(session) == []


async def test_a_data_port_that_is_closed() -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.data_port_delay = 60
        session, _ = session_with(tv)
        with pytest.raises(DisconnectedError):
            await session.connect()
        assert open_wires(session) == []


@pytest.mark.parametrize("port", [0, -1, 65536, "7000", None])
@pytest.mark.parametrize("which", ["open_events", "open_stream"])
async def test_ports_that_are_none(
    monkeypatch: pytest.MonkeyPatch, port: int | str | None, which: str
) -> None:
    answer = {"dataPort": port} if which == "open_stream" else port
    if port is None:
        answer = {}
    monkeypatch.setattr(Session, which, lambda _self, *_args: answer)
    async with FakeAppleTv() as tv:
        session, _ = session_with(tv)
        with pytest.raises(ProtocolError):
            await session.connect()
        assert open_wires(session) == []


async def test_the_reason_of_the_first_loss_is_told() -> None:
    """A request that fails along with it would only say that the connection is lost."""
    async with FakeAppleTv() as tv:
        tv.airplay.switches.mute.add("RECORD")
        session, _ = session_with(tv, Timing())
        task = asyncio.create_task(session.connect())
        await tv.wait_for("airplay_request", method="RECORD")
        events_of(tv.airplay.sessions[0]).corrupt()
        with pytest.raises(DecryptionError):
            await task
        assert open_wires(session) == []


async def test_nobody_is_there() -> None:
    async with FakeAppleTv() as tv:
        pass
    session, _ = session_with(tv)
    with pytest.raises(DisconnectedError):
        await session.connect()
    await session.close()
