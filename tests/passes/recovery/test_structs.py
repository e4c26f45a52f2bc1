"""Structs that lanes hand over: every life of a variable is one of its own, as for numbers."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.text import show_program
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform_of

TEXT = """
struct Pair { float sum; int count; };
__global__ void totals(const float* x, Pair* out, int n) {
    Pair p = {0.f, 0};
    for (int i = threadIdx.x; i < n; i += 32) { p.sum += x[i]; p.count += 1; }
    for (int d = 16; d > 0; d /= 2) {
        Pair o;
        o.sum = __shfl_down_sync(0xffffffff, p.sum, d);
        o.count = __shfl_down_sync(0xffffffff, p.count, d);
        p.sum += o.sum;
        p.count += o.count;
    }
    Pair q = p;
    p = out[0];
    if (threadIdx.x == 0) { out[1] = p; out[0] = q; }
}
void run(const float* x, Pair* out, int n) { totals<<<1, 32>>>(x, out, n); }
"""


def test_only_the_struct_that_crosses_a_meeting_has_a_lane_each() -> None:
    program = read(TEXT, "k.cu", platform_of("k.cu").words).program
    result = recover(program)
    assert not result.diagnostics
    text = show_program(result.program)
    lines = [x.strip() for x in text.splitlines()]
    arrays = [x.split(":")[0] for x in lines if x.endswith("struct Pair[32]")]
    assert arrays == ["p"], text
    assert "o: struct Pair" in lines
    assert any(x.startswith("p.1: struct Pair =") for x in lines), text
