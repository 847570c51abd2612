"""PINs, and everything that keeps a device from pairing."""

import asyncio
from typing import Any

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType

from .common import PATIENCE, go, links_of, look, shown, start_user, through, wait_links
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv import flow_pair
from custom_components.rumpus.families.apple_tv.flow_problems import (
    connecting_problem,
    pairing_problem,
)
from custom_components.rumpus.protocols.airplay.errors import PasswordRequiredError
from custom_components.rumpus.protocols.apple import pairing
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import (
    BackoffError,
    IdentityError,
    PairingRefusedError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Add the device until it shows its first PIN, or does not."""
    result = await go(hass, await start_user(hass), address="127.0.0.1")
    return await through(hass, await go(hass, result), "apple_tv_look")


async def again(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: object
) -> ConfigFlowResult:
    """Submit a form after which the device shows a PIN, or does not."""
    return await through(hass, await go(hass, result, **user_input), "apple_tv_begin")


def check_pin(result: ConfigFlowResult, protocol: str = "airplay") -> None:
    """Make sure that there is a form for a PIN, and that it shows no error."""
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == f"apple_tv_pin_{protocol}"
    assert result["errors"] == {}


async def finish(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Type all PINs."""
    check_pin(result)
    result = await again(hass, result, pin="1234")
    check_pin(result, "companion")
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(result["data"]["paired"]) == {"airplay", "companion"}
    return result


async def test_wrong_pin(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The form stays, says so, and asks for the PIN that is shown now."""
    result = await begin(hass)
    check_pin(result)
    apple_tv.desk.pin = "8765"
    result = await again(hass, result, pin="4321")
    assert result["step_id"] == "apple_tv_pin_airplay"
    assert result["errors"] == {"pin": "apple_tv_wrong_pin"}

    result = await again(hass, result, pin="8765")
    check_pin(result, "companion")
    result = await again(hass, result, pin="0000")
    assert result["step_id"] == "apple_tv_pin_companion"
    assert result["errors"] == {"pin": "apple_tv_wrong_pin"}
    result = await go(hass, result, pin="8765")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("pin", ["", "12", "12a4", "123456789", "१२३४", "12.4"])
async def test_no_pin(hass: HomeAssistant, apple_tv: FakeAppleTv, pin: str) -> None:
    """What cannot be a PIN does not cost a try."""
    result = await begin(hass)
    result = await go(hass, result, pin=pin)
    assert result["errors"] == {"pin": "apple_tv_pin_format"}
    assert apple_tv.desk.tries == 0
    result = await again(hass, result, pin="1234")
    check_pin(result, "companion")
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("skipped", "paired"), [("airplay", "companion"), ("companion", "airplay")]
)
async def test_without_one_of_them(
    hass: HomeAssistant, apple_tv: FakeAppleTv, skipped: str, paired: str
) -> None:
    """Each can be left out, as long as something is left."""
    result = await begin(hass)
    for protocol in ("airplay", "companion"):
        check_pin(result, protocol)
        if protocol == skipped:
            result = await go(hass, result, skip=True)
        else:
            result = await go(hass, result, pin="1234")
        if result["type"] is FlowResultType.SHOW_PROGRESS:
            result = await through(hass, result, "apple_tv_begin")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(result["data"]["paired"]) == {paired}


async def test_without_any_of_them(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Then there would be nothing."""
    result = await begin(hass)
    result = await again(hass, result, skip=True)
    check_pin(result, "companion")
    result = await go(hass, result, skip=True)
    assert result["errors"] == {"skip": "apple_tv_nothing_left"}
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(result["data"]["paired"]) == {"companion"}


async def test_back_off(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """The rest of the pause is counted down, and then the next PIN comes by itself."""
    apple_tv.desk.back_off = 1.0
    result = await begin(hass)
    result = await go(hass, result, pin="4321")
    seen: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            if result["step_id"] == "apple_tv_wait":
                seen.append(shown(result)["seconds"])
            result = await next_look(hass, result)
    assert seen
    assert seen[-1] == "1"
    assert result["step_id"] == "apple_tv_pin_airplay"
    assert result["errors"] == {"pin": "apple_tv_wrong_pin"}
    apple_tv.desk.back_off = 0.0
    result = await again(hass, result, pin="1234")
    check_pin(result, "companion")


async def next_look(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Look at a flow when it tells that it has changed."""
    changed = asyncio.Event()

    @callback
    def on_event(event: Event[Any]) -> None:
        changed.set()

    unsubscribe = hass.bus.async_listen("data_entry_flow_progressed", on_event)
    try:
        await changed.wait()
    finally:
        unsubscribe()
    return await look(hass, result)


class Pairing:
    """A pairing that goes as a test wants it."""

    def __init__(self, *errors: RumpusError | OSError | None) -> None:
        """Take what the beginnings come to; the last one counts for all that follow."""
        self.errors = list(errors)
        self.finish_error: RumpusError | None = None
        self.closed = 0

    def __call__(self, *args: object) -> Pairing:
        """Be what `start_pairing` returns."""
        return self

    async def begin(self) -> None:
        """Fail, or not."""
        error = self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]
        if error is not None:
            raise error

    async def finish(self, pin: str) -> str:
        """Fail, or pair."""
        if self.finish_error is not None:
            raise self.finish_error
        return "credentials"

    async def close(self) -> None:
        """Count."""
        self.closed += 1


@pytest.mark.parametrize(
    ("retry_after", "error", "minutes"),
    [
        (None, "apple_tv_back_off", "0"),
        (3600.0, "apple_tv_back_off_long", "60"),
    ],
)
async def test_back_off_that_is_not_waited_for(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    monkeypatch: pytest.MonkeyPatch,
    retry_after: float | None,
    error: str,
    minutes: str,
) -> None:
    """Nobody knows how long it is, or it is too long."""
    monkeypatch.setattr(flow_pair, "start_pairing", Pairing(BackoffError(retry_after)))
    result = await begin(hass)
    assert result["step_id"] == "apple_tv_trouble"
    assert result["errors"] == {"base": error}
    assert shown(result)["minutes"] == minutes

    monkeypatch.setattr(flow_pair, "start_pairing", pairing.start_pairing)
    await finish(hass, await again(hass, result))


@pytest.mark.parametrize("pause", [0.0, 0.2])
async def test_back_off_after_a_pin(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    monkeypatch: pytest.MonkeyPatch,
    pause: float,
) -> None:
    """Some devices want the pause at once."""
    double = Pairing(None)
    double.finish_error = BackoffError(pause)
    monkeypatch.setattr(flow_pair, "start_pairing", double)
    result = await go(hass, await begin(hass), pin="1234")
    assert result["step_id"] == "apple_tv_wait"
    assert result["progress_action"] == "apple_tv_wait"
    # Whoever opens the dialog again sees the rest of the same pause.
    assert (await look(hass, result))["step_id"] == "apple_tv_wait"

    monkeypatch.setattr(flow_pair, "start_pairing", pairing.start_pairing)
    await finish(hass, await through(hass, result, "apple_tv_wait"))
    assert double.closed == 1


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, "apple_tv_pairing_refused"),
        (4, "apple_tv_device_full"),
        (5, "apple_tv_too_many_tries"),
        (6, "apple_tv_pairing_unavailable"),
        (7, "apple_tv_pairing_busy"),
        (200, "apple_tv_pairing_refused"),
    ],
)
async def test_device_that_shows_no_pin(
    hass: HomeAssistant, apple_tv: FakeAppleTv, code: int, error: str
) -> None:
    """Each reason has its own words, and a further try works when it has gone."""
    apple_tv.desk.errors[("setup", 2)] = code
    result = await begin(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "apple_tv_trouble"
    assert result["errors"] == {"base": error}
    assert shown(result)["protocol"] == "AirPlay"

    apple_tv.desk.errors.clear()
    await finish(hass, await again(hass, result))


@pytest.mark.parametrize(
    ("code", "error"), [(4, "apple_tv_device_full"), (1, "apple_tv_pairing_refused")]
)
async def test_device_that_refuses_after_the_pin(
    hass: HomeAssistant, apple_tv: FakeAppleTv, code: int, error: str
) -> None:
    """What comes after the right PIN is not a wrong PIN."""
    apple_tv.desk.errors[("setup", 6)] = code
    result = await go(hass, await begin(hass), pin="1234")
    assert result["step_id"] == "apple_tv_trouble"
    assert result["errors"] == {"base": error}

    apple_tv.desk.errors.clear()
    await finish(hass, await again(hass, result))


async def test_doing_without_what_does_not_work(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A trouble with one need not keep the other from being used."""
    apple_tv.desk.errors[("setup", 2)] = 6
    result = await begin(hass)
    result = await again(hass, result, skip=True)
    assert result["step_id"] == "apple_tv_trouble"
    assert shown(result)["protocol"] == "Companion"
    result = await go(hass, result, skip=True)
    assert result["errors"] == {"skip": "apple_tv_nothing_left"}

    apple_tv.desk.errors.clear()
    result = await again(hass, result)
    check_pin(result, "companion")
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(result["data"]["paired"]) == {"companion"}


async def test_impostor(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device that cannot prove that it knows the PIN gets nothing of us."""
    apple_tv.desk.wrong_proof = True
    result = await go(hass, await begin(hass), pin="1234")
    assert result["step_id"] == "apple_tv_trouble"
    assert result["errors"] == {"base": "apple_tv_identity"}
    apple_tv.desk.wrong_proof = False
    await finish(hass, await again(hass, result))


async def test_device_that_goes_away(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """The PIN is typed, and there is nobody any more."""
    result = await begin(hass)
    apple_tv.drop()
    result = await go(hass, result, pin="1234")
    assert result["step_id"] == "apple_tv_trouble"
    assert result["errors"] == {"base": "apple_tv_pairing_ended"}
    await finish(hass, await again(hass, result))


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (PairingRefusedError(99), "apple_tv_pairing_refused"),
        (AuthenticationError("no"), "apple_tv_pairing_refused"),
        (PasswordRequiredError("no"), "apple_tv_password_required"),
        (IdentityError("other"), "apple_tv_identity"),
        (UnsupportedError("none"), "apple_tv_no_pairing"),
        (PeerTimeoutError("late"), "apple_tv_pairing_no_answer"),
        (DisconnectedError("gone"), "apple_tv_pairing_ended"),
        (ProtocolError("odd"), "apple_tv_not_understood"),
        (OSError("no route"), "apple_tv_pairing_ended"),
    ],
)
async def test_every_error_has_words(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    monkeypatch: pytest.MonkeyPatch,
    error: RumpusError | OSError,
    key: str,
) -> None:
    """They say what to do next."""
    assert pairing_problem(error) == key
    double = Pairing(error, None)
    monkeypatch.setattr(flow_pair, "start_pairing", double)
    result = await begin(hass)
    assert result["errors"] == {"base": key}
    assert double.closed == 1
    check_pin(await again(hass, result))


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (IdentityError("other"), "apple_tv_identity"),
        (AuthenticationError("no"), "apple_tv_access_refused"),
        (PasswordRequiredError("no"), "apple_tv_password_required"),
        (PeerTimeoutError("late"), "apple_tv_connect_no_answer"),
        (DisconnectedError("gone"), "apple_tv_connect_no_answer"),
        (ProtocolError("odd"), "apple_tv_not_understood"),
        (OSError("no route"), "apple_tv_connect_no_answer"),
    ],
)
def test_connections_have_words_as_well(error: RumpusError | OSError, key: str) -> None:
    """They say what to do next."""
    assert connecting_problem(error) == key


async def test_pairing_that_is_not_offered_any_more(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is not even an attempt then."""

    def refuse(*args: object) -> Pairing:
        raise UnsupportedError("gone")

    monkeypatch.setattr(flow_pair, "start_pairing", refuse)
    result = await begin(hass)
    assert result["errors"] == {"base": "apple_tv_no_pairing"}
    monkeypatch.setattr(flow_pair, "start_pairing", pairing.start_pairing)
    await finish(hass, await again(hass, result))


async def test_closed_while_a_pin_is_shown(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes the dialog ends the pairing."""
    double = Pairing(None)
    monkeypatch.setattr(flow_pair, "start_pairing", double)
    result = await begin(hass)
    check_pin(result)

    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()

    assert double.closed == 1


async def test_closed_while_a_pin_is_asked_for(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same before there is one."""
    begun = asyncio.Event()
    double = Pairing(None)

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(double, "begin", hang)
    monkeypatch.setattr(flow_pair, "start_pairing", double)
    result = await go(hass, await start_user(hass), address="127.0.0.1")
    result = await go(hass, result)
    async with asyncio.timeout(PATIENCE):
        while not begun.is_set():
            result = await next_look(hass, result)
            if result["step_id"] == "apple_tv_begin":
                await begun.wait()

    hass.config_entries.flow.async_abort(result["flow_id"])
    await hass.async_block_till_done()

    assert double.closed == 1


@pytest.mark.parametrize("system", ["tvos_14"])
async def test_device_with_mrp_of_its_own(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Where AirPlay does not carry it, MRP has a PIN of its own."""
    apple_tv.properties[AIRPLAY]["osvers"] = "12.4"
    result = await begin(hass)
    check_pin(result, "companion")
    result = await again(hass, result, pin="1234")
    check_pin(result, "mrp")
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert set(result["data"]["paired"]) == {"companion", "mrp"}
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await wait_links(entry)
    assert links_of(entry) == {"companion": "up", "mrp": "up"}


@pytest.mark.parametrize(
    "system", ["tvos_14", "tvos_15", "tvos_17", "tvos_18", "tvos_27"]
)
async def test_every_system(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """All systems pair in the same way, also those that want to know our name first."""
    await finish(hass, await begin(hass))
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await wait_links(entry)
