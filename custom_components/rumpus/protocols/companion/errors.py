"""What can go wrong on the Companion link, beyond what can with every device."""

from ..errors import RumpusError


class CommandFailedError(RumpusError):
    """The device answered a request with an error (part A, section 4.3).

    `code` is None when it gave none; 58822 is "no request handler". What the device says
    about it in words is in no text of this.
    """

    def __init__(self, name: str, code: int | None, domain: str | None = None) -> None:
        """Take our request's name, and the code and its domain as the device gave them."""
        reason = "" if code is None else f" (error {code})"
        super().__init__(f"The device refused {name}{reason}")
        self.code = code
        self.domain = domain


class NoTextFieldError(RumpusError):
    """No text field has the focus on the device."""
