"""Short spellings for building programs by hand, and the raised forms of some typical kernels."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import BOOL, F32, I32, U32, Array, Pointer, Type

IN, OUT = Pointer(F32, const=True), Pointer(F32)
ZERO = e.Const(0.0, F32)


def var(name: str, t: Type = I32) -> e.Var:
    return e.Var(name, t)


def c(value: int, t: Type = I32) -> e.Const:
    return e.Const(value, t)


def op(o: e.BinaryOp, a: e.Expr, b: e.Expr | int) -> e.Binary:
    b = c(b, a.type) if isinstance(b, int) else b
    return e.Binary(o, a, b, BOOL if o in e.COMPARISONS | e.LOGICAL else a.type)


def add(a: e.Expr, b: e.Expr | int) -> e.Binary:
    return op("+", a, b)


def mul(a: e.Expr, b: e.Expr | int) -> e.Binary:
    return op("*", a, b)


def lt(a: e.Expr, b: e.Expr | int) -> e.Binary:
    return op("<", a, b)


def both(a: e.Expr, b: e.Expr) -> e.Binary:
    return op("&&", a, b)


def i32(x: e.Expr) -> e.Cast:
    return e.Cast(x, I32)


def u32(x: e.Expr) -> e.Cast:
    return e.Cast(x, U32)


def at(base: e.Expr, *subs: e.Expr) -> e.Expr:
    out = base
    for sub in subs:
        out = e.Index(out, sub, out.type.elem)  # type: ignore[attr-defined]
    return out


def put(target: e.Expr, value: e.Expr, o: str = "") -> s.Assign:
    return s.Assign(target, value, o)  # type: ignore[arg-type]


def choose(cond: e.Expr, a: e.Expr, b: e.Expr = ZERO) -> e.Select:
    return e.Select(cond, a, b, a.type)


def axis(v: e.Var, n: e.Expr | int, *body: s.Stmt) -> s.For:
    """A parallel loop over blocks or threads, as raising writes it."""
    hi = c(n, U32) if isinstance(n, int) else n
    return s.For(v, c(0, U32), hi, c(1, U32), body, "parallel")


def serial(v: e.Var, n: e.Expr | int, *body: s.Stmt, lo: e.Expr | int = 0) -> s.For:
    hi = c(n) if isinstance(n, int) else n
    return s.For(v, c(lo) if isinstance(lo, int) else lo, hi, c(1), body)


def blocks(n: e.Expr, size: int) -> e.Expr:
    """(n + size - 1) / size, as the wrapper's grid."""
    return u32(op("/", add(n, size - 1), size))


def let(name: str, value: e.Expr) -> s.Decl:
    return s.Decl(var(name, value.type), value)


def function(name: str, params: tuple[e.Var, ...], *body: s.Stmt) -> Program:
    return Program((Function(name, params, body),))


A, B, C = var("a", IN), var("b", IN), var("c", OUT)
N, M, K = var("n"), var("m"), var("k_size")
BX, BY = var("block_x", U32), var("block_y", U32)
TX, TY = var("thread_x", U32), var("thread_y", U32)


def thread(axis_name: str, k: int) -> e.Var:
    return var(f"thread_{axis_name}.{k}", U32)


def index(name: str, block: e.Var, size: int, t: e.Var) -> s.Decl:
    """int name = blockIdx * size + threadIdx."""
    return let(name, i32(add(mul(block, size), t)))


def elementwise() -> Program:
    i = var("i")
    body = s.If(lt(i, N), (put(at(C, i), add(at(A, i), at(B, i))),))
    loops = axis(BX, blocks(N, 256), axis(TX, 256, index("i", BX, 256, TX), body))
    return function("add", (A, B, C, N), loops)


def guarded_2d() -> Program:
    """The early-exit form of a two-dimensional guard."""
    row, col = var("row"), var("col")
    place = add(mul(row, N), col)
    out = op("||", op(">=", row, M), op(">=", col, N))
    body = (
        index("row", BY, 16, TY),
        index("col", BX, 16, TX),
        s.If(out, (s.Continue(),)),
        put(at(C, place), at(A, place)),
    )
    inner = axis(TY, 16, axis(TX, 16, *body))
    return function("copy", (A, C, M, N), axis(BY, blocks(M, 16), axis(BX, blocks(N, 16), inner)))


def grid_stride() -> Program:
    i, stride, g = var("i"), var("stride"), var("grid", U32)
    loop = s.For(i, i32(add(mul(BX, 64), TX)), N, stride, (put(at(C, i), at(A, i)),))
    body = axis(TX, 64, let("stride", i32(mul(g, 64))), loop)
    return function("stride", (A, C, N, g), axis(BX, g, body))


