"""What inference gives: how to run an entry, as concrete cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from xpiler.diagnostics import Diagnostic
from xpiler.ir.expr import Expr
from xpiler.ir.program import Function
from xpiler.ir.types import Type


@dataclass(frozen=True, slots=True)
class BufferPlan:
    """One pointer parameter: `count` elements of `elem`; `bounds`: inclusive, of its values.

    `guessed`: nobody said the count, it may be more than the program reaches. `fields`: what is
    known of integers in structs, as `x.first`, a buffer of their count for every struct.
    `ascending`: each value is at least the one before, as where rows of many lengths begin.
    """

    name: str
    elem: Type
    count: int
    role: str
    bounds: tuple[float, float] | None = None
    is_index: bool = False
    distinct: bool = False
    guessed: bool = False
    fields: tuple[BufferPlan, ...] = ()
    ascending: bool = False

    @property
    def has_indices(self) -> bool:
        """Whether what it holds addresses something."""
        return self.is_index or any(f.is_index for f in self.fields)


@dataclass(frozen=True, slots=True)
class Case:
    """One way to run the entry: values of all scalars, extents of all buffers, the launch."""

    scalars: Mapping[str, int | float]
    buffers: tuple[BufferPlan, ...]
    grid: tuple[int, int, int] = (1, 1, 1)
    block: tuple[int, int, int] = (1, 1, 1)
    shared_bytes: int = 0
    given: bool = False

    def describe(self) -> str:
        """The sizes in one line, for reports."""
        return ", ".join(f"{k}={v}" for k, v in self.scalars.items()) or "fixed sizes"


@dataclass(frozen=True, slots=True)
class ShapeExprs:
    """The launch of a lone kernel in terms of its parameters; None: the caller must say it."""

    grid: tuple[Expr | None, Expr | None, Expr | None]
    block: tuple[Expr | None, Expr | None, Expr | None]
    shared_bytes: Expr | None = None


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """How one entry is run: `kind` kernel or function, at least one case.

    `aligned` are cases whose sizes are multiples of 16, for programs with wide accesses. `further`
    are cases that would show more, of which it is not known whether the source is made for them:
    they count where it runs without a fault. `free` are the sizes that nobody gave, `free_launch`
    says whether nobody gave the launch shape either: those were guessed.
    """

    entry: Function
    kind: str
    cases: tuple[Case, ...]
    shape: ShapeExprs | None = None
    notes: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    aligned: tuple[Case, ...] = ()
    further: tuple[Case, ...] = ()
    free: tuple[str, ...] = ()
    free_launch: bool = False

    def with_buffers(self, changed: Callable[[BufferPlan, Case], BufferPlan]) -> EntryPlan:
        """The plan with each buffer of each case as `changed` has it."""

        return self._with(lambda c: replace(c, buffers=tuple(changed(b, c) for b in c.buffers)))

    def with_scalars(self, values: Mapping[str, int | float]) -> EntryPlan:
        """The plan with these scalars, sizes no longer, in each case."""
        free = tuple(n for n in self.free if n not in values)
        plan = self._with(lambda c: replace(c, scalars={**c.scalars, **values}))
        return replace(plan, free=free)

    def _with(self, changed: Callable[[Case], Case]) -> EntryPlan:
        lists = (tuple(map(changed, x)) for x in (self.cases, self.aligned, self.further))
        cases, aligned, further = lists
        return replace(self, cases=cases, aligned=aligned, further=further)
