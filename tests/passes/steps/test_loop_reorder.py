"""Loop reorder: text before and after, what keeps its order, what it refuses."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

from xpiler.passes.steps import REGISTRY

PRODUCT = """
for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
        for (int k = 0; k < 8; k++)
            a[i * n + j] += b[i * 8 + k] * b[k * n + j];
"""
WAVE = """
for (int i = 1; i < 9; i++)
    for (int j = 0; j < 9; j++)
        a[i * 10 + j] = a[(i - 1) * 10 + j + 1] + b[i];
"""


def test_a_permutation_of_three():
    assert show(stepped(body(PRODUCT), 'loop_reorder(order=("k", "i", "j"))')) == (
        "for k: i32 in [0, 8)\n"
        "  parallel for i: i32 in [0, n)\n"
        "    for j: i32 in [0, n)\n"
        "      a[((i * n) + j)] += (b[((i * 8) + k)] * b[((k * n) + j)])\n"
    )
    assert checked(body(PRODUCT), 'loop_reorder(order=("k", "i", "j"))').method == "same form"


def test_a_dependence_that_would_turn_round_is_named():
    reason = refused(body(WAVE), 'loop_reorder(order=("j", "i"))')
    assert reason.startswith("the ")
    assert "may meet at different values of i" in reason


def test_floating_sums_keep_their_order():
    total = body("float s = 0; for (int i = 0; i < 4; i++) for (int j = 0; j < 4; j++) "
                 "s += b[i * 4 + j]; a[0] = s;")  # fmt: skip
    assert "adds up in the order" in refused(total, 'loop_reorder(order=("j", "i"))')


def test_knobs_are_the_legal_orders():
    found = [str(i) for i in REGISTRY["loop_reorder"].knobs(body(PRODUCT))]
    assert 'loop_reorder(order=("k", "j", "i"))' in found
    assert REGISTRY["loop_reorder"].knobs(body(WAVE)) == ()
