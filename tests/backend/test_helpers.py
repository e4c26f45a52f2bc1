"""The small functions that a file brings along compute what their neutral names mean."""

from __future__ import annotations

import math
import operator
import random
import statistics
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_compilers import compilers, output
from exact_values import bf16, to

from xpiler import backend
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.program import Function, Program
from xpiler.ir.types import BF16, BOOL, F16, F32, F64, I32, I64, U32, U64, Pointer, Scalar

R = random.Random(5)
WORDS = [0, 1, 2, 0x80000000, 0xFFFFFFFF, 0x12345678, *(R.getrandbits(32) for _ in range(6))]
LONGS = [0, 1, 1 << 63, (1 << 64) - 1, *(R.getrandbits(64) for _ in range(6))]
REALS = [0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e10, -1e10, 1e30, math.nan, math.inf, 2147483646.5]
FRACTIONS = [0.0, 0.3, -0.7, 0.999, 1 - 2**-20, 2**-30, -0.05]


def bytes_of(x: int, signed: bool = False) -> list[int]:
    return [b - 256 if signed and b > 127 else b for b in (x & 0xFFFFFFFF).to_bytes(4, "little")]


def permuted(a: int, b: int, selector: int) -> int:
    pool, out = bytes_of(a) + bytes_of(b), 0
    for k in range(4):
        pick = selector >> (4 * k) & 15
        byte = pool[pick & 7]
        out |= ((255 if byte & 128 else 0) if pick & 8 else byte) << (8 * k)
    return out


def saturated(x: float, t: Scalar) -> int:
    low, high = (
        (-(1 << (t.bits - 1)), (1 << (t.bits - 1)) - 1) if t.is_signed else (0, (1 << t.bits) - 1)
    )
    if math.isnan(x):
        return 0
    return low if x < low else high if x > high else int(x)


def rounded(how: Callable[[float], float], t: Scalar) -> Callable[[float], int]:
    return lambda x: saturated(x if math.isnan(x) or math.isinf(x) else how(x), t)


def fma_bf16(a: float, b: float, c: float) -> float:
    from fractions import Fraction

    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return a * b + c
    power = math.floor(math.log2(abs(exact))) - 7
    for p in (power - 1, power, power + 1):
        if 128 <= abs(exact) / Fraction(2) ** p < 256:
            return float(round(exact / Fraction(2) ** p) * Fraction(2) ** p)
    raise AssertionError


def bits32(x: int) -> int:
    return int(f"{x:032b}"[::-1], 2)


EXACT: list[tuple[str, Scalar, tuple[Scalar, ...], list[Any], Callable[..., Any]]] = [
    ("popcount", I32, (U32,), WORDS, lambda x: bin(x).count("1")),
    ("popcount", I32, (U64,), LONGS, lambda x: bin(x).count("1")),
    ("clz", I32, (U32,), WORDS, lambda x: 32 - x.bit_length()),
    ("clz", I32, (I32,), WORDS, lambda x: 32 - (x & 0xFFFFFFFF).bit_length()),
    ("clz", I32, (U64,), LONGS, lambda x: 64 - x.bit_length()),
    ("ffs", I32, (I32,), WORDS, lambda x: (x & -x).bit_length()),
    ("ffs", I32, (U64,), LONGS, lambda x: (x & -x).bit_length()),
    ("brev", U32, (U32,), WORDS, bits32),
    ("brev", U64, (U64,), LONGS, lambda x: int(f"{x:064b}"[::-1], 2)),
    ("mulhi", U32, (U32, U32), WORDS, lambda a, b: a * b >> 32),
    ("mulhi", I32, (I32, I32), WORDS, lambda a, b: a * b >> 32),
    ("mulhi", U64, (U64, U64), LONGS, lambda a, b: a * b >> 64),
    ("mulhi", I64, (I64, I64), LONGS, lambda a, b: a * b >> 64),
    ("byte_perm", U32, (U32, U32, U32), WORDS, permuted),
    ("funnel_shift_l", U32, (U32, U32, U32), WORDS,
     lambda lo, hi, n: (hi << 32 | lo) << (n & 31) >> 32),
    ("funnel_shift_r", U32, (U32, U32, U32), WORDS, lambda lo, hi, n: (hi << 32 | lo) >> (n & 31)),
    ("rotate", U32, (U32, U32), WORDS, lambda x, n: x << (n & 31) | x >> (32 - (n & 31))),
    ("dp4a", I32, (I32, I32, I32), WORDS,
     lambda a, b, c: c + sum(map(operator.mul, bytes_of(a, True), bytes_of(b, True)))),
    ("dp4a", U32, (U32, U32, U32), WORDS,
     lambda a, b, c: c + sum(map(operator.mul, bytes_of(a), bytes_of(b)))),
    ("sad", U32, (U32, U32, U32), WORDS, lambda a, b, c: abs(a - b) + c),
    ("sad", U32, (I32, I32, U32), WORDS, lambda a, b, c: abs(a - b) + c),
    ("min", I64, (I64, I64), LONGS, min),
    ("max", U32, (U32, U32), WORDS, max),
    ("abs", I32, (I32,), WORDS[4:], abs),
    ("floor_to_int", I32, (F32,), REALS, rounded(math.floor, I32)),
    ("ceil_to_int", U32, (F64,), REALS, rounded(math.ceil, U32)),
    ("round_to_int", I32, (F64,), REALS, rounded(round, I32)),
    ("trunc_to_int", I64, (F32,), REALS, rounded(math.trunc, I64)),
    ("trunc_to_int", U64, (F64,), REALS, rounded(math.trunc, U64)),
    ("saturate", F32, (F32,), REALS, lambda x: 0.0 if math.isnan(x) else min(max(x, 0.0), 1.0)),
    ("isnan", BOOL, (F16,), [*FRACTIONS, math.nan], math.isnan),
    ("isinf", BOOL, (F32,), REALS, math.isinf),
    ("fma", F16, (F16, F16, F16), FRACTIONS, lambda a, b, c: to(a * b + c, F16)),
    ("fma", BF16, (BF16, BF16, BF16),
     [bf16(np.float32(x)) for x in (1.0, 1.0078125, 3e-9, -1.5, 65280.0, 1e-20)], fma_bf16),
]  # fmt: skip

