"""Tries the YAML of the README and of the pages in docs with Home Assistant's own validation."""

from pathlib import Path
import re
from typing import Final

from homeassistant.util.yaml import parse_yaml

from .api import HomeAssistantApi
from .report import require
from .server import ROOT
from .shapes import JsonObject, JsonValue, as_object, get_object
from .subject import DOMAIN

BLOCK: Final = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
PARTS: Final = ("triggers", "conditions", "actions")
NOT_AUTOMATIONS: Final = ({"rumpus"}, {"recorder"})


def pages() -> list[Path]:
    """Return the pages for users."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


async def check_examples(api: HomeAssistantApi) -> int:
    """Check every example; returns how many there are. Raises CheckError."""
    services = await api.services(DOMAIN)
    count = 0
    for page in pages():
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            count += 1
            where = f"example {count}, in {page.name}"
            example = as_object(_plain(parse_yaml(block)))
            if set(example) in NOT_AUTOMATIONS:
                continue
            await _check_parts(api, _parts(example), where)
            _check_actions(example, services, where)
    return count


def _plain(value: object) -> JsonValue:
    """Return what YAML was read as, as JSON has it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | None) else str(value)


def _parts(example: JsonObject) -> JsonObject:
    """Return what can be validated of an automation, a script, or an entry of scripts."""
    if "script" in example:
        example = as_object(next(iter(get_object(example, "script").values())))
    if "sequence" in example:
        return {"actions": example["sequence"]}
    return {name: example[name] for name in PARTS if name in example}


async def _check_parts(api: HomeAssistantApi, parts: JsonObject, where: str) -> None:
    require(bool(parts), f"{where}: neither an automation nor a script")
    result = as_object(await api.command("validate_config", **parts))
    for name in parts:
        found = get_object(result, name)
        require(found.get("valid") is True, f"{where}: {name}: {found.get('error')}")


def _check_actions(value: JsonValue, services: JsonObject, where: str) -> None:
    """Check that the actions of Rumpus and their fields are there."""
    if isinstance(value, list):
        for item in value:
            _check_actions(item, services, where)
    if not isinstance(value, dict):
        return
    action = value.get("action")
    if isinstance(action, str) and action.startswith(f"{DOMAIN}."):
        name = action.removeprefix(f"{DOMAIN}.")
        require(name in services, f"{where}: there is no {action}")
        known = set(get_object(get_object(services, name), "fields"))
        unknown = set(get_object(value, "data")) - known
        require(not unknown, f"{where}: {action} has no {', '.join(unknown)}")
    for item in value.values():
        _check_actions(item, services, where)


def check_links() -> None:
    """Check that links from page to page lead to a page and to a heading of it."""
    for page in pages():
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            aim = (page.parent / target).resolve() if target else page
            require(aim.is_file(), f"{page.name}: there is no {target}")
            headings = HEADING.findall(aim.read_text(encoding="utf-8"))
            anchors = {_anchor(heading) for heading in headings}
            require(
                not anchor or anchor in anchors,
                f"{page.name}: {aim.name} has no heading for #{anchor}",
            )


def _anchor(heading: str) -> str:
    """Return what a heading is called in addresses."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


async def check_entities(api: HomeAssistantApi, family: str, page: str) -> None:
    """Check that a page tells of every entity of a family, in the code of a table.

    The entities are those that have a name of their own; its key begins with the family's.
    """
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    prefix = f"component.{DOMAIN}.entity."
    for key, name in (await api.translations("entity", DOMAIN)).items():
        platform, _, rest = key.removeprefix(prefix).partition(".")
        if not rest.startswith(f"{family}_") or not rest.endswith(".name"):
            continue
        if ".state_attributes." in rest:
            continue
        # "{queue} players" is only the end of a name.
        end = re.sub(r"\W+", "_", name.rpartition("}")[2].strip().lower())
        pattern = rf"`(?:{platform}\.\w+|…)_{end}`"
        require(bool(re.search(pattern, text)), f"{page} does not tell of {name}")


async def check_tables(api: HomeAssistantApi) -> None:
    """Check that every action is in the table of actions, with every field."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages())
    for name, service in (await api.services(DOMAIN)).items():
        # A row may be for several actions, and an action may have several: one with each
        # family that has it.
        head = rf"^\|[^|\n]*`{DOMAIN}\.{name}`[^|\n]*\|.*$"
        rows = "\n".join(re.findall(head, text, re.MULTILINE))
        require(bool(rows), f"{DOMAIN}.{name} is not described")
        fields = set(get_object(as_object(service), "fields")) - {"device_id"}
        missing = [field for field in fields if f"`{field}" not in rows]
        require(not missing, f"{DOMAIN}.{name} is described without {missing}")
