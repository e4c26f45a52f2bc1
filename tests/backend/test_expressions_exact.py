"""Printed expressions, compiled, have the values that the IR gives them, bit for bit."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_compilers import compilers, complaints, output
from exact_values import ALL, PARAMS, Maker, Undefined, value

from xpiler import backend
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.types import I32, Pointer, Scalar

COUNT, INPUTS = 400, 6
C_TYPES = dict(zip((str(t) for t in ALL), (
    "bool", "int8_t", "int16_t", "int", "int64_t", "uint8_t", "uint16_t", "unsigned", "uint64_t",
    "_Float16", "uint16_t", "float", "double"), strict=True))  # fmt: skip


def bits(x: Any, t: Scalar) -> int | str:
    """The value's storage as an integer; every NaN is the same."""
    if t.is_float and math.isnan(x):
        return "nan"
    if t.is_integer:
        return int(x) & ((1 << t.bits) - 1)
    if t.name == "bf16":
        return int(np.float32(x).view(np.uint32)) >> 16
    code, whole = {"f16": ("<e", "<H"), "f32": ("<f", "<I"), "f64": ("<d", "<Q")}[t.name]
    return int(struct.unpack(whole, struct.pack(code, x))[0])


def is_nan(pattern: int, t: Scalar) -> bool:
    """Whether stored bits are a NaN of a floating type."""
    fraction = {"f16": 10, "bf16": 7, "f32": 23, "f64": 52}.get(t.name)
    if fraction is None:
        return False
    exponent = (1 << (t.bits - 1 - fraction)) - 1
    return pattern >> fraction & exponent == exponent and pattern & ((1 << fraction) - 1) != 0


def case(k: int, n: e.Expr) -> Function:
    """A function that stores the value of `n`; half of them by a compound assignment."""
    out = e.Var("out", Pointer(n.type))
    place = e.Index(out, e.Const(0, I32), n.type)
    body: s.Body = (s.Assign(place, n),)
    if k % 2 and isinstance(n, e.Binary) and n.op not in e.COMPARISONS | e.LOGICAL:
        body = (s.Assign(place, n.a), s.Assign(place, n.b, n.op))
    return Function(f"case_{k}", (*PARAMS, out), body)


def driver(cases: list[e.Expr], inputs: list[dict[str, Any]]) -> str:
    """A main function that runs every case on every input and prints the stored bits."""
    lines = [
        "",
        "#include <stdio.h>",
        "#include <string.h>",
        "#include <stdint.h>",
        "#include <stdbool.h>",
    ]
    lines += ["int main(void)", "{"]
    for k, env in enumerate(inputs):
        for p in PARAMS:
            word = "bf16" if str(p.type) == "bf16" else C_TYPES[str(p.type)]
            pattern = _stored(env[p.name], p.type)
            name = f"{p.name}_{k}"
            lines.append(f"    {word} {name};")
            lines.append(f"    memcpy(&{name}, &(uint64_t){{{pattern}ull}}, sizeof {name});")
        args = ", ".join(f"{p.name}_{k}" for p in PARAMS)
        for c, n in enumerate(cases):
            word = "bf16" if str(n.type) == "bf16" else C_TYPES[str(n.type)]
            lines.append(
                f"    {{ {word} r; uint64_t b = 0; case_{c}({args}, &r); memcpy(&b, &r, sizeof r);"
                ' printf("%llu\\n", (unsigned long long)b); }'
            )
    return "\n".join([*lines, "    return 0;", "}", ""])


def _stored(x: Any, t: Scalar) -> int:
    pattern = bits(x, t)
    nan = {"f16": 0x7E00, "bf16": 0x7FC0, "f32": 0x7FC00000, "f64": 0x7FF8 << 48}
    return nan[t.name] if pattern == "nan" else int(pattern)


def check(cases: list[e.Expr], inputs: list[dict[str, Any]], printed: list[int], text: str) -> None:
    results = iter(printed)
    compared = 0
    for env in inputs:
        for k, n in enumerate(cases):
            got = next(results)
            try:
                want = bits(value(n, env), n.type)  # type: ignore[arg-type]
            except (Undefined, OverflowError):
                continue
            compared += 1
            shown = "nan" if is_nan(got, n.type) else got  # type: ignore[arg-type]
            assert shown == want, f"case {k}: {text.split(f'case_{k}(')[1].split('}')[0]}\n{env}"
    assert compared > len(printed) // 2


@pytest.mark.parametrize("compiler", compilers())
def test_random_expressions_keep_their_value(compiler: str, tmp_path: Path) -> None:
    maker = Maker(seed=20240607)
    cases = [maker.make(ALL[k % len(ALL)], 4) for k in range(COUNT)]
    inputs = [maker.inputs() for _ in range(INPUTS)]
    text = backend.write(Program(tuple(case(k, n) for k, n in enumerate(cases))), backend.load("c"))
    if "typedef struct { uint16_t bits; } bf16;" not in text:
        pytest.fail("no bf16 case was made")
    options = ("-O0", "-fwrapv", "-ffp-contract=off", "-w", "-fno-sanitize=undefined")
    printed = output(text + driver(cases, inputs), tmp_path, compiler, *options).split()
    check(cases, inputs, [int(x) for x in printed], text)


def test_random_expressions_compile_without_a_warning(tmp_path: Path) -> None:
    maker = Maker(seed=7)
    cases = [maker.make(ALL[k % len(ALL)], 3) for k in range(200)]
    text = backend.write(Program(tuple(case(k, n) for k, n in enumerate(cases))), backend.load("c"))
    inherent = (  # to operations on constants, which a random expression may hold
        "tautological-compare",
        "shift-overflow",
        "shift-negative-value",
        "overflow",
        "constant-conversion",
        "implicit-const-int-float-conversion",
    )
    assert complaints(text, tmp_path, *(f"-Wno-{w}" for w in inherent)) == ""
