"""A provider that gives the answers that earlier runs got, from their traces."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpiler.neural.provider import Answer, ModelFault, Request


@dataclass(frozen=True)
class Replay:
    """Answers by the digest of their question."""

    name: str
    answers: dict[str, dict[str, Any]] = field(repr=False)

    @property
    def paid(self) -> bool:
        return False

    def ask(self, request: Request, seconds: float) -> Answer:
        """See Provider.ask."""
        found = self.answers.get(request.digest)
        if found is None:
            raise ModelFault("no answer", f"the trace has no answer to {request.topic or 'this'}")
        return Answer(
            str(found.get("answer", "")),
            str(found.get("model", self.name)),
            int(found.get("tokens_in", 0)),
            int(found.get("tokens_out", 0)),
            finish=str(found.get("finish", "stop")),
        )


def load(paths: Iterable[Path]) -> Replay:
    """The answers in trace files, or in all of a folder's; raises ModelFault (setup)."""
    listed = [Path(p) for p in paths]
    files = [f for p in listed for f in (sorted(p.glob("*.json")) if p.is_dir() else [p])]
    answers: dict[str, dict[str, Any]] = {}
    for file in files:
        try:
            steps = json.loads(file.read_text(encoding="utf-8"))["steps"]
            for step in steps:
                answers.update({x["question"]: x for x in step.get("exchanges", ())})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
            raise ModelFault("setup", f"{file} is no trace of Xpiler's: {why}") from why
    return Replay(f"replay:{','.join(map(str, listed))}", answers)
