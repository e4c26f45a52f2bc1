"""Device functions that combine one value of every thread of a block."""

from __future__ import annotations

from xpiler.analysis.reductions import Reduction
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function
from xpiler.ir.types import BOOL, I32, U32, U64, Pointer, Scalar
from xpiler.passes.lowering.simt import words as w
from xpiler.passes.lowering.simt.context import Lowering, Unfit

SHUFFLED = ("i32", "u32", "i64", "u64", "f32", "f64", "f16")
"""Types that every platform shuffles."""

_NAMES = {
    "+": "sum", "*": "product", "min": "min", "max": "max", "<": "min", "<=": "min",
    ">": "max", ">=": "max", "&": "and", "|": "or", "^": "xor", "&&": "all", "||": "any",
}  # fmt: skip


def fits(r: Reduction) -> bool:
    """Whether the threads of a block can share the work on this accumulator."""
    t = r.var.type
    if not isinstance(t, Scalar):
        return False
    if r.place is not None:
        return r.op in ("<", ">") and isinstance(r.place.type, Scalar)
    return t.name in SHUFFLED and r.op in _NAMES and r.op not in ("<=", ">=")


def declare(low: Lowering, r: Reduction) -> None:
    """Record what sharing the work on `r` takes for granted."""
    name = r.var.name.split(".")[0]
    t = r.var.type
    if isinstance(t, Scalar) and t.is_float and r.op in ("+", "*"):
        low.assume(f"{name} may be {'summed' if r.op == '+' else 'multiplied'} in another order")
    if r.loose:
        low.assume(f"{name} takes no NaN")


def start(r: Reduction) -> e.Expr:
    """What every thread starts from: an identity, or what has been found already."""
    t = r.var.type
    assert isinstance(t, Scalar)
    if r.op in ("+", "|", "^"):
        return e.Const(0.0 if t.is_float else 0, t)
    if r.op == "*":
        return e.Const(1.0 if t.is_float else 1, t)
    return r.var


def combined(op: str, a: e.Expr, b: e.Expr) -> e.Expr:
    """`a op b`, where `b` came later."""
    if op in ("<", ">"):
        return e.Select(e.compare(op, b, a), b, a, a.type)  # type: ignore[arg-type]
    if op in ("min", "max"):
        return e.Call(op, (a, b), a.type)
    if op in ("&&", "||"):
        return w.cast(e.Binary(op, w.cast(a, BOOL), w.cast(b, BOOL), BOOL), a.type)  # type: ignore[arg-type]
    return e.Binary(op, a, b, a.type)  # type: ignore[arg-type]


def gathered(r: Reduction, total: e.Expr) -> e.Expr:
    """The accumulator after the loop, given the combination of all threads' parts."""
    if r.op in ("+", "*", "|", "^"):
        return e.Binary(r.op, r.var, total, r.var.type)  # type: ignore[arg-type]
    return total


def helper(low: Lowering, r: Reduction) -> str:
    """The name of the device function for `r`, made when first asked for."""
    t = r.var.type
    if not isinstance(t, Scalar) or not fits(r):
        raise Unfit(f"values of type {t} are not combined across threads")
    suffix = "" if t.name == "f32" else f"_{t.name}"
    strict = r.op in ("<", ">")
    name = f"block_{_NAMES[r.op]}{'_of' if strict and t.is_float else ''}{suffix}"
    if name not in low.helpers:
        low.names.add(name)
        low.helpers[name] = _function(low, name, r.op, t)
    return name


def _function(low: Lowering, name: str, op: str, t: Scalar) -> Function:
    wave = low.machine.wave
    value, scratch = e.Var("value", t), e.Var("scratch", Pointer(t))
    step, other, k = e.Var("step", I32), e.Var("other", t), e.Var("k", I32)
    full = e.Const((1 << wave) - 1, U64 if wave == 64 else U32,
                   "0xffffffffu" if wave == 32 else "0xffffffffffffffffull")  # fmt: skip
    tid = e.Axis("thread", "x")
    shuffle = s.Instr(
        "warp.shfl_down", (other,), (full, value, w.cast(step, U32), w.const(wave, I32))
    )
    loop = s.While(
        e.compare(">", step, w.const(0, I32)),
        (s.Decl(other), shuffle, s.Assign(value, combined(op, value, other))),
        (s.Assign(step, w.const(2, I32), "/"),),
    )
    width = w.u32(wave)
    first = e.compare("==", e.Binary("%", tid, width, U32), w.u32(0))
    own = e.Index(scratch, e.Binary("/", tid, width, U32), t)
    waves = w.cast(e.Binary("/", e.Axis("block_dim", "x"), width, U32), I32)
    again = s.For(
        k, w.const(1, I32), waves, w.const(1, I32),
        (s.Assign(value, combined(op, value, e.Index(scratch, k, t))),),
    )  # fmt: skip
    body: s.Body = (
        s.Scope((s.Decl(step, w.const(wave // 2, I32)), loop)),
        s.If(first, (s.Assign(own, value),)),
        s.Barrier(),
        s.Assign(value, e.Index(scratch, w.const(0, I32), t)),
        again,
        s.Barrier(),
        s.Return(value),
    )
    note = f"What all threads of the block give, combined; `scratch` has a place for each {wave}."
    return Function(name, (value, scratch), body, t, "device", static=True, comments=(note,))
