"""Structs that are read through an address: values while loops are analysed, addresses outside."""

from __future__ import annotations

import pytest

from xpiler.host.sandbox import capabilities
from xpiler.pipeline import Options, Translation, translate

HEAD = "#include <stddef.h>\ntypedef struct { int rows, cols; float scale; } shape_t;\n"
LOOPS = """
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->cols; c++)
            y[r * p->cols + c] = p->scale * x[r * p->cols + c];"""


def run(body: str, target: str = "cuda", verify: bool = True, ret: str = "void") -> Translation:
    text = f"{HEAD}{ret} scale(const shape_t *p, const float *x, float *y) {{ {body} }}"
    return translate(text, "k.c", Options(target, verify=verify, seed=3))


def test_the_kernel_gets_the_struct_and_the_function_its_address() -> None:
    text = run(LOOPS, verify=False).text
    assert text is not None
    assert "void scale(const shape_t *p, const float *x, float *y)" in text
    assert "(shape_t p, " in text
    assert "p.scale * x[" in text
    assert "cudaMemcpy(y, d_y, (size_t)p->cols * p->rows" in text


def test_what_is_taken_for_granted_is_said() -> None:
    assert "scale does not change what p points to" in run(LOOPS, verify=False).assumptions


@pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)
@pytest.mark.parametrize("target", ["cuda", "bang"])
def test_fields_are_sizes_to_run_it_with(target: str) -> None:
    found = run(LOOPS, target)
    assert found.verified, found.verdict and found.verdict.render()
    assert any("p.rows=" in x for x in found.verdict.assumptions)  # type: ignore[union-attr]


@pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)
def test_asking_for_null_stays_with_the_host() -> None:
    found = run(f"if (p == NULL) return -1; {LOOPS} return 0;", ret="int")
    assert found.text is not None
    assert found.text.index("p == ") > found.text.index("int scale(")
    assert found.verified, found.verdict and found.verdict.render()


@pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)
@pytest.mark.parametrize("target", ["cuda", "bang"])
def test_buffers_behind_a_struct_that_is_lent(target: str) -> None:
    text = """typedef struct { const float *w; const float *bias; float *out; int n; } layer;
    void apply(const layer *l, const float *x) {
        for (int i = 0; i < l->n; i++)
            l->out[i] = l->w[i] * x[i] + (l->bias ? l->bias[i] : 0.0f); }"""
    found = translate(text, "k.c", Options(target, seed=3))
    assert found.verified, found.verdict and found.verdict.render()
    assert "apply does not change what l points to" in found.assumptions
    assert "const layer *l, const float *x" in (found.text or "")
