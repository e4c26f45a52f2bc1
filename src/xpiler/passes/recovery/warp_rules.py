"""Expansion of what the lanes of a warp do together: shuffles, votes, reductions."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import BOOL, I32, U32, U64, Scalar, Type
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.collectives import Expansion, Unsupported, converted, truth
from xpiler.passes.recovery.formula import formula, simplify
from xpiler.passes.recovery.shape import constant

LANE = e.Axis("lane", "")


@cache
def semantics(name: str) -> dict[str, Any]:
    """A table of `platforms/_simt/semantics`."""
    text = files("xpiler.platforms._simt").joinpath("semantics", f"{name}.toml")
    return tomllib.loads(text.read_text(encoding="utf-8"))


def wave(x: Expansion) -> int:
    return x.facts.extents.wave


def bits_type(x: Expansion) -> Scalar:
    """The type of a set of lanes."""
    return U64 if wave(x) > 32 else U32


def everybody(x: Expansion, mask: e.Expr) -> bool:
    """Whether a mask operand names all lanes."""
    value = constant(mask)
    whole = (1 << wave(x)) - 1
    if value is None:
        return isinstance(mask, e.Unary) and mask.op == "~" and constant(mask.x) == 0
    return value & whole == whole


def lane_bit(x: Expansion, lane: e.Expr = LANE) -> e.Expr:
    t = bits_type(x)
    return e.Binary("<<", e.Const(1, t), lane, t)


def named(x: Expansion, mask: e.Expr, lane: e.Expr) -> e.Expr | None:
    """Whether `mask` names `lane`; None for a mask that names all."""
    if everybody(x, mask):
        return None
    t = bits_type(x)
    bit = e.Binary("&", e.Binary(">>", converted(mask, t), lane, t), e.Const(1, t), t)
    return e.Binary("!=", bit, e.Const(0, t), BOOL)


def exchanged(x: Expansion, value: e.Expr) -> tuple[s.Body, e.Var]:
    """Every lane puts `value` where the others can read it."""
    var = x.var("exchange", value.type)
    x.exchanges.add(var.name)
    put = x.each(s.Assign(var, value, loc=x.instr.loc))
    return (s.Decl(var), put, n.Split(x.facts.level, exchange=True)), var


def shuffle(x: Expansion) -> s.Body:
    """A lane reads the value of another one."""
    kind = x.instr.name.split(".")[1]
    _, value, arg, width = x.instr.ins
    head, var = exchanged(x, value)
    names = {"lane": LANE, "arg": unsigned(arg), "width": unsigned(width)}
    source = simplify(formula(semantics("warp")["shuffle"][kind], names), wave(x))
    return (*head, *x.give(n.LaneRead(var, source, value.type)))


def unsigned(v: e.Expr) -> e.Expr:
    if isinstance(v, e.Const):
        return e.Const(int(v.value) & 0xFFFFFFFF, U32, v.text)
    return converted(v, U32)


def lanes_where(x: Expansion, cond: e.Expr | None) -> tuple[s.Body, e.Var]:
    """The set of the lanes that take part and for which `cond` holds."""
    bits = x.var("lanes", bits_type(x))
    add: s.Stmt = s.Assign(bits, lane_bit(x), "|")
    step = add if cond is None else s.If(cond, (add,))
    head = (x.once(s.Decl(bits, e.Const(0, bits.type))), x.gather(bits, step), x.split())
    return head, bits


def restricted(x: Expansion, bits: e.Expr, mask: e.Expr) -> e.Expr:
    if everybody(x, mask):
        return bits
    return e.Binary("&", bits, converted(mask, bits_type(x)), bits_type(x))


def ballot(x: Expansion) -> s.Body:
    mask, pred = x.instr.ins
    head, bits = lanes_where(x, truth(pred))
    return (*head, *x.give(restricted(x, bits, mask)))


def active(x: Expansion) -> s.Body:
    head, bits = lanes_where(x, None)
    return (*head, *x.give(bits))


def vote(x: Expansion, all_of: bool) -> s.Body:
    """any, all: a flag where the mask names all lanes, else the set of lanes that decide."""
    mask, pred = x.instr.ins
    decides = n.negate(truth(pred)) if all_of else truth(pred)
    if everybody(x, mask):
        flag = x.var("all" if all_of else "any", I32)
        hit = s.If(decides, (s.Assign(flag, n.const(int(not all_of))),))
        start = x.once(s.Decl(flag, n.const(int(all_of))))
        return (start, x.gather(flag, hit), x.split(), *x.give(flag))
    head, bits = lanes_where(x, decides)
    hit_by = restricted(x, bits, mask)
    test = e.Binary("==" if all_of else "!=", hit_by, e.Const(0, hit_by.type), BOOL)
    return (*head, *x.give(test))


def limits(t: Type) -> dict[str, e.Expr]:
    """Names that the `start` of a reduction may use."""
    assert isinstance(t, Scalar)
    if t.is_float:
        inf = e.Const(float("inf"), t, "INFINITY")
        return {"largest": inf, "smallest": e.Unary("-", inf, t)}
    top = (1 << (t.bits - t.is_signed)) - 1
    return {"largest": e.Const(top, t), "smallest": e.Const(-top - 1 if t.is_signed else 0, t)}


def reduction(x: Expansion) -> s.Body:
    """All lanes named by the mask get the reduction of their values, in the order of the lanes."""
    rule = semantics("warp")["reduce"].get(x.instr.name.removeprefix("warp.reduce_"))
    if rule is None:
        raise Unsupported(x.instr, f"no meaning is known for {x.instr.name}")
    mask, value = x.instr.ins
    if everybody(x, mask) or x.facts.uniform(mask):
        return _shared_reduction(x, rule, mask, value)
    head, var = exchanged(x, value)
    acc, other = x.var("acc", value.type), x.var("other", U32)
    who, bits = lanes_where(x, None)
    inside = named(x, e.Binary("&", bits, converted(mask, bits.type), bits.type), other)
    step = _step(rule, acc, n.LaneRead(var, other, value.type))
    body = (s.If(inside, (step,)),) if inside is not None else (step,)
    start = s.Decl(acc, formula(rule["start"], limits(value.type), value.type))
    return (*who, *head, x.each(start, each_lane(x, other, body)), *x.give(acc))


def _step(rule: Mapping[str, str], acc: e.Var, v: e.Expr) -> s.Stmt:
    new = formula(rule["step"], {"acc": acc, "v": v}, acc.type)
    if isinstance(new, e.Binary) and new.a == acc:
        return s.Assign(acc, new.b, new.op)
    assert isinstance(new, e.Select)
    return s.If(new.cond, (s.Assign(acc, v),))


def _shared_reduction(x: Expansion, rule: Mapping[str, str], mask: e.Expr, value: e.Expr) -> s.Body:
    acc = x.var("acc", value.type)
    start = formula(rule["start"], limits(value.type), value.type)
    step = _step(rule, acc, value)
    inside = named(x, mask, LANE)
    add = step if inside is None else s.If(inside, (step,))
    return (x.once(s.Decl(acc, start)), x.gather(acc, add), x.split(), *x.give(acc))


def each_lane(x: Expansion, lane: e.Var, body: s.Body) -> s.For:
    end = e.Const(wave(x), U32)
    return s.For(lane, e.Const(0, U32), end, e.Const(1, U32), body)


def match(x: Expansion, all_of: bool) -> s.Body:
    """The lanes named by the mask that hold the same value."""
    mask, value = x.instr.ins
    who, bits = lanes_where(x, None)
    head, var = exchanged(x, value)
    t = bits_type(x)
    mine, other = x.var("same", t), x.var("other", U32)
    among = restricted(x, bits, mask)
    equal = e.Binary("==", n.LaneRead(var, other, value.type), value, BOOL)
    inside = named(x, among, other)
    assert inside is not None
    hit = s.If(n.both(inside, equal), (s.Assign(mine, lane_bit(x, other), "|"),))
    search = x.each(s.Decl(mine, e.Const(0, t)), each_lane(x, other, (hit,)))
    if not all_of:
        return (*who, *head, search, *x.give(mine))
    whole = e.Binary("==", mine, among, BOOL)
    result = e.Select(whole, among, e.Const(0, t), t)
    return (*who, *head, search, *x.give(result), *x.give(whole, 1))


def first_lane(x: Expansion) -> tuple[s.Body, e.Expr]:
    """The number of the first lane that takes part."""
    if x.mask is None:
        return (), e.Const(0, U32)
    first = x.var("first", U32)
    none = e.Const(wave(x), U32)
    hit = s.If(e.Binary("==", first, none, BOOL), (s.Assign(first, LANE),))
    return (x.once(s.Decl(first, none)), x.gather(first, hit), x.split()), first


def broadcast(x: Expansion) -> s.Body:
    value = x.instr.ins[0]
    find, first = first_lane(x)
    head, var = exchanged(x, value)
    return (*find, *head, *x.give(n.LaneRead(var, first, value.type)))


def data_parallel(x: Expansion) -> s.Body:
    """AMD's DPP moves: lanes without a source keep `old`, or take 0 with bound_ctrl."""
    ctrl = int(x.instr.attr("ctrl", -1))
    rule = next((r for r in semantics("warp")["dpp"] if r["first"] <= ctrl <= r["last"]), None)
    if rule is None:
        raise Unsupported(x.instr, f"DPP control {ctrl:#x} has no known meaning")
    old, value = x.instr.ins
    names = {"lane": LANE, "ctrl": e.Const(ctrl, U32), "wave": e.Const(wave(x), U32)}
    source = simplify(formula(rule["source"], names), wave(x))
    head, var = exchanged(x, value)
    valid = simplify(e.Binary("<", source, e.Const(wave(x), U32), BOOL), wave(x))
    whole = isinstance(valid, e.Const)
    if not whole and isinstance(source, e.Select):
        # Outside the select's first side there is no lane to read.
        valid, source = source.cond, source.a
    read: e.Expr = n.LaneRead(var, source, value.type)
    bound = int(x.instr.attr("bound_ctrl", 0)) or x.instr.attr("bound_ctrl") == "true"
    other = e.Const(0, value.type) if bound else old
    if not whole:
        read = e.Select(valid, read, other, value.type)
    return (*head, *x.give(_row_masked(x, read, old)))


