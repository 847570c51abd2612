"""Tokens in pieces that fit a datagram (the SmartGlass reference, section 4.3)."""

from typing import Final

from ..errors import MessageTooLargeError, ProtocolError
from .const import MAX_PLAINTEXT
from .enums import PublicKeyType
from .packets import IV_SIZE, MAX_TOKEN, MAX_USERHASH, PUBLIC_KEY_SIZES, ConnectRequest
from .tokens import Tokens

_UUID_AND_KEY_TYPE: Final = 18
_EMPTY: Final = 18
"""Bytes of what is protected when both strings are empty."""


def connect_fragments(
    tokens: Tokens | None, public_key_type: PublicKeyType, *, number: int = 0
) -> tuple[ConnectRequest, ...]:
    """Return the requests that carry the tokens, one without any.

    `number` is that of the first request. Raises ProtocolError for tokens that are not
    ASCII, MessageTooLargeError beyond MAX_USERHASH and MAX_TOKEN.
    """
    if tokens is None:
        return (ConnectRequest("", "", number, number, number + 1),)
    userhash, token = tokens.userhash, tokens.xsts_token
    if not userhash.isascii() or not token.isascii():
        raise ProtocolError("Tokens that are not ASCII")
    if len(userhash) > MAX_USERHASH or len(token) > MAX_TOKEN:
        raise MessageTooLargeError("Tokens that are too long")
    key_size = PUBLIC_KEY_SIZES[public_key_type]
    room = MAX_PLAINTEXT - _UUID_AND_KEY_TYPE - key_size - IV_SIZE - _EMPTY
    # The userhash takes its room in the first one, which has all of it.
    count = max(1, -(-(len(userhash) + len(token)) // room))
    starts = [max(0, index * room - len(userhash)) for index in range(count)]
    starts.append(len(token))
    return tuple(
        ConnectRequest(
            "" if index else userhash,
            token[starts[index] : starts[index + 1]],
            number + index,
            number,
            number + count,
        )
        for index in range(count)
    )
