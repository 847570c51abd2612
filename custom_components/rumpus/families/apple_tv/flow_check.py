"""The config flow's look at a device: what it offers, what is in the way, what is there already."""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigFlowResult

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.pairing import pairing_needed
from ...protocols.apple.services import FoundDevice, join
from ...protocols.errors import RumpusError
from .const import CONF_IDENTIFIERS
from .data import obstacles, usable_protocols
from .flow_device import LABELS, UserInput
from .flow_pair import PairSteps
from .flow_problems import connecting_problem
from .hub import async_look
from .takeover import async_core_entry, core_credentials
from .trial import async_try

LOOK_SECONDS: Final = 5.0
"""How long a device may take to answer what it offers."""


async def async_find(address: str, *, knock: bool = True) -> FoundDevice | None:
    """Return the device at an address, None when there is none that answers."""
    try:
        return await async_look(address, LOOK_SECONDS, knock=knock)
    except RumpusError, OSError:
        return None


class CheckSteps(PairSteps):
    """From a device that is somewhere to what is to be paired with it.

    `wanted` are the protocols that are to be paired, None for all that need it; `without`
    those that the user does without, as long as they cannot be used.
    """

    wanted: tuple[AppleProtocol, ...] | None = None
    without: frozenset[AppleProtocol] = frozenset()
    _is_offer_answered: bool = False

    async def async_step_apple_tv_look(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask the device what it offers now."""
        if self._task is None:
            self._task = self.run(self._async_look_again())
        if not self._task.done():
            return self.wait("apple_tv_look", self._task)
        found = self._task.result()
        self._task = None
        if found is not None:
            self.found = found
        return self.host.async_show_progress_done(next_step_id="apple_tv_check")

    async def _async_look_again(self) -> FoundDevice | None:
        found = await async_find(self.found.address)
        if found is None or not found.is_same_as(self._identifiers()):
            return None  # it may be in another subnet, where it does not answer
        return join(found, self.found)

    def _identifiers(self) -> Iterable[str]:
        if self.entry is None:
            return self.found.identifiers
        identifiers: list[str] = self.entry.data[CONF_IDENTIFIERS]
        return identifiers

    async def async_step_apple_tv_check(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Go on with what the device offers."""
        blocked = {
            protocol: step_id
            for protocol, step_id in obstacles(self.found).items()
            if protocol not in self.without
            and (self.wanted is None or protocol in self.wanted)
        }
        usable = [one for one in usable_protocols(self.found) if one not in blocked]
        if blocked:
            return self._explain(
                next(iter(blocked.values())), can_do_without=bool(usable)
            )
        if not usable:
            return self.host.async_abort(
                reason="apple_tv_too_old", description_placeholders=self.placeholders()
            )
        if not self._is_offer_answered and self.entry is None and self._offer():
            return self._show_offer("apple_tv_take_over_offer")
        if self.wanted is None:
            needed = pairing_needed(self.found, self.credentials)
        else:
            needed = self.wanted
        self.queue = tuple(
            one for one in needed if one in usable and one not in self.without
        )
        if self.wanted is not None and not self.queue:
            return self.host.async_abort(
                reason="apple_tv_nothing_to_pair",
                description_placeholders=self.placeholders(),
            )
        return await self.async_next()

    # What is in the way

    def _explain(self, step_id: str, *, can_do_without: bool) -> ConfigFlowResult:
        menu = ["apple_tv_look"]
        if can_do_without:
            menu.append("apple_tv_without")
        names = [
            LABELS[protocol]
            for protocol, name in obstacles(self.found).items()
            if name == step_id
        ]
        return self.host.async_show_menu(
            step_id=step_id,
            menu_options=menu,
            description_placeholders=self.placeholders(protocol=", ".join(names)),
        )

    async def async_step_apple_tv_password(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show anew that a password is in the way."""
        return await self.async_step_apple_tv_check()

    async def async_step_apple_tv_only_home(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show anew that only the members of the home may connect."""
        return await self.async_step_apple_tv_check()

    async def async_step_apple_tv_only_user(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show anew that only the current user may connect."""
        return await self.async_step_apple_tv_check()

    async def async_step_apple_tv_without(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Do without what cannot be used."""
        self.without |= obstacles(self.found).keys()
        return await self.async_step_apple_tv_check()

    # What the built-in integration has

    def _offer(self) -> dict[AppleProtocol, str]:
        """Return the pairings of the built-in integration that are of use here."""
        entry = async_core_entry(self.host.hass, self.found.identifiers)
        if entry is None:
            return {}
        usable = usable_protocols(self.found)
        return {
            protocol: text
            for protocol, text in core_credentials(entry.data).items()
            if protocol in usable
        }

    def _show_offer(self, step_id: str, **texts: str) -> ConfigFlowResult:
        return self.host.async_show_menu(
            step_id=step_id,
            menu_options=["apple_tv_take_over", "apple_tv_pair_anew"],
            description_placeholders=self.placeholders(
                protocol=", ".join(LABELS[one] for one in self._offer()), **texts
            ),
        )

    async def async_step_apple_tv_take_over_offer(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the offer anew."""
        return await self.async_step_apple_tv_check()

    async def async_step_apple_tv_take_over(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Try the pairings of the built-in integration, and use those that work."""
        if self._task is None:
            self._task = self.run(self._async_take_over())
        if not self._task.done():
            return self.wait("apple_tv_take_over", self._task)
        error = self._task.result()
        self._task = None
        if error is not None:
            self._problem = connecting_problem(error)
            return self.host.async_show_progress_done(
                next_step_id="apple_tv_take_over_failed"
            )
        self._is_offer_answered = self.has_taken_over = True
        return self.host.async_show_progress_done(next_step_id="apple_tv_check")

    async def _async_take_over(self) -> RumpusError | OSError | None:
        offer = self._offer()
        try:
            working = await async_try(self.found, offer, self.identity)
        except (RumpusError, OSError) as err:
            return err
        self.credentials = {one: offer[one] for one in offer if one in working}
        return None

    async def async_step_apple_tv_take_over_failed(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that none of the pairings works."""
        return self._show_offer("apple_tv_take_over_failed")

    async def async_step_apple_tv_pair_anew(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Pair as if there were no pairings yet."""
        self._is_offer_answered = True
        return await self.async_step_apple_tv_check()
