"""Cache and its inverse: the box, copies in and out, what is refused and why."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

from xpiler.passes.steps import Around
from xpiler.platforms.registry import platform

PARAMS = "float *restrict a, const float *restrict b, const float *restrict c, int n"
STENCIL = """
for (int y = 0; y < 6; y++)
    for (int x = 0; x < 4; x++)
        for (int u = 0; u < 3; u++)
            for (int v = 0; v < 3; v++)
                a[y * 4 + x] += b[(y + u) * n + x + v] * c[u * 3 + v];
"""


def test_the_box_of_a_stencil_is_copied_in():
    assert show(stepped(body(STENCIL, PARAMS), 'cache(buffer="b", loop="y")')) == (
        "parallel for y: i32 in [0, 6)\n"
        "  b_near: f32[6][3]\n"
        "  for x.1: i32 in [0, 3)\n"
        "    for x.2: i32 in [0, 6)\n"
        "      b_near[x.1][x.2] = b[(((n * y) + (n * x.1)) + x.2)]\n"
        "  for x: i32 in [0, 4)\n"
        "    for u: i32 in [0, 3)\n"
        "      for v: i32 in [0, 3)\n"
        "        a[((y * 4) + x)] += (b_near[u][(x + v)] * c[((u * 3) + v)])\n"
    )


def test_what_is_written_is_copied_out():
    before = body("for (int i = 0; i < n; i++) for (int j = 0; j < 8; j++) a[i * 8 + j] = b[j];",
                  PARAMS)  # fmt: skip
    assert show(stepped(before, 'cache(buffer="a", loop="i")')) == (
        "parallel for i: i32 in [0, n)\n"
        "  a_near: f32[8]\n"
        "  for j: i32 in [0, 8)\n"
        "    a_near[j] = b[j]\n"
        "  for x: i32 in [0, 8)\n"
        "    a[((i * 8) + x)] = a_near[x]\n"
    )


def test_undoing_it_proves_it():
    for step in ('cache(buffer="b", loop="y")', 'cache(buffer="a", loop="y")'):
        assert checked(body(STENCIL, PARAMS), step).method == "same form"
    after = stepped(body(STENCIL, PARAMS), 'cache(buffer="b", loop="y")')
    assert "near" not in show(stepped(after, 'uncache(buffer="b_near")'))


def test_a_part_that_is_only_perhaps_read_is_not_copied():
    perhaps = body("for (int i = 0; i < n; i++) for (int j = 0; j < 8; j++) "
                   "if (i + j < n) a[i + j] = b[i + j];", PARAMS)  # fmt: skip
    assert refused(perhaps, 'cache(buffer="b", loop="i")') == (
        "it is not sure that all of the copied part of b is read"
    )


def test_refusals_say_why():
    step = 'cache(buffer="b", loop="i")'
    rows = "for (int i = 0; i < n; i++) for (int j = 0; j < 8; j++) a[i * 8 + j] = b[i * 8 + j];"
    endless = body(rows.replace("j < 8", "j < n"), PARAMS)
    assert "unknown number of times" in refused(endless, step)
    gather = body(rows.replace("b[i * 8 + j]", "b[(int)c[j]]"), PARAMS)
    assert "not a sum" in refused(gather, step)
    mirrored = body(rows.replace("b[i * 8 + j]", "b[i * 8 + j] + b[i * 8 + 7 - j]"), PARAMS)
    assert "not sure that all" in refused(mirrored, step)
    large = body(rows.replace("8", "100000"), PARAMS)
    assert "400000 bytes of b do not fit" in refused(large, step, Around(platform("cuda")))


def test_other_ways_to_the_buffer_are_seen():
    pointer = body(
        """
        float *p = a + 8;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < 8; j++) {
                a[i * 8 + j] = b[j];
                p[i * 8 + j] = 1.0f;
            }
        """,
        PARAMS,
    )
    reason = refused(pointer, 'cache(buffer="a", loop="i")')
    assert reason == "a is also reached through another pointer"
    inside = body(
        "for (int i = 0; i < n; i++) { const float *q = &b[i * 8]; "
        "for (int j = 0; j < 8; j++) a[i * 8 + j] = q[j] + b[i * 8 + j]; }", PARAMS)  # fmt: skip
    assert refused(inside, 'cache(buffer="b", loop="i")') == "the address of b is taken"


def test_a_copy_that_is_still_in_use_stays():
    before = body(
        """
        for (int i = 0; i < n; i++) {
            float t[8];
            for (int j = 0; j < 8; j++) t[j] = b[i * 8 + j];
            for (int j = 0; j < 8; j++) t[j] = t[j] + t[7 - j];
            for (int j = 0; j < 8; j++) a[i * 8 + j] = t[j];
        }
        """,
        PARAMS,
    )
    assert "copied" in refused(before, 'uncache(buffer="t")')
