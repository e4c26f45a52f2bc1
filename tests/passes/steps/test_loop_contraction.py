"""Loop contraction: text before and after, arrays that shrink, what it refuses."""

from __future__ import annotations

from stepping import checked, program, refused, show, stepped

HEAD = "void f(float *restrict a, const float *restrict b, float *restrict c, int n) {"
NEXT = (
    HEAD
    + """
    for (int i = 0; i < n; i++) a[i] = b[i] + 1.0f;
    for (int j = 0; j < n; j++) c[j] = a[j] * b[j + 1];
}
"""
)
BACK = (
    HEAD
    + """
    for (int i = 1; i < n; i++) a[i] = b[i];
    for (int j = 1; j < n; j++) c[j] = a[j - 1];
}
"""
)
AHEAD = BACK.replace("a[j - 1]", "a[j + 1]")


def loops(text: str):
    """The program, raised but not cleaned up: its loops stay as they are written."""
    from front_texts import program as parsed

    from xpiler.passes.recovery import recover

    return recover(parsed(text, "c")).program


def test_two_loops_become_one():
    assert show(stepped(loops(NEXT), 'loop_contraction(first="i", second="j")')) == (
        "for i: i32 in [0, n)\n  a[i] = (b[i] + 1.0f)\n  c[i] = (a[i] * b[(i + 1)])\n"
    )
    method = checked(loops(NEXT), 'loop_contraction(first="i", second="j")').method
    assert method == "same form"


def test_what_an_earlier_iteration_made_may_be_used():
    assert "for j" not in show(stepped(loops(BACK), 'loop_contraction(first="i", second="j")'))


def test_refusals_say_why():
    reason = refused(loops(AHEAD), 'loop_contraction(first="i", second="j")')
    assert "may meet at different values of i" in reason
    other = NEXT.replace("j < n", "j < n - 1")
    assert refused(loops(other), 'loop_contraction(first="i", second="j")') == (
        "i and j count differently"
    )
    assert "does not come after" in refused(loops(NEXT), 'loop_contraction(first="j", second="i")')


def test_the_program_is_left_as_it_was():
    before = program(AHEAD)
    text = show(before)
    refused(before, 'loop_contraction(first="j", second="i")')
    assert show(before) == text