CLOSE: list[tuple[str, Scalar, int, list[float], Callable[..., float], float]] = [
    ("rsqrt", F32, 1, [0.5, 2.0, 3e9], lambda x: x**-0.5, 3e-7),
    ("rcbrt", F64, 1, [0.5, 8.0, -3.0], lambda x: 1 / math.cbrt(x), 1e-15),
    ("rcp", F32, 1, [3.0, -7.0], lambda x: 1 / x, 1e-7),
    ("div", F32, 2, [3.0, -7.0, 0.1], lambda a, b: a / b, 2e-7),
    ("exp10", F32, 1, [0.5, -3.25], lambda x: 10.0**x, 2e-7),
    ("exp10", F64, 1, [0.5, -3.25], lambda x: 10.0**x, 1e-14),
    ("sinpi", F64, 1, [0.25, 1.75, -2.5], lambda x: math.sin(math.pi * x), 1e-14),
    ("cospi", F32, 1, [0.25, 1.75, 100.0], lambda x: math.cos(math.pi * x), 2e-7),
    ("normcdf", F64, 1, [-8.0, 0.0, 1.96], statistics.NormalDist().cdf, 1e-9),
    ("erfinv", F64, 1, FRACTIONS, lambda p: p, 1e-14),
]  # fmt: skip


def word(t: Scalar) -> str:
    return backend.load("c").type_name(t)


def stored(x: Any, t: Scalar) -> int:
    """The bits of a value of type `t`."""
    if t.is_integer:
        return int(x) & ((1 << t.bits) - 1)
    if t == BF16:
        return int(np.float32(x).view(np.uint32)) >> 16
    code, whole = {"f16": ("<e", "<H"), "f32": ("<f", "<I"), "f64": ("<d", "<Q")}[t.name]
    return int(struct.unpack(whole, struct.pack(code, x))[0])


def loaded(bits: int, t: Scalar) -> Any:
    if t.is_integer:
        return to(bits, t)
    if t == BF16:
        return float(np.uint32(bits << 16).view(np.float32))
    code, whole = {"f16": ("<e", "<H"), "f32": ("<f", "<I"), "f64": ("<d", "<Q")}[t.name]
    return struct.unpack(code, struct.pack(whole, bits))[0]


def case(k: int, name: str, ret: Scalar, params: tuple[Scalar, ...]) -> Function:
    given = tuple(e.Var(f"x{j}", t) for j, t in enumerate(params))
    out = e.Var("out", Pointer(ret))
    store = s.Assign(e.Index(out, e.Const(0, I32), ret), e.Call(name, given, ret))
    return Function(f"case_{k}", (*given, out), (store,))


