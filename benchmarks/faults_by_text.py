"""The second generator of faults: the edits by pattern with which the verifier is tried.

They find their places by regular expressions (`mutation*.py`), were made for `mutants.py` without a
look at the repairer, and share no code or table with it.
"""

from __future__ import annotations

import random

from mutation import Edit as TextEdit
from mutation import chosen, edits
from mutation_bang import edits as bang_edits
from mutation_gpu import edits as gpu_edits

from xpiler.repair.faults import Edit, Faulty, parses
from xpiler.repair.faults.inject import apart, apply, told
from xpiler.repair.faults.model import Class

_TRIES = 40  # edits that do not parse, before we give up
_CLASSES: dict[str, Class] = {
    "wrong shuffle": "operand",
    "wrong instruction": "operand",
    "swapped operands": "operand",
    "missing instruction": "operand",
    "wrong count": "operand",
    "bytes for elements": "operand",
    "wrong launch": "axis or mapping",
    "wrong task split": "axis or mapping",
    "missing copy": "staging",
    "wrong copy": "staging",
    "wrong allocation": "staging",
    "elements for bytes": "staging",
    "misaligned size": "staging",
    "wrong segment count": "staging",
    "wrong direction": "staging",
    "wrong memory": "staging",
    "too much memory": "staging",
    "too little memory": "staging",
    "missing transfer": "staging",
    "wrong transfer": "staging",
}


def _edits(text: str, to: str) -> list[TextEdit]:
    every = {"c": edits, "bang": bang_edits}.get(to, gpu_edits)
    return every(text)


def inject_by_text(text: str, to: str, seed: int, n: int = 1) -> Faulty:
    """As `xpiler.repair.faults.inject`: `text` with `n` faults (or fewer) that still parses."""
    rng = random.Random(f"by text {seed}/{n}")
    taken: list[Edit] = []
    for tried, e in enumerate(chosen(text, rng, _edits(text, to))):
        if len(taken) == n or tried >= _TRIES * n:
            break
        edit = Edit(e.kind, e.start, e.end, e.new)
        fit = all(apart(edit, other, text) for other in taken)
        if fit and parses(apply([*taken, edit], text), to):
            taken.append(edit)
    return Faulty(apply(taken, text), told(taken, text, _CLASSES), tuple(taken))
