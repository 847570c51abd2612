"""Compare the texts and icons of the integration with what its code uses.

Both ways: what the code names has a text (and an icon, where Home Assistant has none of its
own), and every text and icon is named by the code. Looks at the source only, imports nothing
of it:

    script/check_translations.py [FOLDER OF THE INTEGRATION]

Keys that are put together at run time cannot be seen; a text counts as used when its key
stands anywhere in the code as a string.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
import json
from pathlib import Path
import re
import sys
from typing import override

from homeassistant import const as ha_const
from homeassistant.const import Platform

type Json = str | bool | int | float | list[Json] | dict[str, Json] | None
type Reference = tuple[str, str]

PACKAGE = Path(__file__).parent.parent / "custom_components" / "rumpus"
PLATFORMS = frozenset(Platform)

# Core has texts for these itself.
CORE_ABORTS = frozenset(
    {
        "already_in_progress",
        "reauth_successful",
        "reconfigure_successful",
        "single_instance_allowed",
    }
)
# Reasons that core's flow helpers use without being told.
IMPLIED_ABORTS = {
    "_abort_if_unique_id_configured": "already_configured",
    "_async_abort_entries_match": "already_configured",
    "_abort_if_unique_id_mismatch": "unique_id_mismatch",
}
# Calls with a step_id: these show the step, so it needs texts.
SHOWING_CALLS = frozenset({"async_show_form", "async_show_menu"})
# The texts of a flow that fixes an issue stand in the issue: each has all of them.
FIX_FLOW = "fix_flow"
SYSTEM_HEALTH_FUNCTIONS = frozenset({"system_health", "system_health_info"})


@dataclass(slots=True)
class EntityUse:
    """An entity's translation key in the code."""

    where: str
    named: bool = True
    """Whether its name comes from the translations."""
    has_device_class: bool = False
    """Whether core has an icon for it."""


@dataclass(slots=True)
class Usage:
    """What the code names."""

    literals: set[str] = field(default_factory=set)
    entities: dict[Reference, EntityUse] = field(default_factory=dict)
    """By platform and key."""
    texts: dict[Reference, str] = field(default_factory=dict)
    """Where each is used, by path in the translations (slashes between) and key."""


class Constants:
    """The string constants of the package's modules, for names that stand for keys."""

    def __init__(self, trees: dict[Path, ast.Module]) -> None:
        """Collect the constants that are assigned at the top of modules."""
        self._modules: dict[Path, dict[str, ast.expr]] = {}
        self._values: dict[str, ast.expr] = {}
        for path, tree in trees.items():
            values = self._modules[path] = {}
            for node in tree.body:
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        values[name] = value
                    case ast.AnnAssign(
                        target=ast.Name(id=name), value=ast.expr() as value
                    ):
                        values[name] = value
            self._values |= values

    def seen_from(self, path: Path) -> Constants:
        """Return the constants where those of one module come first."""
        seen = Constants({})
        seen._values = self._values | self._modules[path]
        return seen

    def text(self, node: ast.expr | None, depth: int = 0) -> str | None:
        """Return what an expression stands for, None if that is not known."""
        if depth > 5:
            return None
        match node:
            case ast.Constant(value=str(value)):
                return value
            case ast.Name(id=name):
                if name in self._values:
                    return self.text(self._values[name], depth + 1)
                core: object = getattr(ha_const, name, None)
                return core if isinstance(core, str) else None
            case ast.JoinedStr(values=parts):
                texts = [
                    self.text(
                        part.value if isinstance(part, ast.FormattedValue) else part,
                        depth + 1,
                    )
                    for part in parts
                ]
                known = [text for text in texts if text is not None]
                return "".join(known) if len(known) == len(texts) else None
        return None


