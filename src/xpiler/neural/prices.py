"""What an answer costs: a table of prices that users can override."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """US dollars."""
        return (self.input * tokens_in + self.output * tokens_out) / 1e6


FREE = Price(0.0, 0.0)


@cache
def _ours() -> Mapping[str, Price]:
    text = files("xpiler.neural").joinpath("prices.toml").read_text(encoding="utf-8")
    return prices_from(tomllib.loads(text))


def prices_from(table: Mapping[str, Any]) -> dict[str, Price]:
    """A table of prices; raises ValueError where it is none."""
    out = {}
    for name, entry in table.items():
        try:
            out[name] = Price(float(entry["input"]), float(entry["output"]))
        except (KeyError, TypeError, ValueError) as why:
            raise ValueError(f"prices.{name}: input and output are wanted, in dollars") from why
        if min(out[name].input, out[name].output) < 0:
            raise ValueError(f"prices.{name}: a price is not negative")
    return out


def price_of(model: str, own: Mapping[str, Price] | None = None) -> Price | None:
    """The price of a model: the user's, else ours; None where nobody has said it."""
    for table in (own or {}, _ours()):
        fits = [n for n in table if model == n or model.startswith((f"{n}-", f"{n}:", f"{n}@"))]
        if fits:
            return table[max(fits, key=len)]
    return None
