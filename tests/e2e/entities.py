"""Finding entities of a config entry by what they are about."""

import asyncio
from typing import Final

from .api import HomeAssistantApi, WaitError
from .models import ConfigEntry, Entity

APPEAR: Final = 30.0


async def find_entity(
    api: HomeAssistantApi, entry: ConfigEntry, domain: str, about: str = ""
) -> Entity:
    """Return the enabled entity of a platform that is about something, once it is there.

    `about` is a part of its translation key, its entity id or its unique id.
    """
    async with await api.subscribe_events("entity_registry_updated") as changes:
        try:
            async with asyncio.timeout(APPEAR):
                while True:
                    for entity in await api.entities(entry.entry_id):
                        names = f"{entity.translation_key} {entity.entity_id} {entity.unique_id}"
                        enabled = entity.disabled_by is None
                        if enabled and entity.domain == domain and about in names:
                            return entity
                    await changes.get()
        except TimeoutError as err:
            raise WaitError(f"{entry.title} has no {domain} about {about!r}") from err
