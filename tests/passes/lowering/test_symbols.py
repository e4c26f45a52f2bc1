"""File-scope variables of kernels: where they lie, and copies to and from them."""

from __future__ import annotations

from xpiler.frontend import read
from xpiler.ir.check import check
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.passes.lowering import Lowered, Origin, lower
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform

FILTER = """
static float taps[5];
void set_taps(const float *w) { HOST }
void conv(const float *restrict x, float *restrict y, int n) {
    for (int i = 2; i < n - 2; i++) {
        float s = 0;
        for (int k = 0; k < 5; k++) s += x[i + k - 2] * taps[k];
        y[i] = s;
    }
}
"""


def lowered(text: str) -> Lowered:
    program = read("#include <string.h>\n" + text, "test.c", platform("c").words).program
    program = clean_up(recover(program, {}).program).program
    found = lower(program, platform("cuda"), Origin("c"))
    assert check(found.program) == []
    return found


def spaces(text: str) -> dict[str, str]:
    return {g.var.name: g.space for g in lowered(text).program.globals}


def test_a_table_that_host_code_fills_is_copied_by_its_symbol() -> None:
    text = FILTER.replace("HOST", "memcpy(taps + 1, w, 4 * sizeof(float));")
    found = lowered(text)
    assert spaces(text) == {"taps": "constant"}
    host = show_body(found.program.function("set_taps").body)
    assert "host.to_symbol(taps, w, (4 * sizeof(float)), 4)" in host
    assert "host.copy(taps" not in host


def test_a_variable_that_kernels_write_is_no_constant() -> None:
    text = FILTER.replace("HOST", "for (int k = 0; k < 5; k++) taps[k] = 2.0f * k;")
    assert spaces(text.replace("const float *w", "void")) == {"taps": "global"}


def test_what_host_code_reads_by_itself_is_left_out() -> None:
    text = FILTER.replace("HOST", "taps[0] = w[0];")
    found = lowered(text + "int first(void) { return (int)taps[0] + 1; }")
    assert [f.name for f in found.program.functions if f.role == "host"] == ["set_taps", "conv"]
    (left_out,) = [d for d in found.diagnostics if d.code == "XP1103"]
    assert "first" in left_out.message
    assert "taps" in left_out.reason
