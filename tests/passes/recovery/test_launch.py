"""Launches: extents in terms of parameters, added parameters, shapes from outside, refusals."""

from __future__ import annotations

from dataclasses import replace

from ir_words import BX, FP, GDX, TX, at, c, let, op, program, put, var

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.check import check
from xpiler.ir.program import Function, Program
from xpiler.ir.text import show_function, show_program
from xpiler.ir.types import F32, I32, U32, U64, Array
from xpiler.passes.recovery import LaunchShape, recover

X, N, M = var("x", FP), var("n"), var("m")
ONE = c(1, U32)


def kernel(*extra: e.Var) -> Function:
    i = op("+", op("*", BX, e.Cast(e.Axis("block_dim"), I32)), TX)
    return Function("k", (X, N, *extra), (put(at(X, i), 1.0),), role="kernel")


def launch(grid: e.Expr, block: e.Expr, n: e.Expr, shared: e.Expr | None = None) -> s.Launch:
    return s.Launch("k", (e.Cast(grid, U32), ONE, ONE), (block, ONE, ONE), (X, n), shared)


def host(*body: s.Stmt, name: str = "h") -> Function:
    return Function(name, (X, N, M), body)


def raised(*functions: Function) -> tuple[Program, str, str]:
    result = recover(Program((kernel(), *functions)))
    assert not result.diagnostics
    assert check(result.program, sequential=True) == []
    return result.program, *(show_function(f) for f in result.program.functions[:2])


UP = op("/", op("+", N, 63), 64)


def test_a_launch_becomes_a_call() -> None:
    _, k, h = raised(host(launch(UP, c(64, U32), N)))
    assert "in [0, u32(((n + 63) / 64)))" in k
    assert "k(x, n)" in h
    assert "grid_x" not in k


def test_an_extent_through_a_host_variable() -> None:
    g = var("g")
    _, k, _ = raised(host(let(g, UP), launch(g, c(64, U32), N)))
    assert "((n + 63) / 64)" in k


def test_a_changed_variable_is_no_extent() -> None:
    g = var("g")
    _, k, h = raised(host(let(g, UP), put(g, 1, "+"), launch(g, c(64, U32), N)))
    assert "in [0, grid_x)" in k
    assert "k(x, n, u32(g))" in h


def test_an_extent_that_the_kernel_is_not_given() -> None:
    _, k, h = raised(host(launch(M, c(64, U32), N)))
    assert "k(x: f32*, n: i32, grid_x: u32)" in k
    assert "k(x, n, u32(m))" in h


def test_launches_that_disagree() -> None:
    _, k, h = raised(host(launch(UP, c(64, U32), N), launch(UP, c(128, U32), N)))
    assert "block_x: u32" in k
    assert "k(x, n, 64)" in h
    assert "k(x, n, 128)" in h


def test_hosted_kernels_are_static_and_lone_ones_are_not() -> None:
    p, _, _ = raised(host(launch(UP, c(64, U32), N)))
    assert p.function("k").static
    shape = LaunchShape((4, None, None), (64, None, None))
    alone = recover(Program((kernel(),)), {"k": shape}).program
    assert not alone.function("k").static
    assert alone.function("k").params == kernel().params


def test_a_lone_kernel_needs_a_shape() -> None:
    result = recover(Program((kernel(), host(s.Return()))))
    assert [d.code for d in result.diagnostics] == ["XP0401"]
    assert [f.name for f in result.program.functions] == ["h"]


def test_a_lost_kernel_leaves_a_mark_in_its_host() -> None:
    strange = Function("k", (X, N), (s.Instr("warp.strange", (), ()),), role="kernel")
    result = recover(Program((strange, host(launch(UP, c(64, U32), N)))))
    assert [d.code for d in result.diagnostics] == ["XP0403"]
    assert "left_out XP0402" in show_program(result.program)


def test_dynamic_shared_memory() -> None:
    sm = e.Var("sm", Array(F32, None))
    body = (
        s.Decl(sm, space="shared", dynamic=True),
        put(at(sm, TX), at(X, TX)),
        s.Barrier("block"),
        put(at(X, TX), at(sm, op("-", c(63), TX))),
    )
    k = replace(kernel(), body=body)
    by_size = e.Binary("*", e.Cast(N, U64), c(4, U64), U64)
    for size, word in ((c(256, U64), "sm: f32[64]"), (by_size, "host.alloc((u64(n) * 4))")):
        calls = host(launch(c(1), c(64, U32), N, size))
        result = recover(Program((k, calls)))
        assert check(result.program, sequential=True) == []
        assert word in show_program(result.program)


def test_unused_dimensions_are_assumed_to_be_one() -> None:
    body = (put(at(X, TX), 1.0),)
    result = recover(program(body, (X,)), {"k": LaunchShape((None,) * 3, (32, None, None))})
    assert "k is launched with grid_x = 1" in result.assumptions
    assert "block" not in show_program(result.program)


def test_grid_extent_in_the_body() -> None:
    i = var("i")
    stride = op("*", GDX, 64)
    body = (s.For(i, op("+", op("*", BX, 64), TX), N, stride, (put(at(X, i), 0.0),)),)
    k = replace(kernel(), body=body)
    result = recover(Program((k, host(launch(UP, c(64, U32), N)))))
    assert "step (i32(u32(((n + 63) / 64))) * 64)" in show_program(result.program)


def test_recursion_is_refused() -> None:
    again = e.Call("f", (N,), I32)
    device = Function("f", (N,), (s.Return(op("+", again, TX)),), ret=I32, role="device")
    body = (put(at(X, 0), e.Cast(e.Call("f", (N,), I32), X.type.elem)),)  # type: ignore[union-attr]
    k = replace(kernel(), body=body)
    result = recover(Program((k, device)), {"k": LaunchShape((1, 1, 1), (32, 1, 1))})
    assert [d.code for d in result.diagnostics] == ["XP0404"]


def test_a_shared_variable_of_a_function_is_one_for_the_block() -> None:
    """What one call leaves in it, the next call finds."""
    kept = e.Var("kept", Array(F32, 32))
    v = e.Var("v", F32)
    swap = (
        s.Decl(kept, space="shared"),
        let(v, at(kept, op("-", c(31), TX))),
        s.Barrier("block"),
        put(at(kept, TX), e.Cast(N, F32)),
        s.Barrier("block"),
        s.Return(v),
    )
    device = Function("f", (N,), swap, ret=F32, role="device")
    calls = (
        let(e.Var("first", F32), e.Call("f", (TX,), F32)),
        put(at(X, TX), e.Call("f", (N,), F32)),
    )
    k = replace(kernel(), body=calls)
    p = recover(Program((k, device)), {"k": LaunchShape((1, 1, 1), (32, 1, 1))}).program
    text = show_program(p)
    assert "kept.1: f32[32]" in text
    assert "kept.2" not in text


def test_dynamic_shared_memory_that_nothing_sizes_is_the_caller_s() -> None:
    room = s.Decl(e.Var("room", Array(F32, None)), space="shared", dynamic=True)
    body = (room, put(at(room.var, TX), 1.0), put(at(X, TX), at(room.var, N)))
    alone = Function("k", (X, N), body, role="kernel")
    result = recover(Program((alone,)), {"k": LaunchShape((1, 1, 1), (64, 1, 1))})
    (made,) = result.program.functions
    assert made.params[-1] == e.Var("shared_bytes", U64)
    assert "host.alloc(shared_bytes)" in show_function(made)
