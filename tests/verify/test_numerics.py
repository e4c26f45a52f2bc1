"""What is read off a program's arithmetic."""

from __future__ import annotations

import pytest

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import BF16, F16, F32, F64, I32, U8, Fragment, Pointer, Scalar, Type
from xpiler.verify.compare import Precision
from xpiler.verify.numerics import integral_inputs, precision_of

X, Y, J = e.Var("x", Pointer(F32)), e.Var("y", Pointer(F32)), e.Var("i", I32)


ROUNDED = e.Cast(e.Call("exp", (e.Var("v", F32),), F32), F16)


def program(*body: s.Stmt, **more: Function) -> Program:
    kernel = Function("k", (X, Y), body, role="kernel")
    return Program(functions=(kernel, *more.values()))


def add_up(t: Type) -> s.Assign:
    acc = e.Var("acc", t)
    return s.Assign(acc, e.Binary("+", acc, e.Cast(e.Index(X, J, F32), t), t))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (add_up(F32), Precision()),
        (add_up(F16), Precision(accumulate="float16")),
        (add_up(BF16), Precision(accumulate="bf16")),
        (s.Assign(e.Var("h", F16), e.Index(X, J, F16)), Precision()),
        (s.Assign(e.Var("h", F16), e.Cast(e.Index(X, J, F32), F16)), Precision()),
        (s.Assign(e.Var("h", F16), ROUNDED), Precision()),
        (s.Assign(e.Var("f", F32), e.Cast(ROUNDED, F32)), Precision(narrow="float16")),
        (s.Instr("mma.m16n8k16.f32.f16.f16.f32"), Precision()),
        (s.Instr("mma.m16n8k16.f16.f16.f16.f16"), Precision(accumulate="float16")),
        (s.Instr("mfma.f32_32x32x8f16"), Precision()),
    ],
)
def test_precision(statement: s.Stmt, expected: Precision) -> None:
    assert precision_of(program(statement)) == expected


@pytest.mark.parametrize(("elem", "expected"), [(F32, ""), (F16, "float16")])
def test_precision_of_a_warp_matrix_product(elem: Scalar, expected: str) -> None:
    d = e.Var("d", Fragment("acc", 16, 16, 16, elem))
    assert precision_of(program(s.Instr("mat.mma", (d,), (d, d, d)))).accumulate == expected


def test_inputs_that_become_integers_are_followed_to_the_host() -> None:
    load = e.Index(X, J, F32)
    kernel = program(s.Assign(e.Index(Y, J, U8), e.Cast(load, U8)))
    device, host = e.Var("d_x", Pointer(F32)), e.Var("h_x", Pointer(F32))
    one, size = e.Const(1, I32), e.Const(64, I32)
    copy = s.Instr("host.copy", (), (device, host, size), (("kind", "h2d"),))
    launch = s.Launch("k", (one,) * 3, (one,) * 3, (device, Y))
    wrapper = Function("run", (host, Y), (copy, launch))
    whole = Program(functions=(*kernel.functions, wrapper))
    assert integral_inputs(whole) == {("k", "x"), ("run", "d_x"), ("run", "h_x")}


def test_other_inputs_stay_real() -> None:
    load = e.Index(X, J, F32)
    assert not integral_inputs(program(s.Assign(e.Index(Y, J, F32), load)))
    index = s.Assign(e.Var("j", I32), e.Cast(J, I32))
    assert not integral_inputs(program(index))


@pytest.mark.parametrize(("again", "narrow"), [(True, "float16"), (False, "")])
def test_a_rounded_value_counts_once_it_is_used_again(again: bool, narrow: str) -> None:
    half = e.Var("h", F16)
    keep = s.Decl(half, ROUNDED)
    use = e.Cast(half, F32) if again else half
    assert precision_of(program(keep, s.Assign(e.Index(Y, J, use.type), use))).narrow == narrow


SUM, PART = e.Var("sum", F64), e.Var("part", F32)
HALVED = e.Binary("*", e.Index(X, J, F32), e.Const(0.5, F32), F32)


@pytest.mark.parametrize(
    ("body", "expected", "double"),
    [
        ([add_up(F64)], "", 2.0**-53),
        ([add_up(F32), add_up(F64)], "", 2.0**-53),
        ([s.Assign(SUM, e.Cast(HALVED, F64))], "values", 2.0**-53),
        ([s.Decl(PART, HALVED), s.Assign(SUM, e.Cast(PART, F64))], "values", 2.0**-53),
        ([add_up(F32), s.Assign(SUM, e.Cast(e.Var("acc", F32), F64))], "sums", 2.0**-24),
    ],
)
def test_floats_that_become_doubles(body: list[s.Stmt], expected: str, double: float) -> None:
    found = precision_of(program(*body))
    assert found.widened == expected
    assert found.unit("float64") == double
    assert found.unit("float32") == 2.0**-24
    assert found.narrow_unit("float32") == 0.0
    assert found.narrow_unit("float64") == (2.0**-24 if expected == "values" else 0.0)
