"""What a console knows of television, as an answer."""

import pytest

from custom_components.rumpus.families.xbox import lineup as lineup_module
from custom_components.rumpus.families.xbox.lineup import (
    MAX_CHANNELS,
    app_part,
    lineup_part,
)
from custom_components.rumpus.protocols.smartglass.services.tv_models import (
    AppChannel,
    AppProvider,
    TvChannel,
    TvLineup,
)


def test_max_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """All lists together have so many; a list that comes later has none."""
    assert MAX_CHANNELS > 1000
    monkeypatch.setattr(lineup_module, "MAX_CHANNELS", 3)
    channels = (TvChannel("1"), TvChannel("2"))
    apps = (AppChannel("1"), AppChannel("2"))

    tuners = lineup_part([TvLineup(name, channels) for name in "abc"])
    providers = app_part([AppProvider(name, channels=apps) for name in "abc"])

    for answer in (tuners, providers):
        assert isinstance(answer, list)
        counts = [
            len(entry["channels"])
            for entry in answer
            if isinstance(entry, dict) and isinstance(entry["channels"], list)
        ]
        assert counts == [2, 1, 0]
