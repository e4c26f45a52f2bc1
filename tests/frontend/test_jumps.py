"""Jumps forward become branches; others are refused."""

from __future__ import annotations

import pytest
from front_texts import function, result

CLEANUP = """void f(int *p, int *q, int n) {
    if (!p || !q) goto done;
    for (int i = 0; i < n; i++) { if (p[i] < 0) goto next; q[i] = p[i]; next: p[i] = 0; }
    done: q[0] = 1; }"""


def test_what_is_jumped_over_is_a_branch() -> None:
    text = function(CLEANUP, "f")
    assert "jump" not in text
    assert "label" not in text
    assert text.splitlines()[-1] == "  q[0] = 1", "what follows the label runs on both ways"
    assert text.index("else") < text.index("for") < text.index("q[i] = p[i]")
    assert text.splitlines()[-2] == "      p[i] = 0"


@pytest.mark.parametrize(
    "body",
    [
        "again: p[0]++; if (p[0] < 9) goto again;",
        "for (int i = 0; i < 9; i++) while (p[0]) if (p[i]) goto out; out: p[0] = 1;",
        "if (p[0]) goto in; if (p[1]) { p[1] = 2; in: p[2] = 3; }",
    ],
)
def test_other_jumps_are_refused(body: str) -> None:
    found = result(f"void f(int *p) {{ {body} }}")
    assert not any(f.name == "f" for f in found.program.functions)


def test_several_jumps_to_one_label() -> None:
    """What lies behind the first is skipped by it; the second is in there."""
    text = function(
        """int f(int *p, int n) {
            int bad = -1;
            if (n < 0) goto done;
            bad = -2;
            if (!p) goto done;
            bad = 0;
            for (int i = 0; i < n; i++) p[i] = i;
            done: p[n] = 7;
            return bad; }""",
        "f",
    )
    assert "jump" not in text
    lines = [line.strip() for line in text.splitlines()]
    assert lines.index("bad = -2") < lines.index("bad = 0") < lines.index("p[i] = i")
    assert text.splitlines()[-2:] == ["  p[n] = 7", "  return bad"]
