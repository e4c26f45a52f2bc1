"""Variables that start with the value that they are given next; sums of unsigned variables."""

from __future__ import annotations

import pytest

from xpiler.frontend import read
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.platforms.registry import platform

HEAD = "void g(float *); void f(float *x, float *y, int n, int m, unsigned k) { "


def cleaned(text: str, head: str = HEAD) -> str:
    found = read(head + text + "}", "t.c", platform("c").words)
    assert not found.diagnostics
    return show_body(clean_up(found.program).program.functions[-1].body)


ROWS = "for (int i = 0; i < n; i++) { float *p = x; CHANGE COPY }".replace(
    "COPY", "for (int j = 0; j < m; j++) p[j] = y[j];"
)
KEPT = {
    "only perhaps": "if (y[i] > 0) p += i;",
    "handed out": "float **q = &p; p += i * m; *q = y;",
}


def test_a_pointer_that_is_moved_once_starts_there() -> None:
    text = cleaned(ROWS.replace("CHANGE", "p += i * m;"))
    assert "p: f32* = (x + (i * m))" in text
    assert "p +=" not in text


def test_so_does_an_index() -> None:
    text = cleaned("for (int i = 0; i < n; i++) { int a = i; float v = y[i]; a += m; x[a] = v; }")
    assert "a +=" not in text


@pytest.mark.parametrize("name", KEPT)
def test_other_changes_stay_where_they_are(name: str) -> None:
    assert "p +=" in cleaned(ROWS.replace("CHANGE", KEPT[name]))


def test_what_the_first_value_is_made_of_must_still_hold() -> None:
    text = "for (int i = 0; i < n; i++) { float *p = x + m; m = m + 1; p += i; p[0] = y[i]; }"
    text = cleaned(text)
    assert text.index("(x + m)") < text.index("m = (m + 1)")


@pytest.mark.parametrize(
    ("change", "last"), [("y[0] = p[0]; p += i * m;", "p.1[j]"), ("p += i; p += m;", "p.2[j]")]
)
def test_what_is_needed_before_is_another_pointer(change: str, last: str) -> None:
    text = cleaned(ROWS.replace("CHANGE", change))
    assert f"{last} = y[j]" in text
    assert "p[j]" not in text


TILED = """for (int i = 0; i < n; i++) {
    float s = 0;
    for (int o = 0; o < m; o += 8)
        for (unsigned t = 0; t < 8; t++)
            s += o + t < m ? x[i * m + o + t] : 0.f;
    y[i] = s;
}"""


def test_tiles_with_unsigned_lanes_are_one_loop() -> None:
    text = cleaned(TILED)
    assert text.count("for ") == 2
    assert "[0, m)" in text
    assert "?" not in text


def test_a_size_that_may_be_negative_keeps_its_unsigned_test() -> None:
    text = cleaned(TILED.replace("o < m;", "o < 64;").replace("o + t < m", "o + t < (unsigned)m"))
    assert "u32(m)" in text