def gemm(padded: bool) -> Program:
    """c = a * b through 4 x 4 tiles."""
    tile = Array(Array(F32, 4), 4)
    ta, tb, acc = var("ta", tile), var("tb", tile), var("acc", tile)
    kt, kk = var("kt"), var("kk")
    y = [thread("y", k) for k in range(4)]
    x = [thread("x", k) for k in range(4)]

    def threads(k: int, *body: s.Stmt) -> s.For:
        return axis(y[k], 4, axis(x[k], 4, *body))

    row, col, r, q = var("row"), var("col"), var("row.1"), var("col.1")
    ka, kb = add(mul(kt, 4), i32(x[1])), add(mul(kt, 4), i32(y[1]))
    va, vb = at(A, add(mul(row, K), ka)), at(B, add(mul(kb, N), col))
    store: s.Stmt = put(at(C, add(mul(r, N), q)), at(acc, y[3], x[3]))
    if padded:
        va = choose(both(lt(row, M), lt(ka, K)), va)
        vb = choose(both(lt(kb, K), lt(col, N)), vb)
        store = s.If(both(lt(r, M), lt(q, N)), (store,))
    load = (
        index("row", BY, 4, y[1]), index("col", BX, 4, x[1]),
        put(at(ta, y[1], x[1]), va), put(at(tb, y[1], x[1]), vb),
    )  # fmt: skip
    product = mul(at(ta, y[2], kk), at(tb, kk, x[2]))
    use = serial(kk, 4, put(at(acc, y[2], x[2]), product, "+"))
    tiles = op("/", add(K, 3) if padded else K, 4)
    body = (
        s.Decl(ta), s.Decl(tb), s.Decl(acc),
        threads(0, put(at(acc, y[0], x[0]), ZERO)),
        serial(kt, tiles, threads(1, *load), threads(2, use)),
        threads(3, index("row.1", BY, 4, y[3]), index("col.1", BX, 4, x[3]), store),
    )  # fmt: skip
    gy, gx = (blocks(M, 4), blocks(N, 4)) if padded else (u32(op("/", M, 4)), u32(op("/", N, 4)))
    return function("gemm", (A, B, C, M, N, K), axis(BY, gy, axis(BX, gx, *body)))


def transpose() -> Program:
    """c = a transposed, through a padded tile."""
    tile = var("tile", Array(Array(F32, 5), 4))
    y, x = [thread("y", k) for k in range(2)], [thread("x", k) for k in range(2)]
    row, col, r, q = var("row"), var("col"), var("row.1"), var("col.1")
    load = s.If(
        both(lt(row, M), lt(col, N)),
        (put(at(tile, y[0], x[0]), at(A, add(mul(row, N), col))),),
    )
    store = s.If(
        both(lt(r, N), lt(q, M)),
        (put(at(C, add(mul(r, M), q)), at(tile, x[1], y[1])),),
    )
    first = axis(y[0], 4, axis(x[0], 4, index("row", BY, 4, y[0]), index("col", BX, 4, x[0]), load))
    second = axis(
        y[1], 4, axis(x[1], 4, index("row.1", BX, 4, y[1]), index("col.1", BY, 4, x[1]), store)
    )
    grid = axis(BY, blocks(M, 4), axis(BX, blocks(N, 4), s.Decl(tile), first, second))
    return function("transpose", (A, C, M, N), grid)


def softmax() -> Program:
    """Rows of a; the sum by a tree in shared memory, 4 threads a row."""
    part = var("part", Array(F32, 4))
    half = var("half")
    t = [thread("x", k) for k in range(5)]
    i, j, acc = var("i"), var("i.1"), var("acc", F32)
    row = i32(BX)

    def place(v: e.Var) -> e.Expr:
        return add(mul(row, N), v)

    def strided(v: e.Var, first: e.Var, *body: s.Stmt) -> s.For:
        return s.For(v, i32(first), N, c(4), body)

    total = axis(
        t[0], 4, s.Decl(acc, ZERO),
        strided(i, t[0], put(acc, e.Call("exp", (at(A, place(i)),), F32), "+")),
        put(at(part, t[0]), acc),
    )  # fmt: skip
    tree = s.While(
        op(">", half, 0),
        (axis(t[1], 4, s.If(lt(i32(t[1]), half),
                            (put(at(part, t[1]), at(part, add(i32(t[1]), half)), "+"),))),),
        (put(half, op(">>", half, 1)),),
    )  # fmt: skip
    value = op("/", e.Call("exp", (at(A, place(j)),), F32), at(part, c(0)))
    last = axis(t[2], 4, strided(j, t[2], put(at(C, place(j)), value)))
    body = (s.Decl(part), total, s.Scope((s.Decl(half, c(2)), tree)), last)
    return function("softmax", (A, C, M, N), axis(BX, u32(M), *body))