def _row_masked(x: Expansion, read: e.Expr, old: e.Expr) -> e.Expr:
    """Rows of 16 lanes and banks of 4 that the masks leave out keep `old`."""
    row, bank = int(x.instr.attr("row_mask", 15)), int(x.instr.attr("bank_mask", 15))
    if row == 15 and bank == 15:
        return read
    parts = [(row, "lane / 16"), (bank, "lane / 4 % 4")]
    text = " && ".join(f"(({m} >> ({k})) & 1) != 0" for m, k in parts if m != 15)
    inside = simplify(formula(text, {"lane": LANE}), wave(x))
    return e.Select(inside, read, old, read.type)


WARP_RULES: dict[str, Callable[[Expansion], s.Body]] = {
    "warp.shfl": shuffle,
    "warp.shfl_up": shuffle,
    "warp.shfl_down": shuffle,
    "warp.shfl_xor": shuffle,
    "warp.ballot": ballot,
    "warp.any": lambda x: vote(x, False),
    "warp.all": lambda x: vote(x, True),
    "warp.activemask": active,
    "warp.match_any": lambda x: match(x, False),
    "warp.match_all": lambda x: match(x, True),
    "warp.broadcast_first": broadcast,
    "warp.dpp": data_parallel,
}


def warp_rule(name: str) -> Callable[[Expansion], s.Body] | None:
    """The expansion of a warp-level instruction, or None."""
    return reduction if name.startswith("warp.reduce_") else WARP_RULES.get(name)
