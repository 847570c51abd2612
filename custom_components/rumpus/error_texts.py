"""What goes wrong with a device, as errors in the words of its family."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NoReturn

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .protocols.errors import RumpusError, UnsupportedError

NO_SPECIAL: Final[Mapping[type[RumpusError], str]] = {}


class ErrorTexts:
    """The texts of a family: calling it gives a context that translates errors."""

    def __init__(
        self,
        key: Callable[[RumpusError], str],
        is_lasting: Callable[[RumpusError], bool] = lambda err: isinstance(
            err, UnsupportedError
        ),
    ) -> None:
        """Take what finds the text of an error.

        `is_lasting` tells which ones mean that the device cannot do it at all.
        """
        self._key = key
        self._is_lasting = is_lasting

    @contextmanager
    def __call__(
        self, name: str, special: Mapping[type[RumpusError], str] = NO_SPECIAL
    ) -> Iterator[None]:
        """Turn the protocols' errors into ones that tell what to do about the named device.

        `special` has the keys of texts that say more than the usual ones about what was tried.
        Raises ServiceValidationError for what the device cannot do, HomeAssistantError for
        everything else.
        """
        try:
            yield
        except RumpusError as err:
            kind = (
                ServiceValidationError if self._is_lasting(err) else HomeAssistantError
            )
            raise kind(
                translation_domain=DOMAIN,
                translation_key=next(
                    (key for cause, key in special.items() if isinstance(err, cause)),
                    self._key(err),
                ),
                translation_placeholders={"name": name},
            ) from err


def refuse(key: str, name: str, **placeholders: str) -> NoReturn:
    """Raise ServiceValidationError with a text of ours about a device."""
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders={"name": name, **placeholders},
    )
