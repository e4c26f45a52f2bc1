"""What the front end raises inside itself when it meets something that it does not understand."""

from __future__ import annotations

import os


class NotUnderstood(Exception):
    """A construct outside the accepted language; becomes a diagnostic and a `LeftOut`.

    `code` is the number in `diagnostics/codes/XP02.toml`; `reason` and `help` go into the remark.
    `essential` is False where leaving the statement out cannot change results.
    """

    def __init__(
        self, code: str, message: str, reason: str = "", help: str = "", *, essential: bool = True
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.help = help
        self.essential = essential


def understood(err: Exception) -> NotUnderstood:
    """`err` as a remark: a mistake of ours (XP0213) costs only the part where it happened."""
    if isinstance(err, NotUnderstood):
        return err
    if os.environ.get("XPILER_PARSE_INLINE") == "strict":
        raise err
    return NotUnderstood(
        "XP0213",
        "this led the front end astray",
        f"{type(err).__name__}: {err}",
        "please report it",
    )
