"""The comparison of texts and icons with the code finds what it should."""

import json
from pathlib import Path

import pytest

from script.check_translations import Json, check

FLOW = """
from homeassistant.const import CONF_HOST
PREFIX = "pad"

class Flow:
    async def async_step_user(self, user_input):
        errors = {}
        errors["base"] = "cannot_connect"
        self._abort_if_unique_id_configured()
        return self.async_show_form(step_id=f"{PREFIX}_host", errors=errors)

    async def async_step_gone(self, user_input):
        return self.async_abort(reason="reauth_successful")
"""
SENSOR = """
A = RumpusSensorDescription(key="a", translation_key="play_time")
B = RumpusSensorDescription(key="b", translation_key="charge", device_class=BATTERY, name=None)

class Raises:
    _attr_translation_key = "level"

    def act(self):
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="refused")
"""
TEXTS: dict[str, Json] = {
    "config": {
        "step": {
            "pad_host": {
                "data": {"host": "Host"},
                "data_description": {"host": "Where it is"},
            },
            "gone": {"title": "Gone"},
        },
        "error": {"cannot_connect": "Failed"},
        "abort": {"already_configured": "Known"},
    },
    "entity": {
        "sensor": {"play_time": {"name": "Play time"}, "level": {"name": "Level"}}
    },
    "exceptions": {"refused": {"message": "Refused"}},
}
ICONS: dict[str, Json] = {
    "entity": {
        "sensor": {
            "play_time": {"default": "mdi:timer"},
            "level": {"default": "mdi:stairs"},
        }
    }
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "translations").mkdir()
    (tmp_path / "config_flow.py").write_text(FLOW)
    (tmp_path / "sensor.py").write_text(SENSOR)
    write(tmp_path, TEXTS, ICONS)
    return tmp_path


def write(package: Path, texts: Json, icons: Json) -> None:
    (package / "translations" / "en.json").write_text(json.dumps(texts))
    (package / "icons.json").write_text(json.dumps(icons))


def test_complete_package(package: Path) -> None:
    assert check(package) == []


def test_what_code_names_needs_text_and_icon(package: Path) -> None:
    write(package, {}, {})
    assert sorted(check(package)) == [
        "config_flow.py:10: no text config/step/pad_host",
        "config_flow.py:8: no text config/error/cannot_connect",
        "config_flow.py:9: no text config/abort/already_configured",
        "sensor.py:2: no icon entity/sensor/play_time",
        "sensor.py:2: no text entity/sensor/play_time/name",
        "sensor.py:5: no icon entity/sensor/level",
        "sensor.py:5: no text entity/sensor/level/name",
        "sensor.py:9: no text exceptions/refused",
    ]


def test_texts_and_icons_need_code(package: Path) -> None:
    (package / "config_flow.py").write_text("")
    (package / "sensor.py").write_text("")
    assert sorted(check(package)) == [
        "icons: entity/sensor/level is not used",
        "icons: entity/sensor/play_time is not used",
        "translations: config/error/cannot_connect is not used",
        "translations: config/step/gone is not used",
        "translations: config/step/pad_host is not used",
        "translations: entity/sensor/level is not used",
        "translations: entity/sensor/play_time is not used",
        "translations: exceptions/refused is not used",
    ]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (
            {"data": {"host": "Host"}},
            "field host of config/step/pad_host has no description",
        ),
        (
            {"data_description": {"host": "Where it is"}},
            "field host of config/step/pad_host has no name",
        ),
    ],
)
def test_fields_are_described(package: Path, step: Json, problem: str) -> None:
    texts = json.loads(json.dumps(TEXTS))
    texts["config"]["step"]["pad_host"] = step
    write(package, texts, ICONS)
    assert check(package) == [f"translations: {problem}"]


def test_titles_of_menus(package: Path) -> None:
    """Home Assistant's frontend shows an error for a placeholder in one."""
    texts = json.loads(json.dumps(TEXTS))
    step = texts["config"]["step"]["pad_host"]
    step["title"] = "Change {name}"
    write(package, texts, ICONS)
    assert check(package) == []

    step["menu_options"] = {}
    write(package, texts, ICONS)
    assert check(package) == [
        "translations: the title of the menu config/step/pad_host has a placeholder"
    ]


def test_a_field_of_an_action_names_a_selector(package: Path) -> None:
    """Its options are translated like those of forms."""
    (package / "services.yaml").write_text("go:\n  translation_key: speed\n")
    assert check(package) == ["services.yaml:2: no text selector/speed"]

    write(package, {**TEXTS, "selector": {"speed": {}}}, ICONS)
    assert check(package) == []


def test_constants_of_the_same_name(package: Path) -> None:
    """A module that has one itself means that one."""
    (package / "another.py").write_text('PREFIX = "phone"')
    (package / "zoo.py").write_text('PREFIX = "animal"')
    assert check(package) == []


def test_flows_that_fix_issues(package: Path) -> None:
    """Each issue that can be fixed has the texts of the flow that all of them share."""
    (package / "repairs.py").write_text(
        "class Fix:\n    def ask(self):\n"
        '        return self.async_show_form(step_id="confirm")\n'
        'def tell():\n    async_create_issue(translation_key="lost")\n'
        '    async_create_issue(translation_key="gone")\n'
        '    async_create_issue(translation_key="kicked")\n'
    )
    texts = json.loads(json.dumps(TEXTS))
    texts["issues"] = {
        "lost": {"description": "Nothing to be done"},
        "gone": {"fix_flow": {"step": {"confirm": {"title": "Sure?"}}}},
        "kicked": {"fix_flow": {}},
    }
    write(package, texts, ICONS)
    assert check(package) == [
        "repairs.py:3: no text issues/kicked/fix_flow/step/confirm"
    ]
