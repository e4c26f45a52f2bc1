"""Buffers of structs with several kinds of numbers: handed over whole, compared by field."""

from __future__ import annotations

import numpy as np
import pytest

from xpiler.frontend import read
from xpiler.platforms.registry import platform
from xpiler.verify.inference.entries import numbers, rows
from xpiler.verify.inputs import BufferSpec, RecordSpec
from xpiler.verify.invocation import BufferArg, Finding, Invocation, RunResult
from xpiler.verify.packing import packed, unpacked
from xpiler.verify.session import verify_pair

PARTS = [
    (0, BufferArg("b.d", "", "float32", 2, np.array([1.5, -2.0], np.float32))),
    (4, BufferArg("b.q", "", "uint8", 6, np.arange(6, dtype=np.uint8))),
    (8, BufferArg("b.n", "", "int16", 2, np.array([7, -7], np.int16))),
]
BLOCKS = """#include <stdint.h>
#define N 5
typedef struct { float d; int8_t q[N]; uint16_t n; } block;
void widen(const block *x, float *y, int blocks) {
    for (int b = 0; b < blocks; b++)
        for (int k = 0; k < N; k++) y[b * N + k] = x[b].d * x[b].q[k] + x[b].n;
}
void narrow(const float *x, block *y, int blocks) {
    for (int b = 0; b < blocks; b++) {
        float most = 0;
        for (int k = 0; k < N; k++) most = x[b * N + k] > most ? x[b * N + k] : most;
        y[b].d = most;
        y[b].n = (uint16_t)b;
        for (int k = 0; k < N; k++) y[b].q[k] = x[b * N + k] > 0 ? k : -k;
    }
}
"""


class Options:
    source, target, arch, seed, sandbox = "c", "c", None, 3, "required"
    defines: dict[str, str] = {}  # noqa: RUF012
    include_dirs = ()

    def __init__(self) -> None:
        from xpiler.verify.spec import Spec

        self.spec = Spec()


def test_what_is_packed_comes_back_by_parts() -> None:
    arg = packed("b", 12, 2, PARTS)
    assert (arg.count, arg.structs) == (24, 2)
    assert arg.data is not None
    assert arg.data.tobytes()[:12] == b"\0\0\xc0\x3f\0\1\2\0\7\0\0\0"
    touched = np.zeros(24, np.bool_)
    touched[[5, 21]] = True
    fault = Finding("oob_read", "", buffer="b", index=30)
    run = RunResult({"b": arg.data}, (fault,), written={"b": touched}, read={"b": ~touched})
    left = unpacked(Invocation("f", "function", (arg,)), run)
    for _, part in PARTS:
        assert part.data is not None
        np.testing.assert_array_equal(left.outputs[part.name], part.data)
    assert left.written["b.q"].tolist() == [False, True, False, False, False, False]
    assert left.written["b.n"].tolist() == [False, True]
    assert left.read["b.n"].all()
    assert left.findings[0].index == 2
    assert "b" not in left.outputs


def test_an_output_of_structs_has_no_data() -> None:
    parts = [(at, BufferArg(p.name, "", p.dtype, p.count, None)) for at, p in PARTS]
    assert packed("b", 12, 2, parts).data is None


def test_structs_are_cut_whole() -> None:
    spec = RecordSpec("b", 12, 4, ((0, BufferSpec("b.d", "", "float32", 12)),))
    assert [b.count for _, b in spec.sized(3).parts] == [9]


def test_rows_are_laid_out_as_compilers_do() -> None:
    text = """struct inner { char c; double x[2]; };
    struct whole { short s; struct inner in[2]; float f[3][4]; };
    struct with { float x; float* p; };
    void f(struct whole* a, struct with* b) { a->s = 1; b->x = 2; }"""
    program = read(text, "k.c", platform("c").words).program
    whole, pointing = (p.type.elem for p in program.functions[0].params)  # type: ignore[attr-defined]
    assert numbers(program, whole) is None
    assert [(r.name, r.offset, r.count) for r in rows(program, whole)] == [
        (".s", 0, 1), (".in[0].c", 8, 1), (".in[0].x", 16, 2), (".in[1].c", 32, 1),
        (".in[1].x", 40, 2), (".f", 56, 12),
    ]  # fmt: skip
    assert rows(program, pointing) == ()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("", ""),
        ("+ x[b].n", "+ x[0].n"),
        ("* x[b].q[k]", "* x[b].q[k & 3]"),
        ("y[b].n = (uint16_t)b", "y[b].n = (uint16_t)(b & 7)"),
        ("? k : -k", "? k : 1 - k"),
        ("y[b].d = most", "y[b].d = most * 1.001f"),
    ],
)
def test_every_field_is_compared(right: str, wrong: str) -> None:
    verdict = verify_pair(BLOCKS, BLOCKS.replace(right, wrong), "blocks.c", Options())
    assert verdict.outcome == ("wrong" if right else "verified"), verdict.reason
