"""Matrix fragments of a warp as tiles: `T tile[rows * cols]`, row by row, shared by its lanes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import rewrite_exprs
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Fragment, Scalar, Type
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.collectives import Expansion, converted
from xpiler.passes.recovery.warp_rules import exchanged, first_lane

LANE = e.Axis("lane", "")


def tile_type(t: Type) -> Type:
    """A fragment as the array that holds its elements."""
    if isinstance(t, Fragment):
        rows, cols = t.shape
        return Array(t.elem, rows * cols)
    return Array(tile_type(t.elem), t.size) if isinstance(t, Array) else t


def as_tiles(body: s.Body) -> s.Body:
    """`body` with the types of fragments replaced by those of their tiles."""

    def one(x: e.Expr) -> e.Expr:
        if not n.is_fragment(x.type) or not isinstance(x, (e.Var, e.Index)):
            return x
        return replace(x, type=tile_type(x.type))

    new: s.Body = rewrite_exprs(body, one)
    return new


def fragment_names(body: s.Body) -> set[str]:
    """Variables of `body` that are fragments or arrays of them."""
    decls = (st for st in n.statements(body) if isinstance(st, s.Decl))
    return {st.var.name for st in decls if n.is_fragment(st.var.type)}


def lane_elements(x: e.Expr, wave: int) -> e.Expr:
    """`f.x[i]` of a lane as an element of the tile: lane l holds l * count .. + count - 1.

    The layout of a fragment is opaque, so any will do that every fragment of a shape has.
    """
    if not isinstance(x, e.Index) or not isinstance(x.base, e.Field):
        return x
    f = x.base.base
    if not isinstance(f.type, Fragment):
        return x
    t = x.index.type
    first = e.Binary("*", converted(LANE, t), e.Const(f.type.count(wave), t), t)
    return e.Index(f, e.Binary("+", first, x.index, t), x.type)


def element(tile: e.Expr, row: e.Expr, col: e.Expr, cols: int, t: Type) -> e.Expr:
    """`tile[row * cols + col]`."""
    start = e.Binary("*", row, e.Const(cols, row.type), row.type)
    return e.Index(tile, e.Binary("+", start, col, row.type), t)


def loops(vars_: list[tuple[e.Var, int]], body: s.Body) -> s.Body:
    """Nested counting loops from 0, the first outermost."""
    for var, size in reversed(vars_):
        zero, one = e.Const(0, var.type), e.Const(1, var.type)
        body = (s.For(var, zero, e.Const(size, var.type), one, body),)
    return body


def group_value(x: Expansion, value: e.Expr) -> tuple[s.Body, e.Expr]:
    """An operand that the instruction's rules make the same in all lanes, for the group."""
    if x.facts.uniform(value):
        return (), value
    find, first = first_lane(x)
    head, var = exchanged(x, value)
    return (*find, *head), n.LaneRead(var, first, value.type)


def group_does(x: Expansion, *body: s.Stmt) -> s.Body:
    """`body` once for the warp, if it takes part."""
    if x.mask is None:
        return (x.once(*body), x.split())
    some = x.var("any", BOOL)
    hit = s.Assign(some, n.TRUE)
    start = x.once(s.Decl(some, n.FALSE))
    return (start, x.gather(some, hit), x.split(), x.once(s.If(some, tuple(body))), x.split())


def fragment(x: e.Expr) -> Fragment:
    assert isinstance(x.type, Fragment)
    return x.type


def fill(x: Expansion) -> s.Body:
    target = x.instr.outs[0]
    f = fragment(target)
    rows, cols = f.shape
    head, value = group_value(x, x.instr.ins[0])
    i = x.var("i", I32)
    put = s.Assign(e.Index(target, i, f.elem), converted(value, f.elem), loc=x.instr.loc)
    return (x.split(), *head, *group_does(x, *loops([(i, rows * cols)], (put,))))


def _moved(x: Expansion, pointer: e.Expr, tile: e.Expr, ld: e.Expr, load: bool) -> s.Body:
    """The copy between a tile and memory with a leading dimension."""
    f = fragment(tile)
    layout = x.instr.attr("layout") or f.layout or "row"
    head, base = group_value(x, _decayed(pointer))
    more, stride = group_value(x, ld)
    rows, cols = f.shape
    r, c = x.var("r", stride.type), x.var("c", stride.type)
    major, minor = (c, r) if layout == "col" else (r, c)
    start = e.Binary("*", major, stride, stride.type)
    place = e.Index(base, e.Binary("+", start, minor, stride.type), _pointee(base))
    own = element(tile, r, c, cols, f.elem)
    ends = (own, place) if load else (place, own)
    copy = s.Assign(ends[0], converted(ends[1], ends[0].type), loc=x.instr.loc)
    order = [(c, cols), (r, rows)] if layout == "col" else [(r, rows), (c, cols)]
    return (x.split(), *head, *more, *group_does(x, *loops(order, (copy,))))


