"""What the rest of the house knows of a language model: a request goes in, an answer comes out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]
FaultKind = Literal[
    "rate limit", "timeout", "connection", "server", "broken answer", "too long", "denied",
    "not found", "bad request", "no answer", "budget", "setup",
]  # fmt: skip
_PASSING = frozenset(("rate limit", "timeout", "connection", "server", "broken answer"))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """A question to a model.

    `max_tokens` bounds the answer; without a `temperature` the server's default holds; `sample`
    tells apart several answers to the same question. `topic` (pass, file) names the request for
    people and is no part of its identity. `platform` is the one of the text that is asked for,
    `expected` the symbolic pass's text for the same step: only the provider that pretends to be a
    model uses them.
    """

    messages: tuple[Message, ...]
    max_tokens: int = 8192
    temperature: float | None = None
    seed: int | None = None
    sample: int = 0
    topic: str = ""
    platform: str = ""
    expected: Callable[[], str | None] | None = field(default=None, compare=False)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the answer, apart from the model."""
        return {
            "messages": [asdict(m) for m in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "seed": self.seed,
            "sample": self.sample,
        }

    @property
    def digest(self) -> str:
        """A name for the question, the same in every run."""
        data = json.dumps(self.identity, sort_keys=True).encode()
        return hashlib.sha256(data).hexdigest()[:32]

    @property
    def characters(self) -> int:
        return sum(len(m.text) for m in self.messages)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. `finish` is "stop" where it ended by itself, else why it was cut off.

    Tokens are as the server counts them, or estimated where it does not say; `seconds` is the time
    that the answer took, 0 from the cache; `cost` is in US dollars.
    """

    text: str
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    finish: str = "stop"
    from_cache: bool = False
    cost: float = 0.0


class ModelFault(Exception):
    """No answer came. `retry_after`: seconds that the server asks for, where it does.

    `tokens_out` were produced before the answer broke off: they are paid for.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        retry_after: float | None = None,
        tokens_out: int = 0,
    ) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.tokens_out = tokens_out

    @property
    def passing(self) -> bool:
        """Whether it may help to ask again a little later."""
        return self.kind in _PASSING


class Provider(Protocol):
    """Who answers. `name` is what `--model` says; `paid` whether answers cost tokens."""

    @property
    def name(self) -> str: ...
    @property
    def paid(self) -> bool: ...
    def ask(self, request: Request, seconds: float) -> Answer:
        """The answer, within `seconds`; raises ModelFault."""
        ...


def estimate_tokens(characters: int) -> int:
    """Tokens of a text of program code, on the high side: three characters make one."""
    return -(-characters // 3)
