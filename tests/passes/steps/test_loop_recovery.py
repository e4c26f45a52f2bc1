"""Loop recovery: a kernel's axes become loops; a sequential program says no."""

from __future__ import annotations

from front_texts import program as parsed
from stepping import body, refused, stepped

from xpiler.ir.check import check
from xpiler.passes.steps import REGISTRY, parse

KERNEL = """
__global__ void twice(float* a, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) a[i] = a[i] * 2.0f;
}
void run(float* a, int n) { twice<<<(n + 127) / 128, 128>>>(a, n); }
"""


def test_axes_become_loops():
    source = parsed(KERNEL)
    assert [str(i) for i in REGISTRY["loop_recovery"].knobs(source)] == ["loop_recovery()"]
    after = stepped(source, "loop_recovery()")
    assert not after.kernels()
    assert check(after, sequential=True) == []
    assert check(stepped(after, "clean_up()"), sequential=True) == []


def test_what_no_rewrite_proves_owes_a_test():
    source, given = parsed(KERNEL), parse("loop_recovery()")
    after = stepped(source, "loop_recovery()")
    assert REGISTRY["loop_recovery"].check(source, after, given).method == "test"


def test_refusals_say_why():
    nothing = body("a[0] = b[0];")
    assert refused(nothing, "loop_recovery()") == (
        "the program has no kernel: it is sequential already"
    )
    assert "parallel axes" in refused(parsed(KERNEL), "clean_up()")
