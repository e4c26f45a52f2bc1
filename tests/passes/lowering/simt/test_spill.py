"""Arrays that a thread has no room for lie in a buffer of the launch's."""

from __future__ import annotations

from tests.passes.lowering.simt.build import kernels, lowered

from xpiler.ir.text import show_body
from xpiler.passes.lowering import Lowered

ROWS = """void f(const float *x, float *y, int n, int m) {{
    for (int r = 0; r < n; r++) {{
        float t[{size}], last[8];
        for (int i = 0; i < m; i++) t[i * 7 % {size}] = x[r * m + i];
        for (int i = 1; i < m; i++) t[i] += t[i - 1] * t[i];
        for (int i = 0; i < 8; i++) last[i] = t[m * i % {size}];
        y[r] = last[m % 8];
    }}
}}"""


def host(found: Lowered) -> str:
    return show_body(found.program.function("f").body)


def test_each_thread_has_its_piece() -> None:
    found = lowered(ROWS.format(size=20000))
    (kernel,) = kernels(found)
    body = show_body(kernel.body)
    assert [p.name for p in kernel.params][-1] == "t_of_all"
    assert "t: f32* = (t_of_all + " in body
    assert "block_dim.x" in body.split("t_of_all + ")[1].splitlines()[0]
    assert "last: f32[8]" in body
    (made,) = [line for line in host(found).splitlines() if "d_t <- host.alloc" in line]
    assert "20000" in made
    assert "n" in made


def test_what_fits_stays() -> None:
    found = lowered(ROWS.format(size=16000))
    assert "t: f32[16000]" in show_body(kernels(found)[0].body)
    assert "16000" not in host(found)


def test_rows_of_one_thread_are_places_in_the_buffer() -> None:
    found = lowered("""void f(float *x, int n) {
        float t[4][9000];
        for (int i = 0; i < n; i++) t[i % 4][i] = x[i] + t[(i + 1) % 4][i / 2];
        for (int i = 1; i < n; i++) x[i] = t[i % 4][x[i - 1] > 0 ? i : 0];
    }""")
    (kernel,) = kernels(found)
    assert kernel.params[-1].name == "t"
    assert "t[(((i % 4) * 9000) + i)]" in show_body(kernel.body)
    assert "d_t <- host.alloc((36000 * sizeof(float)))" in host(found)


def test_arrays_in_structs_keep_their_rows() -> None:
    found = lowered("""struct cell { float v[2][4]; };
    void f(float *x, int n) {
        struct cell t[3000];
        for (int i = 0; i < n; i++) t[i % 3000].v[i % 2][i % 4] = x[i] + t[i / 2].v[1][i % 3];
        for (int i = 1; i < n; i++) x[i] = t[x[i - 1] > 0 ? i : 0].v[0][i % 4];
    }""")
    (kernel,) = kernels(found)
    assert kernel.params[-1].name == "t"
    assert ".v[(i % 2)][(i % 4)]" in show_body(kernel.body)
