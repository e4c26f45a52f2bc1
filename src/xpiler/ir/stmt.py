"""Statements: structured control flow, parallel constructs, instructions with effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from xpiler.diagnostics import SourceLoc
from xpiler.ir.expr import BinaryOp, Expr, Var

Space = Literal["local", "shared", "constant", "global", "nram", "wram"]
LoopKind = Literal["serial", "parallel", "unrolled", "vectorised", "pipelined", "kept"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stmt:
    """Base: where it came from and the user's comments above it (and beside it, last)."""

    loc: SourceLoc | None = field(default=None, compare=False)
    comments: tuple[str, ...] = field(default=(), compare=False)


Body = tuple[Stmt, ...]


@dataclass(frozen=True, slots=True)
class Decl(Stmt):
    """A variable. Undefined until assigned when `init` is None.

    `shared`: one per block (`dynamic`: starts at the base of the launch's dynamic shared memory).
    `local` in a kernel: one per thread. `static`: keeps its value (host code only).
    `nram`, `wram`: memories that one core addresses by itself, for vectors and for weights.
    `zeroed` is never implied.
    """

    var: Var
    init: Expr | None = None
    space: Space = "local"
    dynamic: bool = False
    align: int = 0
    const: bool = False


@dataclass(frozen=True, slots=True)
class Assign(Stmt):
    """`target op= value`; op "" is plain assignment. `target` is a place, `value` has its type."""

    target: Expr
    value: Expr
    op: BinaryOp | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class For(Stmt):
    """`for (T var = lo; var < hi; var += step)`; step is loop-invariant and positive.

    The body never assigns `var`; `hi` and `step` do not change while it runs. `kind` parallel: the
    iterations are independent. `vectorised`, after lowering: they are, but for the `reductions`
    (`+`, `|`, `max`, ... and the outer scalar), and a compiler may run them in lanes.
    `kept`: serial, and no axis of a target is to take it.
    `unroll` is the user's factor (0: none given, -1: whole). `claimed`: the user says that the
    iterations are independent; nobody has checked it.
    """

    var: Var
    lo: Expr
    hi: Expr
    step: Expr
    body: Body
    kind: LoopKind = "serial"
    unroll: int = 0
    reductions: tuple[tuple[str, Var], ...] = ()
    claimed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class While(Stmt):
    """`for (; cond; step) body`, or with `do` the body first. `continue` runs `step`.

    Any loop that is no `For`; C's for-init stands before it, in an enclosing `Scope`.
    """

    cond: Expr
    body: Body
    step: Body = ()
    do: bool = False
    unroll: int = 0


@dataclass(frozen=True, slots=True)
class If(Stmt):
    cond: Expr
    then: Body
    orelse: Body = ()


@dataclass(frozen=True, slots=True)
class Scope(Stmt):
    """`{ ... }`; scopes matter to printing only, since names are unique."""

    body: Body


@dataclass(frozen=True, slots=True)
class Case:
    """One arm of a switch: its values, or () for default. It never falls through."""

    values: tuple[int, ...]
    body: Body


@dataclass(frozen=True, slots=True)
class Switch(Stmt):
    """A switch without fall-through (the front end copies the tail).

    `Break` leaves it; the one that ends an arm is not written.
    """

    value: Expr
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Break(Stmt):
    pass


@dataclass(frozen=True, slots=True)
class Continue(Stmt):
    pass


@dataclass(frozen=True, slots=True)
class Return(Stmt):
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Eval(Stmt):
    """A call evaluated for its effects (a device or host function)."""

    call: Expr


@dataclass(frozen=True, slots=True)
class Barrier(Stmt):
    """All threads of the scope arrive before any goes on; memory of that scope is ordered."""

    scope: Literal["block", "warp", "grid"] = "block"


@dataclass(frozen=True, slots=True)
class Instr(Stmt):
    """An instruction with effects or with a collective meaning, by its neutral name.

    `outs` are places that it writes (may be empty), `ins` its operands. The names are in
    `intrinsics.toml`: warp.*, block.*, mat.*, mma.*, mfma.*, atomic.*, async.*, host.*, print, ...
    """

    name: str
    outs: tuple[Expr, ...] = ()
    ins: tuple[Expr, ...] = ()
    attrs: tuple[tuple[str, str | int], ...] = ()

    def attr(self, key: str, default: str | int = "") -> str | int:
        return dict(self.attrs).get(key, default)


@dataclass(frozen=True, slots=True)
class Launch(Stmt):
    """A kernel launch from host code; grid and block are three u32 expressions each."""

    kernel: str
    grid: tuple[Expr, Expr, Expr]
    block: tuple[Expr, Expr, Expr]
    args: tuple[Expr, ...]
    shared_bytes: Expr | None = None
    cooperative: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut(Stmt):
    """Text that was not understood: kept as a marked comment; `code` is the diagnostic's number.

    `essential` is False where leaving it out cannot change results (timing, prints on error paths).
    """

    text: str
    code: str
    essential: bool = True
