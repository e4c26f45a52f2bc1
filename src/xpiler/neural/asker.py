"""Asks a provider: from the cache where it can, within the budget, again after a passing fault."""

from __future__ import annotations

import fcntl
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from xpiler.host.cache import content_key, store, used
from xpiler.neural.budget import Budget, Cost, Limits
from xpiler.neural.prices import FREE, Price
from xpiler.neural.provider import Answer, ModelFault, Provider, Request, estimate_tokens

GRACE_SECONDS = 5.0  # that a provider has beyond its time before it is left to itself


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take (seconds), how often a question is put again after a fault that
    passes, and the pause before that: doubled each time, at most `longest`, with some chance in it.
    """

    seconds: float = 300.0
    again: int = 4
    pause: float = 1.0
    longest: float = 60.0

    def before(self, turn: int, wanted: float | None) -> float:
        """Seconds to wait before try `turn` (1 is the first repetition)."""
        own: float = min(self.longest, self.pause * 2.0 ** (turn - 1))
        own *= 0.75 + 0.5 * random.random()
        return max(own, wanted) if wanted is not None else own


@dataclass
class Asker:
    """One model with its cache, budget and price. `price` None: nobody knows it.

    `at_once` questions may be under way at the same time. `log` takes a line for every fault that
    passed. `sleep` is the clock's.
    """

    provider: Provider
    budget: Budget = field(default_factory=lambda: Budget(Limits()))
    price: Price | None = FREE
    cache: Path | None = None
    patience: Patience = field(default_factory=Patience)
    at_once: int = 4
    sleep: Callable[[float], None] = time.sleep
    log: Callable[[str], None] = field(default=lambda line: None)

    def __post_init__(self) -> None:
        self._gate = threading.Semaphore(max(1, self.at_once))

    @property
    def name(self) -> str:
        return self.provider.name

    def worst(self, request: Request) -> Cost:
        """What the answer can cost at most, without its time."""
        if not self.provider.paid:
            return Cost()
        asked = estimate_tokens(request.characters)
        money = (self.price or FREE).of(asked, request.max_tokens)
        return Cost(asked + request.max_tokens, money)

    def cached(self, request: Request) -> Answer | None:
        """The answer, if it was given before."""
        path = self._path(request)
        try:
            raw = json.loads(used(path).read_text(encoding="utf-8")) if path else None
            return None if raw is None else replace(Answer(**raw), from_cache=True, seconds=0.0)
        except (OSError, ValueError, TypeError):
            return None

    def ask(self, request: Request) -> Answer:
        """The answer; raises ModelFault when none is to be had."""
        with self._alone(request):
            if (known := self.cached(request)) is not None:
                return known
            with self._gate:
                answer = self._insist(request)
            if (path := self._path(request)) is not None:
                store(path, json.dumps(asdict(answer)).encode())
            return answer

    def ask_all(self, requests: Sequence[Request]) -> Iterator[Answer | ModelFault]:
        """The answers to several questions that are asked at once, in their order."""
        waiting: list[Future[Answer | ModelFault]] = [_in_background(self._or_fault, r)
                                                      for r in requests]  # fmt: skip
        for future in waiting:
            yield future.result()

    def _or_fault(self, request: Request) -> Answer | ModelFault:
        try:
            return self.ask(request)
        except ModelFault as why:
            return why

    def _insist(self, request: Request) -> Answer:
        turn = 0
        while True:
            try:
                return self._once(request)
            except ModelFault as why:
                turn += 1
                if not why.passing or turn > self.patience.again:
                    raise
                pause = self.patience.before(turn, why.retry_after)
                self._pause(pause, why)

    def _pause(self, seconds: float, why: ModelFault) -> None:
        """Wait, if the budget has time for it."""
        if seconds > 10 * self.patience.longest:
            raise ModelFault("budget", f"asked to wait {seconds:.0f} s ({why})") from why
        cost = Cost(seconds=seconds)
        self.budget.reserve(cost)
        self.log(f"{why}; asking again in {seconds:.1f} s")
        self.sleep(seconds)

    def _once(self, request: Request) -> Answer:
        limits = self.budget.limits
        if self.price is None and limits.usd is not None:
            said = f"the price of {self.name} is not known, so the budget cannot be kept"
            raise ModelFault("budget", said)
        left = limits.left(self.budget.spent)
        seconds = self.patience.seconds if left is None else min(self.patience.seconds, left)
        if seconds <= 0:
            raise ModelFault("budget", f"all of its {limits.seconds:g} seconds are spent")
        worst = replace(self.worst(request), seconds=seconds if left is not None else 0.0)
        self.budget.reserve(worst)
        start, real = time.monotonic(), Cost()
        try:
            answer = _bounded(lambda: self.provider.ask(request, seconds), seconds)
            real = self._cost(answer.tokens_in, answer.tokens_out)
            return replace(answer, cost=real.usd)
        except ModelFault as why:
            if why.kind in ("broken answer", "too long", "timeout"):  # the question was read
                real = self._cost(estimate_tokens(request.characters), why.tokens_out)
            raise
        finally:
            took = min(time.monotonic() - start, seconds)
            self.budget.settle(worst, replace(real, seconds=took))

    def _cost(self, tokens_in: int, tokens_out: int) -> Cost:
        if not self.provider.paid:
            return Cost()
        return Cost(tokens_in + tokens_out, (self.price or FREE).of(tokens_in, tokens_out))

    def _path(self, request: Request) -> Path | None:
        """Where the cache keeps the answer of this model to this question."""
        if self.cache is None or not self.provider.paid:
            return None
        where = getattr(self.provider, "url", None) or ""
        return self.cache / f"{content_key([self.name, where, request.digest])}.json"

    @contextmanager
    def _alone(self, request: Request) -> Iterator[None]:
        """Nobody else asks the same question meanwhile: it would be paid for twice."""
        path = self._path(request)
        if path is None:
            yield
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        shared = path.with_name(f".lock-{path.name[:3]}")
        lock = os.open(shared, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _in_background(work: Callable[..., Any], *args: Any) -> Future[Any]:
    """Run `work` in a thread that does not keep the program alive."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(work(*args))
        except BaseException as why:
            future.set_exception(why)

    threading.Thread(target=run, daemon=True).start()
    return future


def _bounded(work: Callable[[], Answer], seconds: float) -> Answer:
    """`work`, given up when it takes longer than it was told to."""
    try:
        return _in_background(work).result(timeout=seconds + GRACE_SECONDS)  # type: ignore[no-any-return]
    except TimeoutError as why:
        raise ModelFault("timeout", f"no answer within {seconds:.0f} s") from why