class Reader(ast.NodeVisitor):
    """Notes what one module names."""

    def __init__(self, path: Path, constants: Constants, usage: Usage) -> None:
        """Read a module into `usage`."""
        self._path = path
        self._constants = constants.seen_from(path)
        self._usage = usage
        self._platform = path.stem if path.stem in PLATFORMS else None
        # The steps of options flows stand in files of their own, those of fixes in one.
        self._flow = "config"
        if path.stem.startswith("flow_options"):
            self._flow = "options"
        elif path.stem == "repairs":
            self._flow = FIX_FLOW

    def _where(self, node: ast.expr | ast.stmt) -> str:
        return f"{self._path}:{node.lineno}"

    def _note(self, path: str, key: str | None, node: ast.expr | ast.stmt) -> None:
        if key is not None:
            self._usage.texts.setdefault((path, key), self._where(node))

    def _note_entity(self, key: str | None, use: EntityUse) -> None:
        if key is not None and self._platform is not None:
            self._usage.entities.setdefault((self._platform, key), use)

    @override
    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._usage.literals.add(node.value)

    @override
    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        if (text := self._constants.text(node)) is not None:
            self._usage.literals.add(text)
        self.generic_visit(node)

    @override
    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        keywords = {
            keyword.arg: keyword.value for keyword in node.keywords if keyword.arg
        }
        text = self._constants.text
        if "translation_key" in keywords:
            self._visit_translation_key(node, name, keywords)
        if name in SHOWING_CALLS:
            self._note(f"{self._flow}/step", text(keywords.get("step_id")), node)
        if name == "async_show_menu":
            self._note_menu(text(keywords.get("step_id")), keywords.get("menu_options"))
        if name == "async_show_form":
            self._note_errors(keywords.get("errors"))
        if name == "async_show_progress":
            self._note(
                f"{self._flow}/progress", text(keywords.get("progress_action")), node
            )
        if name == "async_abort":
            self._note(f"{self._flow}/abort", text(keywords.get("reason")), node)
        if name in IMPLIED_ABORTS:
            reason = text(keywords.get("error") or keywords.get("reason"))
            self._note(f"{self._flow}/abort", reason or IMPLIED_ABORTS[name], node)
        self.generic_visit(node)

    def _visit_translation_key(
        self, node: ast.Call, name: str, keywords: dict[str, ast.expr]
    ) -> None:
        key = self._constants.text(keywords["translation_key"])
        if name == "async_create_issue":
            self._note("issues", key, node)
        elif "Selector" in name:
            self._note("selector", key, node)
        elif "DeviceInfo" in name or name == "async_get_or_create":
            self._note("device", key, node)
        elif "Description" in name:
            use = EntityUse(
                self._where(node),
                named=not _is_none(keywords.get("name")),
                has_device_class="device_class" in keywords,
            )
            # There may be a second one, for entities that have another name.
            for argument, value in keywords.items():
                if argument.endswith("translation_key"):
                    self._note_entity(self._constants.text(value), use)
        elif "translation_domain" in keywords:
            self._note("exceptions", key, node)

    def _note_menu(self, step: str | None, options: ast.expr | None) -> None:
        if step is not None and isinstance(options, ast.List | ast.Tuple):
            for option in options.elts:
                key = self._constants.text(option)
                self._note(f"{self._flow}/step/{step}/menu_options", key, option)

    def _note_errors(self, errors: ast.expr | None) -> None:
        if isinstance(errors, ast.Dict):
            for value in errors.values:
                self._note(f"{self._flow}/error", self._constants.text(value), value)

    @override
    def visit_Assign(self, node: ast.Assign) -> None:
        match node.targets:
            case [ast.Subscript(value=ast.Name(id="errors"))]:
                self._note(
                    f"{self._flow}/error", self._constants.text(node.value), node
                )
        self.generic_visit(node)

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        own_platform = self._platform
        values: dict[str, ast.expr] = {}
        for statement in ast.walk(node):
            match statement:
                case ast.Assign(
                    targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value
                ):
                    values[name] = value
        if "_attr_translation_key" in values:
            self._platform = self._platform or _platform_of(node)
            self._note_entity(
                self._constants.text(values["_attr_translation_key"]),
                EntityUse(
                    self._where(node),
                    named=not _is_none(values.get("_attr_name")),
                    has_device_class="_attr_device_class" in values,
                ),
            )
        self.generic_visit(node)
        self._platform = own_platform

    @override
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_function(node)

    @override
    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_function(node)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name.startswith("async_step_"):
            self._usage.literals.add(node.name.removeprefix("async_step_"))
        if node.name in SYSTEM_HEALTH_FUNCTIONS:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    for key in inner.keys:
                        self._note(
                            "system_health/info", self._constants.text(key), inner
                        )
        self.generic_visit(node)


def _platform_of(node: ast.ClassDef) -> str | None:
    """Return the platform of an entity by the class of Home Assistant that it derives from."""
    for base in node.bases:
        name = _name(base).removesuffix("Entity")
        platform = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        if platform in PLATFORMS:
            return platform
    return None


