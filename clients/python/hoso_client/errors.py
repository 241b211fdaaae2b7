# SPDX-License-Identifier: Apache-2.0
"""One class for each code word of the protocol: `busy` is Busy, `not_found` is NotFound.

    try:
        state = hoso.get(code)
    except NotFound:
        ...
    except HosoError as error:      # any of them
        print(error.code, error.field, error)

A class comes into being with its row in the table of errors, so none can be forgotten.
"""
from .messages import ERRORS


class HosoError(Exception):
    """`code` for programs, the text for people, `field` where one field is at fault."""
    code = "internal"
    action = "refuse"

    def __init__(self, message, field="", retry_ms=0):
        super().__init__(message)
        self.field = field
        self.retry_ms = retry_ms

    @property
    def may_be_done(self):
        """True where only asking again with the same id tells whether it was done."""
        return self.code == "timeout"


def _class(code, action, meaning):
    name = "".join(part.capitalize() for part in code.split("_"))
    return type(name, (HosoError,), {"code": code, "action": action, "__doc__": meaning})


BY_CODE = {code: _class(code, action, meaning) for code, (action, meaning) in ERRORS.items()}
globals().update({made.__name__: made for made in BY_CODE.values()})
__all__ = ["HosoError", "error_of"] + [made.__name__ for made in BY_CODE.values()]


def error_of(body):
    """The exception that an `error` message stands for; unknown codes become HosoError."""
    made = BY_CODE.get(body.get("code"), HosoError)
    text = body.get("message") or made.__doc__
    if made is HosoError:
        text = f"{body.get('code')}: {text}"
    return made(text, body.get("field", ""), body.get("retry_ms", 0))
