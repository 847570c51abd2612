"""What Home Assistant's API answers, as frozen records.

Every record keeps the whole answer in `raw` for what it has no field for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Final, Self

from .shapes import (
    JsonObject,
    JsonValue,
    as_object,
    get_object,
    get_optional_str,
    get_str,
    get_strings,
    objects,
    texts,
)

_PLACEHOLDER: Final = re.compile(r"{(\w+)}")


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """A config entry. `state` is loaded, setup_retry, setup_error, not_loaded ..."""

    entry_id: str
    domain: str
    title: str
    state: str
    source: str
    reason: str | None
    raw: JsonObject = field(repr=False)

    @classmethod
    def parse(cls, data: JsonObject) -> Self:
        """Read an entry."""
        return cls(
            entry_id=get_str(data, "entry_id"),
            domain=get_str(data, "domain"),
            title=get_str(data, "title"),
            state=get_str(data, "state"),
            source=get_str(data, "source"),
            reason=get_optional_str(data, "reason"),
            raw=data,
        )


@dataclass(frozen=True, slots=True)
class PendingFlow:
    """A flow that the user did not start: a discovery, a reauthentication ..."""

    flow_id: str
    handler: str
    source: str
    unique_id: str | None
    step_id: str | None
    title_placeholders: dict[str, str]
    raw: JsonObject = field(repr=False)

    @classmethod
    def parse(cls, data: JsonObject) -> Self:
        """Read a flow."""
        context = get_object(data, "context")
        return cls(
            flow_id=get_str(data, "flow_id"),
            handler=get_str(data, "handler"),
            source=get_str(context, "source"),
            unique_id=get_optional_str(context, "unique_id"),
            step_id=get_optional_str(data, "step_id"),
            title_placeholders=texts(get_object(context, "title_placeholders")),
            raw=data,
        )


@dataclass(frozen=True, slots=True)
class FlowResult:
    """What a step of a flow answered.

    `type`: form, menu, progress, external, create_entry, abort. `fields` are the names of a form's fields, `options` the
    steps of a menu, `entry` the new entry of a config flow, `placeholders` the values for the texts.
    """

    type: str
    flow_id: str
    handler: str
    step_id: str | None
    placeholders: dict[str, str]
    errors: dict[str, str]
    fields: tuple[str, ...]
    options: tuple[str, ...]
    progress_action: str | None
    reason: str | None
    title: str | None
    entry: ConfigEntry | None
    raw: JsonObject = field(repr=False)

    @classmethod
    def parse(cls, value: JsonValue) -> Self:
        """Read a result."""
        data = as_object(value)
        schema = data.get("data_schema")
        result = data.get("result")
        menu = data.get("menu_options")
        handler = data.get("handler")
        return cls(
            type=get_str(data, "type"),
            flow_id=get_str(data, "flow_id"),
            handler=handler if isinstance(handler, str) else repr(handler),
            step_id=get_optional_str(data, "step_id"),
            placeholders=texts(get_object(data, "description_placeholders")),
            errors=texts(get_object(data, "errors")),
            fields=tuple(get_str(item, "name") for item in objects(schema))
            if schema
            else (),
            options=tuple(menu)
            if isinstance(menu, dict)
            else get_strings(data, "menu_options"),
            progress_action=get_optional_str(data, "progress_action"),
            reason=get_optional_str(data, "reason"),
            title=get_optional_str(data, "title"),
            entry=ConfigEntry.parse(result)
            if isinstance(result, dict) and "entry_id" in result
            else None,
            raw=data,
        )

    def field_options(self, name: str) -> dict[str, str]:
        """Return the choices of a select field: value to label."""
        for item in objects(self.raw.get("data_schema") or []):
            if item.get("name") == name:
                return _choices(item)
        return {}


def _choices(item: JsonObject) -> dict[str, str]:
    """Return the choices of a serialized field, of a selector or of a plain list."""
    options = get_object(get_object(item, "selector"), "select").get(
        "options", item.get("options")
    )
    choices: dict[str, str] = {}
    for option in options if isinstance(options, list) else ():
        if isinstance(option, dict):
            choices[get_str(option, "value")] = get_str(option, "label")
        elif isinstance(option, list):
            choices[str(option[0])] = str(option[1])
        else:
            choices[str(option)] = str(option)
    return choices


@dataclass(frozen=True, slots=True)
class State:
    """The state of an entity."""

    entity_id: str
    state: str
    attributes: JsonObject
    last_changed: str | None

    @classmethod
    def parse(cls, data: JsonObject) -> Self:
        """Read a state."""
        return cls(
            entity_id=get_str(data, "entity_id"),
            state=get_str(data, "state"),
            attributes=get_object(data, "attributes"),
            last_changed=get_optional_str(data, "last_changed"),
        )


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the registry. `identifiers` are pairs of domain and id."""

    id: str
    name: str | None
    manufacturer: str | None
    model: str | None
    config_entry_id: str | None
    identifiers: tuple[tuple[str, str], ...]
    raw: JsonObject = field(repr=False)

    @classmethod
    def parse(cls, data: JsonObject) -> Self:
        """Read a device."""
        pairs = data.get("identifiers")
        return cls(
            id=get_str(data, "id"),
            name=get_optional_str(data, "name_by_user")
            or get_optional_str(data, "name"),
            manufacturer=get_optional_str(data, "manufacturer"),
            model=get_optional_str(data, "model"),
            config_entry_id=get_optional_str(data, "config_entry_id"),
            identifiers=tuple(
                (str(pair[0]), str(pair[1]))
                for pair in (pairs if isinstance(pairs, list) else ())
                if isinstance(pair, list) and len(pair) == 2
            ),
            raw=data,
        )


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of the registry. `disabled_by` is None for an enabled one."""

    entity_id: str
    unique_id: str
    platform: str
    translation_key: str | None
    config_entry_id: str | None
    device_id: str | None
    disabled_by: str | None
    raw: JsonObject = field(repr=False)

    @classmethod
    def parse(cls, data: JsonObject) -> Self:
        """Read an entity."""
        return cls(
            entity_id=get_str(data, "entity_id"),
            unique_id=str(data.get("unique_id")),
            platform=get_str(data, "platform"),
            translation_key=get_optional_str(data, "translation_key"),
            config_entry_id=get_optional_str(data, "config_entry_id"),
            device_id=get_optional_str(data, "device_id"),
            disabled_by=get_optional_str(data, "disabled_by"),
            raw=data,
        )

    @property
    def domain(self) -> str:
        """The platform of the entity id: sensor, button ..."""
        return self.entity_id.partition(".")[0]


def missing_texts(
    result: FlowResult,
    known: Mapping[str, str],
    domain: str,
    borrowed: str | None,
    category: str,
) -> list[str]:
    """Return the keys of the texts that a step needs and that are not known.

    A text that names a value which the step does not give is missing, too: the frontend
    shows an error in its place.
    """
    needed = needed_texts(result, domain, borrowed, category)
    missing = [keys[0] for keys in needed if not any(key in known for key in keys)]
    for key in sorted({key for keys in needed for key in keys if key in known}):
        named = set(_PLACEHOLDER.findall(known[key])) - result.placeholders.keys()
        missing += [f"{key} {{{name}}}" for name in sorted(named)]
    return missing


def needed_texts(
    result: FlowResult, domain: str, borrowed: str | None, category: str = "config"
) -> list[tuple[str, ...]]:
    """Return the keys that a step needs; one of each tuple suffices."""
    config = f"component.{domain}.{category}"
    step = f"{config}.step.{result.step_id}"
    match result.type:
        case "form":
            keys: list[tuple[str, ...]] = [(f"{step}.title", f"{step}.description")]
            keys += [
                (
                    f"{step}.data.{name}",
                    f"{step}.sections.{name}.name",
                    f"{step}.data_description.{name}",
                )
                for name in result.fields
            ]
            return keys + [
                (f"{config}.error.{error}",) for error in result.errors.values()
            ]
        case "menu":
            return [(f"{step}.title", f"{step}.description")] + [
                (f"{step}.menu_options.{option}",) for option in result.options
            ]
        case "progress":
            return [(f"{config}.progress.{result.progress_action}",)]
        case "abort":
            return [(f"component.{borrowed or domain}.config.abort.{result.reason}",)]
        case _:
            return []
