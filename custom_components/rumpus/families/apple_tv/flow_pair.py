"""The config flow's pairings: one PIN after the other, and everything that can go wrong."""

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final, override

import probatio

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.const import CONF_PIN
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
)

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.pairing import PairingSession, start_pairing
from ...protocols.errors import RumpusError
from ...protocols.hap.errors import BackoffError, WrongPinError
from .data import usable_protocols
from .flow_device import LABELS, DeviceSteps, UserInput
from .flow_problems import connecting_problem, pairing_problem
from .trial import async_try

CONF_SKIP: Final = "skip"
MIN_PIN: Final = 4
MAX_PIN: Final = 8
"""Digits of a PIN."""
MAX_WAIT: Final = 900.0
"""Seconds of a back-off that a flow waits for by itself."""
COUNT_SECONDS: Final = 1.0
"""How often the rest of a back-off is told."""

PIN_STEPS: Final = {
    AppleProtocol.AIRPLAY: "apple_tv_pin_airplay",
    AppleProtocol.COMPANION: "apple_tv_pin_companion",
    AppleProtocol.MRP: "apple_tv_pin_mrp",
}
_PIN: Final = TextSelector(TextSelectorConfig(autocomplete="one-time-code"))


class PairSteps(DeviceSteps):
    """From a device whose protocols are known to credentials for them.

    `queue` has the protocols that are still to be paired.
    """

    queue: tuple[AppleProtocol, ...] = ()
    _session: PairingSession | None = None
    _problem: str | None = None
    _pause: float = 0.0
    _wait_until: float = 0.0
    _was_wrong: bool = False
    _skipped: frozenset[AppleProtocol] = frozenset()

    async def async_next(self) -> ConfigFlowResult:
        """Pair the next protocol, or come to the end."""
        if self.queue:
            return await self.async_step_apple_tv_begin()
        if not self.credentials:
            # Nothing has proved yet that the device lets us in.
            return await self.async_step_apple_tv_connect()
        return await self.async_keep()

    # Showing the PIN

    async def async_step_apple_tv_begin(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Make the device show a PIN."""
        if self._task is None:
            self._task = self.run(self._async_begin())
        if not self._task.done():
            return self.wait(
                "apple_tv_begin", self._task, protocol=LABELS[self.queue[0]]
            )
        error = self._task.result()
        self._task = None
        return self.host.async_show_progress_done(next_step_id=self._after(error))

    async def _async_begin(self) -> RumpusError | OSError | None:
        """Begin a pairing; return what kept it from that."""
        await self._async_end_session()
        try:
            session = start_pairing(self.found, self.queue[0], self.identity)
        except RumpusError as err:
            return err
        try:
            await session.begin()
        except (RumpusError, OSError) as err:
            await session.close()
            return err
        except BaseException:
            await session.close()
            raise
        self._session = session
        return None

    async def _async_end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _after(self, error: RumpusError | OSError | None) -> str:
        """Return the step that comes after an attempt to have a PIN shown."""
        if error is None:
            return PIN_STEPS[self.queue[0]]
        self._problem = pairing_problem(error)
        if isinstance(error, BackoffError) and error.retry_after is not None:
            self._pause = error.retry_after
            if error.retry_after <= MAX_WAIT:
                self._wait_until = self.host.hass.loop.time() + error.retry_after
                return "apple_tv_wait"
            self._problem = "apple_tv_back_off_long"
        return "apple_tv_trouble"

    async def async_step_apple_tv_wait(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Count down the pause that the device wants, and go on by itself."""
        rest = self._wait_until - self.host.hass.loop.time()
        if self._task is None or self._task.done():
            if self._task is not None and rest <= 0:
                self._task = None
                return self.host.async_show_progress_done(next_step_id="apple_tv_begin")
            self._task = self.run(asyncio.sleep(min(COUNT_SECONDS, max(rest, 0.0))))
        if self._pause > 0:
            self.host.async_update_progress(min(max(1 - rest / self._pause, 0.0), 1.0))
        return self.host.async_show_progress(
            step_id="apple_tv_wait",
            progress_action="apple_tv_wait",
            progress_task=self._task,
            description_placeholders=self._texts(seconds=str(max(math.ceil(rest), 1))),
        )

    # Typing the PIN

    async def async_step_apple_tv_pin_airplay(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask for the PIN of AirPlay."""
        return await self._async_pin("apple_tv_pin_airplay", user_input)

    async def async_step_apple_tv_pin_companion(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask for the PIN of Companion."""
        return await self._async_pin("apple_tv_pin_companion", user_input)

    async def async_step_apple_tv_pin_mrp(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask for the PIN of MediaRemote."""
        return await self._async_pin("apple_tv_pin_mrp", user_input)

    async def _async_pin(self, step_id: str, user_input: UserInput) -> ConfigFlowResult:
        errors: dict[str, str] = {}
        if user_input is None:
            if self._was_wrong:
                errors[CONF_PIN] = "apple_tv_wrong_pin"
        elif user_input.get(CONF_SKIP):
            if self._can_do_without():
                return await self._async_skip()
            errors[CONF_SKIP] = "apple_tv_nothing_left"
        else:
            pin = "".join(user_input.get(CONF_PIN, "").split())
            if pin.isascii() and pin.isdigit() and MIN_PIN <= len(pin) <= MAX_PIN:
                return await self._async_finish(pin)
            errors[CONF_PIN] = "apple_tv_pin_format"
        self._was_wrong = False
        return self.host.async_show_form(
            step_id=step_id,
            data_schema=self._schema(with_pin=True),
            errors=errors,
            description_placeholders=self._texts(),
        )

    async def _async_finish(self, pin: str) -> ConfigFlowResult:
        """Pair with a PIN; a wrong one makes the device show another."""
        session, self._session = self._session, None
        if TYPE_CHECKING:
            assert session is not None  # the form is shown for it
        try:
            credentials = await session.finish(pin)
        except (RumpusError, OSError) as err:
            self._was_wrong = isinstance(err, WrongPinError)
            if self._was_wrong:
                return await self.async_step_apple_tv_begin()
            step_id = self._after(err)
            step = getattr(self, f"async_step_{step_id}")
            result: ConfigFlowResult = await step()
            return result
        finally:
            await session.close()
        self._was_wrong = False
        self.credentials[self.queue[0]] = credentials
        self.queue = self.queue[1:]
        return await self.async_next()

    async def _async_skip(self) -> ConfigFlowResult:
        await self._async_end_session()
        self._was_wrong = False
        self._skipped |= {self.queue[0]}
        self.queue = self.queue[1:]
        return await self.async_next()

    def _can_do_without(self) -> bool:
        """Tell whether there is anything left of the device without the next protocol."""
        unpaired = set(usable_protocols(self.found)) - set(self.queue) - self._skipped
        return bool(self.credentials or self.queue[1:] or unpaired)

    async def async_step_apple_tv_trouble(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell why there is no PIN, and offer to try again or to do without."""
        errors = {"base": self._problem or "apple_tv_pairing_ended"}
        if user_input is not None:
            if not user_input.get(CONF_SKIP):
                return await self.async_step_apple_tv_begin()
            if self._can_do_without():
                return await self._async_skip()
            errors = {CONF_SKIP: "apple_tv_nothing_left"}
        return self.host.async_show_form(
            step_id="apple_tv_trouble",
            data_schema=self._schema(with_pin=False),
            errors=errors,
            description_placeholders=self._texts(
                minutes=str(math.ceil(self._pause / 60))
            ),
        )

    def _schema(self, *, with_pin: bool) -> probatio.Schema:
        """Return the form; what is repaired is not left out."""
        fields: dict[Any, Any] = {}
        if with_pin:
            fields[probatio.Optional(probatio.Secret(CONF_PIN), default="")] = _PIN
        if self.entry is None:
            fields[probatio.Optional(CONF_SKIP, default=False)] = BooleanSelector()
        return probatio.Schema(fields)

    def _texts(self, **more: str) -> dict[str, str]:
        return self.placeholders(protocol=LABELS[self.queue[0]], **more)

    # Without a PIN

    async def async_step_apple_tv_connect(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Try whether a device lets us in that wants no pairing."""
        if self._task is None:
            self._task = self.run(self._async_connect())
        if not self._task.done():
            return self.wait("apple_tv_connect", self._task)
        error = self._task.result()
        self._task = None
        if error is None:
            return self.host.async_show_progress_done(next_step_id="apple_tv_finish")
        self._problem = connecting_problem(error)
        return self.host.async_show_progress_done(next_step_id="apple_tv_retry")

    async def _async_connect(self) -> RumpusError | OSError | None:
        try:
            await async_try(self.found, self.credentials, self.identity)
        except (RumpusError, OSError) as err:
            return err
        return None

    async def async_step_apple_tv_retry(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell why there is no connection, and offer to try again."""
        if user_input is not None:
            return await self.async_step_apple_tv_connect()
        return self.host.async_show_form(
            step_id="apple_tv_retry",
            errors={"base": self._problem or "apple_tv_connect_no_answer"},
            description_placeholders=self.placeholders(),
        )

    async def async_step_apple_tv_finish(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Keep a device that lets us in."""
        return await self.async_keep()

    @callback
    @override
    def async_remove(self) -> None:
        super().async_remove()
        session, self._session = self._session, None
        if session is not None:
            self.host.hass.async_create_task(session.close(), "apple_tv flow end")
