"""A provider that pretends to be a model: the symbolic pass's text with faults at a chosen rate."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from xpiler.neural.provider import Answer, ModelFault, Request, estimate_tokens

Injector = Callable[[str, str, int, int], str]
"""`(text, platform, seed, n)` gives the text with n faults; fewer where it has no room for them."""


@dataclass(frozen=True)
class Noisy:
    """Answers a pass's prompt with the symbolic result, which has `faults` faults with
    probability `rate`.

    Asked again, it finds its fault with probability `insight` and else makes the same one again:
    models seldom mend their own programs from an error message. All draws follow from `seed` and
    the question, so that a run can be repeated.
    """

    rate: float
    inject: Injector
    insight: float = 0.1
    seed: int = 0
    faults: int = 1

    @property
    def name(self) -> str:
        return f"noisy:{self.rate:g}"

    @property
    def paid(self) -> bool:
        return False

    def ask(self, request: Request, seconds: float) -> Answer:
        """See Provider.ask."""
        start = time.monotonic()
        text = request.expected() if request.expected is not None else None
        if text is None:
            raise ModelFault("no answer", "there is no symbolic result to pretend with")
        first = next((m.text for m in request.messages if m.role == "user"), "")
        wrong = self._chance("rate", first, request.sample) < self.rate
        for turn in range(sum(m.role == "assistant" for m in request.messages)):
            if wrong and self._chance(f"insight {turn}", first, request.sample) < self.insight:
                wrong = False
        if wrong:
            place = int(self._chance("place", first, request.sample) * (1 << 32))
            text = self.inject(text, request.platform, place, self.faults)
        said = f"```\n{text}\n```\n" if not text.endswith("\n") else f"```\n{text}```\n"
        return Answer(
            said, self.name, estimate_tokens(request.characters), estimate_tokens(len(said)),
            time.monotonic() - start,
        )  # fmt: skip

    def _chance(self, what: str, prompt: str, sample: int) -> float:
        """A number from [0, 1) that follows from the seed and the question."""
        digest = hashlib.sha256(f"{self.seed}|{what}|{sample}|{prompt}".encode()).hexdigest()
        return random.Random(digest).random()
