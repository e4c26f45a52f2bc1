"""What a fault is: one small wrong edit of a right text, its kind and its class."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Category = Literal["parallelism", "memory", "instruction"]
Class = Literal[
    "bound or guard", "index", "axis or mapping", "staging", "synchronisation", "operand",
    "constant", "type",
]  # fmt: skip

KINDS: dict[str, tuple[Category, Class]] = {
    "off-by-one bound": ("parallelism", "bound or guard"),
    "loop start": ("parallelism", "bound or guard"),
    "loop step": ("parallelism", "bound or guard"),
    "early exit": ("parallelism", "bound or guard"),
    "dropped tail": ("parallelism", "bound or guard"),
    "wrong bound": ("parallelism", "bound or guard"),
    "dropped guard": ("parallelism", "bound or guard"),
    "wrong comparison": ("parallelism", "bound or guard"),
    "guard operand": ("parallelism", "bound or guard"),
    "wrong dimension": ("parallelism", "axis or mapping"),
    "wrong axis": ("parallelism", "axis or mapping"),
    "dropped axis": ("parallelism", "axis or mapping"),
    "launch size": ("parallelism", "axis or mapping"),
    "swapped launch": ("parallelism", "axis or mapping"),
    "missing barrier": ("parallelism", "synchronisation"),
    "missing wait": ("parallelism", "synchronisation"),
    "missing atomic": ("parallelism", "synchronisation"),
    "off-by-one index": ("memory", "index"),
    "dropped index term": ("memory", "index"),
    "wrong stride": ("memory", "index"),
    "swapped indices": ("memory", "index"),
    "wrong array": ("memory", "index"),
    "missing copy": ("memory", "staging"),
    "copy size": ("memory", "staging"),
    "copy direction": ("memory", "staging"),
    "copy offset": ("memory", "staging"),
    "allocation size": ("memory", "staging"),
    "tile size": ("memory", "staging"),
    "memory space": ("memory", "staging"),
    "missing initialisation": ("memory", "staging"),
    "wrong instruction": ("instruction", "operand"),
    "swapped operands": ("instruction", "operand"),
    "wrong operand": ("instruction", "operand"),
    "instruction length": ("instruction", "operand"),
    "wrong mask": ("instruction", "operand"),
    "wrong lane": ("instruction", "operand"),
    "wrong operator": ("instruction", "operand"),
    "dropped term": ("instruction", "operand"),
    "dropped statement": ("instruction", "operand"),
    "swapped choice": ("instruction", "operand"),
    "wrong constant": ("instruction", "constant"),
    "wrong width": ("instruction", "constant"),
    "narrowed type": ("instruction", "type"),
    "dropped cast": ("instruction", "type"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `text[start:end]` by `new`; `kind` says what mistake (or what remedy) that is."""

    kind: str
    start: int
    end: int
    new: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a text: its kind, its class, the line it stands in, and what was done."""

    kind: str
    cls: Class
    line: int
    description: str

    @property
    def category(self) -> Category:
        return KINDS[self.kind][0]


@dataclass(frozen=True, slots=True)
class Faulty:
    """A text with faults (fewer than asked for where no more could be made).

    `edits` are those of the right text that made them.
    """

    text: str
    faults: list[Fault] = field(default_factory=list)
    edits: tuple[Edit, ...] = ()


@cache
def table() -> dict[str, Any]:
    """The words that are taken for one another (`words.toml`)."""
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
