"""`script/demo --check`: every config flow and every device of the demo, headless."""

from pathlib import Path

from .browser import Browser
from .check_docs import check_entities, check_examples, check_links, check_tables
from .demo_families import FAMILIES
from .families import CheckedEntry
from .lab import Lab, Place
from .report import Report, require, table

INTEGRATION_LOGGER = "custom_components.rumpus"
DOMAIN = "rumpus"
LAST_EVENTS = 16


async def check(place: Place, folder: Path, browser: Browser | None) -> int:
    """Check everything; prints what was done and returns 0 only if all held."""
    report = Report()
    where = (
        "a network of its own" if place.is_private else "the loopback of this machine"
    )
    print(f"Checking the demo in {where}", flush=True)
    lab = Lab(place, folder / "config", fresh=True)
    try:
        await _check_all(lab, folder, report, browser)
    except Exception as err:  # noqa: BLE001 # whatever it was, the reason is what counts
        reason = (
            report.failures[-1] if report.failures else f"{type(err).__name__}: {err}"
        )
        _tell_all(lab)
        print(f"\nFAILED: {reason}")
        print(f"\n{report.passed} passed, 1 failed", flush=True)
        return 1
    finally:
        await lab.stop()
    print(f"\n{report.passed} passed, 0 failed", flush=True)
    return 0


async def _check_all(
    lab: Lab, folder: Path, report: Report, browser: Browser | None
) -> None:
    """Do all steps."""
    async with report.step("Home Assistant starts"):
        await lab.start()
    for family in FAMILIES:
        async with report.step(
            f"{family.title}: {len(family.devices)} fake devices start"
        ):
            await family.start(lab, folder, check=True)
    entries: list[CheckedEntry] = []
    for family in FAMILIES:
        entries += await family.check(lab, report)
    async with report.step("the frontend has what it loads at its start"):
        await _check_frontend(lab)
    async with report.step("the examples of the README and docs are valid"):
        require(await check_examples(lab.api) > 0, "there are no examples")
        await check_tables(lab.api)
        await check_entities(lab.api, "faf", "faf.md")
        check_links()
    for entry in entries:
        async with report.step(f"{entry.device}: diagnostics"):
            await lab.api.diagnostics(entry.entry_id)
    tables = await _tables(lab, entries)
    async with report.step("nothing wrong in the log before the restart"):
        await _check_log(lab)
    async with report.step("Home Assistant restarts"):
        await lab.server.restart()
        await lab.api.reconnect()
        await lab.api.wait_running()
    for family in FAMILIES:
        await family.check_restarted(lab, report)
        await family.check_removed(lab, report)
        if browser is not None:
            await family.check_browser(lab, report, browser, folder / "screenshots")
    async with report.step("nothing wrong in the log"):
        await _check_log(lab)
    print(f"\n{tables}")


async def _check_log(lab: Lab) -> None:
    """Check that there is no warning of the integration since Home Assistant has started."""
    wrong = await lab.api.logged(INTEGRATION_LOGGER)
    require(
        not wrong,
        "\n".join(f"{item.get('level')}: {item.get('message')}" for item in wrong),
    )


def _tell_all(lab: Lab) -> None:
    """Print what helps to find out why."""
    print(f"\nThe end of Home Assistant's log:\n{lab.server.log.tail()}")
    for fake in lab.fakes.values():
        print(f"\nWhat happened to {fake.name} at last:")
        for event in fake.events[-LAST_EVENTS:]:
            print(f"  {event}")


async def _check_frontend(lab: Lab) -> None:
    """Ask for what the frontend cannot do without, and for the texts of the integration."""
    require(bool(await lab.api.services()), "there are no actions")
    kind, page = await lab.api.fetch("/")
    require(kind == "text/html" and b"<home-assistant>" in page, "no page")
    for category in ("config", "entity", "title", "exceptions"):
        await lab.api.translations(category, DOMAIN)


async def _tables(lab: Lab, entries: list[CheckedEntry]) -> str:
    """Return the devices and the entities as tables."""
    devices, entities, lost = [], [], []
    for checked in entries:
        entry = await lab.api.entry(checked.entry_id)
        for device in await lab.api.devices(entry.entry_id):
            model = " ".join(
                part for part in (device.manufacturer, device.model) if part
            )
            devices.append((device.name or "", model, checked.way, entry.state))
        for entity in await lab.api.entities(entry.entry_id):
            state = lab.api.states.get(entity.entity_id)
            shown = (
                f"(disabled by {entity.disabled_by})"
                if entity.disabled_by
                else "MISSING"
            )
            if state is not None:
                shown = _with_unit(
                    state.state, state.attributes.get("unit_of_measurement")
                )
            entities.append((checked.device, entity.entity_id, shown))
            if shown in {"MISSING", "unavailable"} and not entity.entity_id.endswith(
                tuple(checked.asleep)
            ):
                lost.append(entity.entity_id)
    require(not lost, f"entities without a state: {', '.join(lost)}")
    return "\n\n".join(
        (
            table(("device", "what it is", "added by", "entry"), devices),
            table(("device", "entity", "state"), entities),
        )
    )


def _with_unit(state: str, unit: object) -> str:
    return f"{state} {unit}" if isinstance(unit, str) else state
