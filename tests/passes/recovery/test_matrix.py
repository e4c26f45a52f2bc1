"""Matrix instructions: fragments as tiles, register layouts as the manuals give them."""

from __future__ import annotations

import random

import pytest
from compare import raised
from ir_words import TX, at, c, let, loop, op, program, put, var
from simt_interp import Buffer, Machine, Ptr

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.text import show_program
from xpiler.ir.types import F32, U32, Array, Fragment, Pointer, Type, Vector
from xpiler.passes.recovery import LaunchShape, recover
from xpiler.passes.recovery.formula import evaluate, formula
from xpiler.passes.recovery.warp_rules import semantics

FP = Pointer(F32)
A, B, C, N = var("a", FP), var("b", FP), var("c", FP), var("n")


def product(a: list[float], b: list[float], m: int, n: int, k: int) -> list[float]:
    return [sum(a[i * k + t] * b[t * n + j] for t in range(k)) for i in range(m) for j in range(n)]


def integers(count: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [float(rng.randint(-4, 4)) for _ in range(count)]


def run(body: tuple[s.Stmt, ...], args: list[list[float]], wave: int = 32, block: int = 32) -> str:
    p = program(body, (A, B, C), wave)
    new = raised(p, (1, 1, 1), (block, 1, 1))
    Machine(new).invoke(new.function("k"), [Ptr(Buffer(x), 0) for x in args])
    return show_program(new)


def test_fragments_are_tiles() -> None:
    fa = e.Var("fa", Fragment("a", 16, 16, 16, F32, "row"))
    fb = e.Var("fb", Fragment("b", 16, 16, 16, F32, "col"))
    fc = e.Var("fc", Fragment("acc", 16, 16, 16, F32))
    i = var("i")
    body = (
        s.Decl(fa), s.Decl(fb), s.Decl(fc),
        s.Instr("mat.fill", (fc,), (c(1.0),)),
        s.Instr("mat.load", (fa,), (A, c(16)), (("layout", "row"),)),
        s.Instr("mat.load", (fb,), (B, c(16)), (("layout", "col"),)),
        s.Instr("mat.mma", (fc,), (fa, fb, fc)),
        loop(i, 0, 4, put(at_fragment(fc, i), 2.0, "*")),
        s.Instr("mat.store", (), (C, fc, c(16)), (("layout", "row"),)),
    )  # fmt: skip
    a, bt, out = integers(256, 1), integers(256, 2), [0.0] * 256
    text = run(body, [a, bt, out], wave=64, block=64)
    b = [bt[j * 16 + t] for t in range(16) for j in range(16)]
    assert out == [2 * (v + 1) for v in product(a, b, 16, 16, 16)]
    assert "fc: f32[256]" in text
    assert "fragment" not in text


def at_fragment(f: e.Var, i: e.Expr) -> e.Expr:
    return e.Index(e.Field(f, "x", Array(F32, 4)), i, F32)


def test_fragments_live_across_block_barriers_once_a_warp() -> None:
    fc = e.Var("fc", Fragment("acc", 16, 16, 16, F32))
    warp = op("/", TX, 32)
    place = e.Binary("+", C, op("*", warp, 256), FP)
    body = (
        s.Decl(fc),
        s.Instr("mat.load", (fc,), (e.Binary("+", A, op("*", warp, 256), FP), c(16))),
        s.Barrier("block"),
        s.Instr("mat.store", (), (place, fc, c(16)), (("layout", "row"),)),
    )
    a, out = integers(512, 3), [0.0] * 512
    text = run(body, [a, [0.0], out], block=64)
    assert out == a
    assert "fc: f32[256][2]" in text


def test_a_warp_number_kept_in_a_variable_needs_no_lane() -> None:
    """`tid = threadIdx.x; warp = tid / 32` and a pointer from it: computed once a warp."""
    kind = Fragment("acc", 16, 16, 16, F32)
    fc = e.Var("fc", Array(kind, 2))
    tid, warp, i, j, q = var("tid"), var("warp"), var("i"), var("j"), var("q", FP)

    def tile(base: e.Var, t: e.Var) -> e.Expr:
        place = op("*", op("+", op("*", warp, 2), t), 256)
        return e.Binary("+", base, place, FP)

    body = (
        let(tid, TX), let(warp, op("/", tid, 32)), s.Decl(fc),
        loop(i, 0, 2, s.Instr("mat.load", (e.Index(fc, i, kind),), (tile(A, i), c(16)))),
        put(at(B, tid), 1.0),
        s.Barrier("block"),
        loop(
            j, 0, 2, let(q, tile(C, j)),
            s.Instr("mat.store", (), (q, e.Index(fc, j, kind), c(16)), (("layout", "row"),)),
        ),
    )  # fmt: skip
    a, out = integers(1024, 5), [0.0] * 1024
    text = run(body, [a, [0.0] * 64, out], block=64)
    assert out == a
    assert "exchange" not in text


@pytest.mark.parametrize("key", sorted(semantics("matrix")["mma"]))
def test_layouts_cover_every_element_once(key: str) -> None:
    """Each tile of an mma shape is spread over the lanes without gap or overlap."""
    shape, _ = key.split(".")
    m, rest = shape[1:].split("n")
    n, k = rest.split("k")
    sizes = {"a": (int(m), int(k)), "b": (int(k), int(n)), "c": (int(m), int(n))}
    lane, i = e.Axis("lane", ""), e.Var("i", U32)
    four = c(4, U32)
    names = {
        "lane": lane, "i": i, "g": e.Binary("/", lane, four, U32),
        "t": e.Binary("%", lane, four, U32),
    }  # fmt: skip
    for operand, (rows, cols) in sizes.items():
        layout = semantics("matrix")["mma"][key][operand]
        found = [
            tuple(
                evaluate(formula(layout[part], names), {lane: x, i: y}) for part in ("row", "col")
            )
            for x in range(32)
            for y in range(layout["count"])
        ]
        assert sorted(found) == [(r, q) for r in range(rows) for q in range(cols)]  # type: ignore[type-var]


MFMA = [
    ("f32_32x32x2f32", 32, 2, 1), ("f32_16x16x4f32", 16, 4, 1), ("f32_32x32x1f32", 32, 1, 2),
    ("f32_16x16x1f32", 16, 1, 4), ("f32_4x4x1f32", 4, 1, 16),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size", "depth", "blocks"), MFMA)
def test_mfma(name: str, size: int, depth: int, blocks: int) -> None:
    """Lane l gives A[l % M][..] and B[..][l % N]; the sum over all lanes' results is exact."""
    held = size * size * blocks // 64
    acc_type = Vector(F32, held)
    acc = e.Var("acc", acc_type)
    i = var("i")
    body = (
        s.Decl(acc, e.Aggregate((), acc_type)),
        s.Instr(f"mfma.{name}", (acc,), (at(A, TX), at(B, TX), acc)),
        loop(i, 0, held, put(at(C, op("+", op("*", TX, held), i)), e.Index(acc, i, F32))),
    )
    a, b, out = integers(64, 5), integers(64, 6), [0.0] * (64 * held)
    run(body, [a, b, out], wave=64, block=64)
    per = size * depth * blocks // 64
    assert per == 1
    total = 0.0
    for blk in range(blocks):
        for k in range(depth):
            lanes = [x for x in range(64) if x // size == (blk if blocks > 1 else k)]
            total += sum(a[x] for x in lanes) * sum(b[x] for x in lanes)
    assert sum(out) == total


def test_mma_on_registers() -> None:
    """m16n8k8 on TF32 registers, loaded as the PTX manual lays them out."""
    g, t = op("/", TX, 4), op("%", TX, 4)
    ra, rb, rc = regs("ra", U32, 4), regs("rb", U32, 2), regs("rc", F32, 4)

    def bits(x: e.Expr) -> e.Expr:
        return e.Bits(x, U32)

    def cell(p: e.Var, row: e.Expr, col: e.Expr, width: int) -> e.Expr:
        return at(p, op("+", op("*", row, width), col))

    body = (
        *(
            s.Decl(ra[k], bits(cell(A, op("+", g, 8 * (k % 2)), op("+", t, 4 * (k // 2)), 8)))
            for k in range(4)
        ),
        *(s.Decl(rb[k], bits(cell(B, op("+", t, 4 * k), g, 8))) for k in range(2)),
        *(let(rc[k], 0.0) for k in range(4)),
        s.Instr("mma.m16n8k8.f32.tf32.tf32.f32", tuple(rc), (*ra, *rb, *rc)),
        *(
            put(cell(C, op("+", g, 8 * (k // 2)), op("+", op("*", t, 2), k % 2), 8), rc[k])
            for k in range(4)
        ),
    )
    a, b, out = integers(128, 7), integers(64, 8), [0.0] * 128
    run(body, [a, b, out])
    assert out == product(a, b, 16, 8, 8)


def regs(name: str, t: Type, count: int) -> list[e.Var]:
    return [e.Var(f"{name}{k}", t) for k in range(count)]


def test_unknown_shapes_are_refused() -> None:
    v = var("v")
    body = (let(v, 0), s.Instr("mma.m9n9k9.f32.f16.f16.f32", (v,), (v, v, v)))
    result = recover(program(body, (A,)), {"k": LaunchShape((1, 1, 1), (32, 1, 1))})
    assert [d.code for d in result.diagnostics] == ["XP0403"]