def _name(node: ast.expr) -> str:
    """Return the last part of a dotted name."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
    return ""


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def read_usage(package: Path) -> Usage:
    """Return what the code of a package names."""
    trees = {
        path.relative_to(package): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    }
    constants = Constants(trees)
    usage = Usage()
    for path, tree in trees.items():
        Reader(path, constants, usage).visit(tree)
    _read_actions(package / "services.yaml", usage)
    return usage


def _read_actions(path: Path, usage: Usage) -> None:
    """Note the texts of selectors that the fields of actions name."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, start=1):
        name, _, key = line.strip().partition(": ")
        if name == "translation_key":
            usage.texts.setdefault(("selector", key), f"{path.name}:{number}")


def _branch(data: Json, *keys: str) -> dict[str, Json]:
    """Return the object at a path, empty if there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _load(path: Path) -> Json:
    if not path.is_file():
        return {}
    data: Json = json.loads(path.read_text(encoding="utf-8"))
    return data


def _places(path: str, texts: Json) -> list[str]:
    """Return where the texts have to be that the code has at a path."""
    if not path.startswith(f"{FIX_FLOW}/"):
        return [path]
    issues = _branch(texts, "issues")
    return [
        f"issues/{key}/{path}" for key in issues if FIX_FLOW in _branch(issues, key)
    ]


def missing(usage: Usage, texts: Json, icons: Json) -> Iterator[str]:
    """Tell what the code names and the files do not have."""
    for (path, key), where in usage.texts.items():
        if path == "config/abort" and key in CORE_ABORTS:
            continue
        for place in _places(path, texts):
            if key not in _branch(texts, *place.split("/")):
                yield f"{where}: no text {place}/{key}"
    for (platform, key), use in usage.entities.items():
        if use.named and "name" not in _branch(texts, "entity", platform, key):
            yield f"{use.where}: no text entity/{platform}/{key}/name"
        if not use.has_device_class and key not in _branch(icons, "entity", platform):
            yield f"{use.where}: no icon entity/{platform}/{key}"


def unused(usage: Usage, texts: Json, icons: Json) -> Iterator[str]:
    """Tell what the files have and the code does not name."""
    for name, data in ("translations", texts), ("icons", icons):
        for platform in _branch(data, "entity"):
            for key in _branch(data, "entity", platform):
                if (platform, key) not in usage.entities:
                    yield f"{name}: entity/{platform}/{key} is not used"
    known = usage.literals | set(IMPLIED_ABORTS.values()) | CORE_ABORTS
    for path in (
        "config/step",
        "config/error",
        "config/abort",
        "config/progress",
        "options/step",
        "options/error",
        "options/abort",
        "device",
        "exceptions",
        "issues",
        "selector",
        "system_health/info",
    ):
        for key in _branch(texts, *path.split("/")):
            if (path, key) not in usage.texts and key not in known:
                yield f"translations: {path}/{key} is not used"


def undescribed(texts: Json) -> Iterator[str]:
    """Tell which fields of forms are named but not described, or the other way round."""
    for flow, step in (
        (kind, name)
        for kind in ("config", "options")
        for name in _branch(texts, kind, "step")
    ):
        fields = _branch(texts, flow, "step", step, "data").keys()
        described = _branch(texts, flow, "step", step, "data_description").keys()
        for key in fields ^ described:
            what = "description" if key in fields else "name"
            yield f"translations: field {key} of {flow}/step/{step} has no {what}"


def unfillable(texts: Json) -> Iterator[str]:
    """Tell which titles of menus have placeholders: the frontend fills in none of them."""
    for flow in ("config", "options"):
        for name in _branch(texts, flow, "step"):
            step = _branch(texts, flow, "step", name)
            if "menu_options" in step and "{" in str(step.get("title")):
                yield f"translations: the title of the menu {flow}/step/{name} has a placeholder"


def check(package: Path) -> list[str]:
    """Return what is wrong with the texts and icons of a package."""
    usage = read_usage(package)
    texts = _load(package / "translations" / "en.json")
    icons = _load(package / "icons.json")
    return [
        *missing(usage, texts, icons),
        *unused(usage, texts, icons),
        *undescribed(texts),
        *unfillable(texts),
    ]


def main() -> int:
    """Check the folder given, or this integration."""
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE
    problems = check(package)
    print("\n".join(problems) if problems else "texts, icons and code agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
