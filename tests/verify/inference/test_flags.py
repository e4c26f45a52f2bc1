"""Parameters that choose between ways to compute."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.platforms.registry import platform
from xpiler.verify.inference.flags import MOST_WAYS, ways

TEXT = """
__global__ void k(float* x, int n, int kind, bool twice, int first) {
    int i = threadIdx.x + first;
    if (i >= n) return;
    switch (kind) { case 0: x[i] = 1; break; case 3: x[i] = 2; break; default: x[i] = 0; }
    if (twice) x[i] += x[i];
}
void op(float* x, int n, int kind, bool twice, int add) { k<<<1, 32>>>(x, n, kind, twice, %s); }
"""


def found(last: str) -> list[dict[str, int | float]]:
    program = read(TEXT % last, "k.cu", platform("cuda").words).program
    values = {"n": 33, "kind": 49, "twice": 1, "add": 65}
    return [dict(w) for w in ways(program, program.function("op"), values)]


def test_flags_change_and_sizes_stay() -> None:
    tried = found("add != 0 ? 1 : 2")
    assert len(tried) == 2 <= MOST_WAYS
    assert [w["kind"] for w in tried] == [0, 3]
    assert all((w["n"], w["twice"], w["add"]) == (33, 0, 0) for w in tried)


def test_what_is_added_to_is_no_flag() -> None:
    assert all(w["add"] == 65 for w in found("add"))
    assert all(w["add"] == 65 for w in found("add == 2 ? add : 0"))


def test_rows_of_tables_are_chosen_one_by_one() -> None:
    text = """
    static const float taps[5][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 0}};
    void f(const float *x, float *y, int n, int kind) {
        const float *k = taps[kind > 4 ? 4 : kind];
        for (int i = 0; i < n; i++) y[i] = x[i] * k[0] + taps[i % 5][1]; }"""
    program = read(text, "k.c", platform("c").words).program
    tried = list(ways(program, program.function("f"), {"n": 33, "kind": 49}))
    assert [w["kind"] for w in tried] == [0, 1, 4]
    assert {w["n"] for w in tried} == {33}
