"""Repairs: what a user only has to confirm, and the entry's family then does."""

from typing import Final

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import CONF_FAMILY
from .families import async_get_family

CONF_ENTRY: Final = "entry_id"
CONF_KEY: Final = "key"
"""Keys of the data of an issue that can be fixed: whose it is, and what it is about."""

type IssueData = dict[str, str | int | float | None]


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: IssueData | None
) -> RepairsFlow:
    """Return the flow that fixes an issue."""
    return FamilyFixFlow(data or {})


class FamilyFixFlow(RepairsFlow):
    """Has the user confirm, and the family do it."""

    def __init__(self, facts: IssueData) -> None:
        """Take the data of the issue."""
        self._facts = facts

    async def async_step_init(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Tell what is going to happen, and let it."""
        if user_input is None:
            return self._ask()
        entry = self.hass.config_entries.async_get_entry(
            str(self._facts.get(CONF_ENTRY))
        )
        if entry is None:
            return self.async_abort(reason="entry_removed")
        family = await async_get_family(self.hass, entry.data[CONF_FAMILY])
        try:
            await family.async_fix_issue(
                self.hass, entry, str(self._facts.get(CONF_KEY))
            )
        except HomeAssistantError:
            return self._ask({"base": "fix_failed"})
        return self.async_create_entry(data={})

    def _ask(self, errors: dict[str, str] | None = None) -> RepairsFlowResult:
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        return self.async_show_form(
            step_id="confirm",
            errors=errors,
            description_placeholders=(
                None if issue is None else issue.translation_placeholders
            ),
        )