def arguments(values: list[Any], count: int) -> list[tuple[Any, ...]]:
    """Each value in each place, the others drawn."""
    if count == 1:
        return [(v,) for v in values]
    return [tuple(R.choice(values) for _ in range(count)) for _ in range(3 * len(values))]


def run(
    cases: list[tuple[Function, list[tuple[Any, ...]]]], folder: Path, compiler: str
) -> list[int]:
    """The stored bits of every call."""
    text = backend.write(Program(tuple(f for f, _ in cases)), backend.load("c"))
    lines = [
        "#include <stdio.h>",
        "#include <stdint.h>",
        "#include <stdbool.h>",
        "#include <string.h>",
    ]
    lines += ["int main(void)", "{"]
    for f, calls in cases:
        for values in calls:
            names = [p.name for p in f.params[:-1]]
            result = f.params[-1].type
            assert isinstance(result, Pointer)
            lines.append("    {")
            for p, v in zip(f.params, values, strict=False):
                bits = stored(v, p.type)  # type: ignore[arg-type]
                lines.append(f"    {word(p.type)} {p.name};")  # type: ignore[arg-type]
                lines.append(f"    memcpy(&{p.name}, &(uint64_t){{{bits}ull}}, sizeof {p.name});")
            lines.append(f"    {word(result.elem)} r; uint64_t b = 0;")  # type: ignore[arg-type]
            lines.append(f"    {f.name}({', '.join([*names, '&r'])}); memcpy(&b, &r, sizeof r);")
            lines.append('    printf("%llu\\n", (unsigned long long)b);\n    }')
    lines += ["    return 0;", "}", ""]
    options = ("-O1", "-fwrapv", "-ffp-contract=off", "-w", "-fno-sanitize=undefined")
    return [int(x) for x in output(text + "\n".join(lines), folder, compiler, *options).split()]


@pytest.mark.parametrize("compiler", compilers())
def test_functions_with_one_right_answer(compiler: str, tmp_path: Path) -> None:
    cases = [(case(k, c[0], c[1], c[2]), arguments(c[3], len(c[2]))) for k, c in enumerate(EXACT)]
    results = iter(run(cases, tmp_path, compiler))
    for (name, ret, params, _, reference), (_, calls) in zip(EXACT, cases, strict=True):
        for values in calls:
            seen = [loaded(stored(v, t), t) for v, t in zip(values, params, strict=True)]
            want = reference(*seen)
            assert next(results) == stored(want, ret), (name, ret, seen, want)


def test_functions_that_round_differently_are_close(tmp_path: Path) -> None:
    cases = [
        (case(k, c[0], c[1], (c[1],) * c[2]), arguments(c[3], c[2])) for k, c in enumerate(CLOSE)
    ]
    results = iter(run(cases, tmp_path, next(iter(compilers()))))
    for (name, t, _, _, reference, error), (_, calls) in zip(CLOSE, cases, strict=True):
        for values in calls:
            got = loaded(next(results), t)
            got = math.erf(got) if name == "erfinv" else got
            assert got == pytest.approx(reference(*values), rel=error, abs=1e-15), (name, values)


def test_every_neutral_function_is_spelled_at_every_type_it_has() -> None:
    integer = {"abs", "min", "max", "popcount", "clz", "ffs", "mulhi"}
    c = backend.load("c")
    for name in math_functions():
        if name in c.rounding or name in ("isnan", "isinf", "isfinite", "signbit"):
            continue
        bits = name in (
            "brev",
            "byte_perm",
            "funnel_shift_l",
            "funnel_shift_r",
            "rotate",
            "dp4a",
            "sad",
        )
        kinds = ("u32",) if bits else ("i32", "u32", "i64", "u64") if name in integer else ()
        floats = (
            ()
            if bits or name in ("popcount", "clz", "ffs", "mulhi")
            else ("f16", "bf16", "f32", "f64")
        )
        for kind in (*kinds, *floats):
            assert c.template(name, kind) is not None, (name, kind)


@pytest.mark.parametrize("platform", ["c", "bang"])
@pytest.mark.parametrize("t", [I32, U32, I64, U64])
def test_a_file_brings_along_the_conversions_that_saturate(platform: str, t: Scalar) -> None:
    text = backend.write(Program((case(0, "round_to_int", t, (F32,)),)), backend.load(platform))
    defined = [line for line in text.splitlines() if "saturate_to_" in line and "static" in line]
    assert len(defined) == 1
