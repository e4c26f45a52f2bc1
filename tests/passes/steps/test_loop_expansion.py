"""Loop expansion: text before and after, scalars that become arrays, what it refuses."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

PARAMS = "float *restrict a, const float *restrict b, float *restrict c, int n"
TWO = "for (int i = 0; i < 64; i++) { float t = b[i] * 2.0f; a[i] = t; c[i] = t + 1.0f; }"


def test_a_scalar_that_passes_on_becomes_an_array():
    assert show(stepped(body(TWO, PARAMS), 'loop_expansion(loop="i", at=2)')) == (
        "t_all: f32[64]\n"
        "parallel for i: i32 in [0, 64)\n"
        "  t_all[i] = (b[i] * 2.0f)\n"
        "  a[i] = t_all[i]\n"
        "parallel for i.1: i32 in [0, 64)\n"
        "  c[i.1] = (t_all[i.1] + 1.0f)\n"
    )
    assert checked(body(TWO, PARAMS), 'loop_expansion(loop="i", at=2)').method == "same form"


def test_contraction_leads_back_to_a_scalar():
    after = stepped(
        body(TWO, PARAMS),
        'loop_expansion(loop="i", at=2)',
        'loop_contraction(first="i", second="i.1")',
    )
    assert "t_all: f32\n" in show(after)
    assert "f32[64]" not in show(after)


def test_indices_are_computed_again():
    split = stepped(body(TWO, PARAMS), 'loop_split(loop="i", factor=16)')
    after = show(stepped(split, 'loop_expansion(loop="i.2", at=3)'))
    assert after.count("const i") == 2


def test_refusals_say_why():
    chained = body("for (int i = 1; i < 9; i++) { a[i] = c[i - 1]; c[i] = b[i]; }", PARAMS)
    assert "may meet at different values of i" in refused(chained, 'loop_expansion(loop="i", at=1)')
    unknown = body(TWO.replace("64", "n"), PARAMS)
    assert refused(unknown, 'loop_expansion(loop="i", at=2)') == (
        "t goes from one part to the other, for an unknown number of times"
    )
