"""Print what Home Assistant would install while it starts, one requirement a line.

Home Assistant installs the requirements of an integration when it first sets it up, and
those of everything the integration depends on or comes after. Installed ahead, the demo
and the checks against a whole Home Assistant start at once and without any network.

Run it with the Python of an environment that has Home Assistant; further integrations
to prepare are given as arguments.
"""

from collections.abc import Iterable
import json
from pathlib import Path
import sys

from homeassistant import bootstrap, components
from homeassistant.auth.mfa_modules import totp
from homeassistant.requirements import DISCOVERY_INTEGRATIONS

type Manifest = dict[str, str | bool | list[str]]

CORE = Path(components.__file__).parent
OWN = Path(__file__).parent.parent / "custom_components"

# What bootstrap starts by itself, and what the demo and the checks use besides.
STARTED = (
    bootstrap.CORE_INTEGRATIONS
    | bootstrap.LOGGING_AND_HTTP_DEPS_INTEGRATIONS - {"sentry"}
    | bootstrap.DEFAULT_INTEGRATIONS
)
USED = {
    "config",
    "dhcp",
    "diagnostics",
    "history",
    "logbook",
    "media_source",
    "recorder",
    "repairs",
    "ssdp",
    "stream",
    "zeroconf",
}


def read_manifest(domain: str) -> Manifest:
    """Return an integration's manifest, an empty one if there is no such integration."""
    for folder in (CORE, OWN):
        path = folder / domain / "manifest.json"
        if path.is_file():
            manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
            return manifest
    return {}


def names(manifest: Manifest, key: str) -> list[str]:
    """Return a list member of a manifest."""
    value = manifest.get(key, [])
    return value if isinstance(value, list) else []


def collect(domains: Iterable[str]) -> set[str]:
    """Return the requirements of these integrations and all they come after."""
    requirements = set(totp.REQUIREMENTS)  # of the log-in, no integration
    done: set[str] = set()
    waiting = list(domains)
    while waiting:
        domain = waiting.pop()
        if domain in done:
            continue
        done.add(domain)
        manifest = read_manifest(domain)
        requirements.update(names(manifest, "requirements"))
        waiting += names(manifest, "dependencies")
        waiting += names(manifest, "after_dependencies")
        waiting += [
            discovery
            for discovery, keys in DISCOVERY_INTEGRATIONS.items()
            if any(key in manifest for key in keys)
        ]
    return requirements


if __name__ == "__main__":
    print("\n".join(sorted(collect({*STARTED, *USED, *sys.argv[1:]}))))
