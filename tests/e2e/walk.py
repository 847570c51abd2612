"""Walking a config flow step by step, as a user who reads every text would."""

from dataclasses import dataclass, field

from .api import HomeAssistantApi
from .models import ConfigEntry, FlowResult
from .report import CheckError, require
from .shapes import JsonObject, JsonValue


@dataclass(slots=True)
class Walk:
    """One config flow. `steps` are the steps seen so far, `missing` the texts they lack."""

    api: HomeAssistantApi
    domain: str
    result: FlowResult
    steps: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @classmethod
    async def begin(
        cls, api: HomeAssistantApi, domain: str, *, reconfigure: str | None = None
    ) -> Walk:
        """Press "Add integration", or "Reconfigure" of an entry."""
        walk = cls(api, domain, await api.start_flow(domain, reconfigure=reconfigure))
        await walk._look()
        return walk

    @classmethod
    async def resume(cls, api: HomeAssistantApi, domain: str, flow_id: str) -> Walk:
        """Press "Add" on a discovered card."""
        walk = cls(api, domain, await api.get_flow(flow_id))
        await walk._look()
        return walk

    @property
    def where(self) -> str:
        """The present step, for error texts."""
        result = self.result
        return f"{result.type} {result.step_id or result.reason or ''} {result.errors or ''}".strip()

    async def submit(self, **user_input: str | float | bool) -> FlowResult:
        """Fill the form in and press "Submit"."""
        require(
            self.result.type == "form", f"a form was expected, there is {self.where}"
        )
        data: JsonObject = dict(user_input)
        self.result = await self.api.configure_flow(self.result.flow_id, data)
        await self._look()
        return self.result

    async def choose(self, option: str) -> FlowResult:
        """Choose in a menu."""
        require(
            self.result.type == "menu", f"a menu was expected, there is {self.where}"
        )
        require(option in self.result.options, f"no {option} in {self.result.options}")
        self.result = await self.api.choose(self.result.flow_id, option)
        await self._look()
        return self.result

    async def wait(self, timeout: float) -> FlowResult:
        """Wait for the end of a progress step."""
        self.result = await self.api.wait_step(self.result, timeout)
        await self._look()
        return self.result

    async def arrive(self, step_id: str, timeout: float) -> FlowResult:
        """Wait until the flow shows a step by itself."""
        self.result = await self.api.wait_progress(self.result, step_id, timeout)
        await self._look()
        return self.result

    def require_abort(self, reason: str) -> None:
        """Raise CheckError unless the flow ended for this reason."""
        result = self.result
        require(
            result.type == "abort" and result.reason == reason,
            f"{reason} was expected, there is {self.where}",
        )
        self._require_texts()

    def _require_texts(self) -> None:
        require(not self.missing, f"texts are missing: {', '.join(self.missing)}")

    def entry(self) -> ConfigEntry:
        """Return the entry that the flow has made."""
        if self.result.entry is None:
            raise CheckError(f"the flow made no entry, there is {self.where}")
        self._require_texts()
        return self.result.entry

    async def _look(self) -> None:
        """Note a step and the texts that it lacks."""
        self.steps.append(self.result.step_id or self.result.type)
        self.missing += await self.api.missing_texts(self.result, self.domain)


async def set_options(
    api: HomeAssistantApi, entry: ConfigEntry, menu_option: str, **values: JsonValue
) -> None:
    """Fill in one of the forms behind "Configure" of an entry; the rest stays as it is offered."""
    result = await api.start_options(entry.entry_id)
    missing = await api.missing_texts(result, entry.domain, "options")
    require(menu_option in result.options, f"no {menu_option} in {result.options}")
    result = await api.configure_options(result.flow_id, {"next_step_id": menu_option})
    missing += await api.missing_texts(result, entry.domain, "options")
    unknown = set(values) - set(result.fields)
    require(not unknown, f"the form {menu_option} has no {', '.join(unknown)}")
    result = await api.configure_options(result.flow_id, dict(values))
    require(
        result.type == "create_entry",
        f"{menu_option} ended in {result.type} {result.step_id} {result.errors}",
    )
    require(not missing, f"texts are missing: {', '.join(missing)}")
