"""What asking may cost in tokens, money and seconds: kept, also by several processes at once."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from xpiler.neural.provider import ModelFault


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens (both ways), US dollars, seconds of waiting."""

    tokens: int = 0
    usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.tokens + other.tokens, self.usd + other.usd, self.seconds + other.seconds)

    def __sub__(self, other: Cost) -> Cost:
        return self + Cost(-other.tokens, -other.usd, -other.seconds)

    def render(self) -> str:
        money = f", ${self.usd:.4f}" if self.usd else ""
        return f"{self.tokens} tokens{money}, {self.seconds:.1f} s"


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget; None where there is no bound."""

    tokens: int | None = None
    usd: float | None = None
    seconds: float | None = None

    def exceeded(self, cost: Cost) -> str:
        """What of `cost` is too much, in words; "" when all is within."""
        for name in ("tokens", "usd", "seconds"):
            limit, value = getattr(self, name), getattr(cost, name)
            if limit is not None and value > limit * (1 + 1e-9):
                return f"{value:g} of {limit:g} {name}"
        return ""

    def left(self, spent: Cost) -> float | None:
        """Seconds that are left."""
        return None if self.seconds is None else max(0.0, self.seconds - spent.seconds)


def parse_limits(text: str, base: Limits | None = None) -> Limits:
    """`tokens=200000,usd=1.5,seconds=600`; raises ValueError."""
    found = base or Limits()
    for item in filter(None, (part.strip() for part in text.split(","))):
        key, _, value = item.partition("=")
        if key not in ("tokens", "usd", "seconds"):
            raise ValueError(f"budget {item!r}: tokens=N, usd=X or seconds=X is wanted")
        try:
            number = int(value) if key == "tokens" else float(value)
        except ValueError as why:
            raise ValueError(f"budget {item!r}: {value!r} is no number") from why
        if not 0 <= number < float("inf"):
            raise ValueError(f"budget {item!r}: a number from 0 up is wanted")
        found = replace(found, **{key: number})  # type: ignore[arg-type]
    return found


class Budget:
    """Spends within `limits`. With a `file` all processes that name it spend from one purse.

    Before a question goes out its worst cost is reserved; what it really took is booked after.
    """

    def __init__(self, limits: Limits, file: Path | None = None) -> None:
        self.limits = limits
        self.file = file
        self._lock = threading.Lock()
        self._spent = Cost()

    @property
    def spent(self) -> Cost:
        """What was spent or is reserved."""
        with self._purse() as purse:
            return purse[0]

    def reserve(self, worst: Cost) -> None:
        """Set `worst` aside; raises ModelFault (budget) where that is not to be had."""
        with self._purse() as purse:
            if why := self.limits.exceeded(purse[0] + worst):
                raise ModelFault("budget", f"the next question may take {why}")
            purse[0] = purse[0] + worst

    def settle(self, worst: Cost, real: Cost) -> None:
        """Book what a question took in place of what was reserved for it."""
        with self._purse() as purse:
            purse[0] = purse[0] - worst + real

    @contextmanager
    def _purse(self) -> Iterator[list[Cost]]:
        with self._lock:
            if self.file is None:
                purse = [self._spent]
                yield purse
                self._spent = purse[0]
                return
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a+", encoding="utf-8") as shared:
                fcntl.flock(shared, fcntl.LOCK_EX)
                shared.seek(0)
                text = shared.read()
                before = Cost(**json.loads(text)) if text else Cost()
                purse = [before]
                yield purse
                if purse[0] != before:
                    shared.seek(0)
                    shared.truncate()
                    shared.write(json.dumps(asdict(purse[0])))