def _decayed(pointer: e.Expr) -> e.Expr:
    """An array as the pointer to its first element, from which all memory behind it is reached."""
    if not isinstance(pointer.type, Array):
        return pointer
    return e.address_of(e.Index(pointer, e.Const(0, U32), pointer.type.elem))


def _pointee(pointer: e.Expr) -> Type:
    t = pointer.type
    assert hasattr(t, "elem")
    found: Type = t.elem
    return found


def load(x: Expansion) -> s.Body:
    return _moved(x, x.instr.ins[0], x.instr.outs[0], x.instr.ins[1], True)


def store(x: Expansion) -> s.Body:
    return _moved(x, x.instr.ins[0], x.instr.ins[1], x.instr.ins[2], False)


def sum_type(t: Scalar) -> Scalar:
    """The type in which products are added: halves are added as f32."""
    return F32 if t.name in ("f16", "bf16") else t


def to_tf32(x: e.Expr) -> e.Expr:
    """The value of a TF32 operand: the lowest 13 bits of an f32 are not looked at (PTX ISA)."""
    mask = e.Const(0xFFFFE000, U32)
    return e.Bits(e.Binary("&", e.Bits(x, U32), mask, U32), F32)


def multiply(x: Expansion) -> s.Body:
    """d = a * b + c on whole tiles."""
    d, (a, b, c) = x.instr.outs[0], x.instr.ins
    f = fragment(d)
    sizes = (f.m, f.n, f.k)
    elems = (fragment(a).elem, fragment(b).elem, fragment(c).elem, f.elem)
    # Single-precision operands of a 32-wide warp are TF32; 64-wide waves multiply f32 as it is.
    short = x.facts.extents.wave == 32 and elems[0] == F32
    body = product(x, (a, b, c, d), sizes, elems, operand=to_tf32 if short else None)
    return (x.split(), *group_does(x, *body))


def product(
    x: Expansion,
    tiles: tuple[e.Expr, e.Expr, e.Expr, e.Expr],
    sizes: tuple[int, int, int],
    elems: tuple[Scalar, Scalar, Scalar, Scalar],
    blocks: int = 1,
    operand: Callable[[e.Expr], e.Expr] | None = None,
) -> s.Body:
    """Loops for d = a * b + c, row by row; `blocks` independent products one after the other."""
    a, b, c, d = tiles
    m, cols, depth = sizes
    t = sum_type(elems[3])
    i, j, k, block = (x.var(v, I32) for v in ("i", "j", "k", "block"))
    total = x.var("sum", t)

    def at(tile: e.Expr, row: e.Expr, col: e.Expr, shape: tuple[int, int], u: Scalar) -> e.Expr:
        if blocks > 1:
            start = e.Binary("*", block, e.Const(shape[0], I32), I32)
            row = e.Binary("+", start, row, I32)
        return element(tile, row, col, shape[1], u)

    view = operand or (lambda x: x)
    left = converted(view(at(a, i, k, (m, depth), elems[0])), t)
    right = converted(view(at(b, k, j, (depth, cols), elems[1])), t)
    add = s.Assign(total, e.Binary("*", left, right, t), "+", loc=x.instr.loc)
    inner = (
        s.Decl(total, converted(at(c, i, j, (m, cols), elems[2]), t)),
        *loops([(k, depth)], (add,)),
        s.Assign(at(d, i, j, (m, cols), elems[3]), converted(total, elems[3])),
    )
    nest = [(i, m), (j, cols)]
    return loops([(block, blocks), *nest] if blocks > 1 else nest, inner)


def copy_tile(x: s.Assign, taken: Callable[[str, Type], e.Var]) -> s.Body:
    """`f = g` for fragments."""
    f = fragment(x.target)
    rows, cols = f.shape
    i = taken("i", U32)
    body = (s.Assign(e.Index(x.target, i, f.elem), e.Index(x.value, i, f.elem), loc=x.loc),)
    return loops([(i, rows * cols)], body)


TILE_RULES: dict[str, Callable[[Expansion], s.Body]] = {
    "mat.fill": fill,
    "mat.load": load,
    "mat.store": store,
    "mat.mma": multiply,
}
