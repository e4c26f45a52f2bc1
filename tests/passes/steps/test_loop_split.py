"""Loop split: text before and after, the guard, its proof, what it refuses."""

from __future__ import annotations

from dataclasses import replace

from stepping import body, checked, refused, show, stepped

from xpiler.passes.steps import REGISTRY, parse

MAP = "for (int i = 0; i < n; i++) a[i] = b[i] * 2.0f;"


def test_a_size_that_may_not_divide_gets_a_guard():
    assert show(stepped(body(MAP), 'loop_split(loop="i", factor=32)')) == (
        "parallel for i.1: i32 in [0, ((n + 31) / 32))\n"
        "  parallel for i.2: i32 in [0, 32)\n"
        "    const i: i32 = ((i.1 * 32) + i.2)\n"
        "    if (i < n)\n"
        "      a[i] = (b[i] * 2.0f)\n"
    )


def test_a_size_that_divides_needs_none():
    assert show(
        stepped(body(MAP.replace("i < n", "i < 64")), 'loop_split(loop="i", factor=16)')
    ) == (
        "parallel for i.1: i32 in [0, 4)\n"
        "  parallel for i.2: i32 in [0, 16)\n"
        "    const i: i32 = ((i.1 * 16) + i.2)\n"
        "    a[i] = (b[i] * 2.0f)\n"
    )


def test_both_are_proved_by_the_solver():
    assert checked(body(MAP), 'loop_split(loop="i", factor=32)').method == "solver"
    strided = body("for (int i = 3; i < n; i += 5) a[i] = b[i];")
    assert checked(strided, 'loop_split(loop="i", factor=4)').method == "solver"


def test_a_wrong_split_is_not_proved():
    before, given = body(MAP), parse('loop_split(loop="i", factor=32)')
    after = stepped(before, str(given))
    (outer,) = after.functions[0].body
    (inner,) = outer.body
    short = replace(outer, body=(replace(inner, hi=replace(inner.hi, value=16)),))
    wrong = after.with_functions((after.functions[0].with_body((short,)),))
    assert REGISTRY["loop_split"].check(before, wrong, given).method == "test"


def test_refusals_say_why():
    assert "no counting loop" in refused(body(MAP), 'loop_split(loop="z", factor=4)')
    assert "needs factor" in refused(body(MAP), 'loop_split(loop="i")')
    short = body("for (int i = 0; i < 4; i++) a[i] = b[i];")
    assert refused(short, 'loop_split(loop="i", factor=8)') == (
        "the loop i has 4 iterations, no more than 8"
    )
    early = body("for (int i = 0; i < n; i++) { if (b[i] < 0.0f) break; a[i] = b[i]; }")
    reason = refused(early, 'loop_split(loop="i", factor=8)')
    assert "left early" in reason or "no counting loop" in reason
