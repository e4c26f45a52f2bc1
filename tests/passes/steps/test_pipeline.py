"""Pipeline and its inverse: buffers in turn, copies that run ahead, what is refused."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

PARAMS = "float *restrict a, const float *restrict b, const float *restrict c, int n"
SUMS = """
for (int i = 0; i < n; i++) {
    float s = 0;
    for (int t = 0; t < 4; t++)
        for (int k = 0; k < 8; k++)
            s += b[i * 32 + t * 8 + k] * c[k];
    a[i] = s;
}
"""
STAGED = 'cache(buffer="b", loop="t")'
TWO = 'pipeline(loop="t", stages=2)'


def test_the_next_copy_runs_ahead():
    assert show(stepped(body(SUMS, PARAMS), STAGED, TWO)) == (
        "parallel for i: i32 in [0, n)\n"
        "  s: f32 = 0.0\n"
        "  b_near.1: f32[8][2]\n"
        "  for x.1: i32 in [0, 8)\n"
        "    b_near.1[0][x.1] = b[(((i * 32) + (0 * 8)) + x.1)]\n"
        "  for t: i32 in [0, 4)\n"
        "    if ((t + 1) < 4)\n"
        "      for x: i32 in [0, 8)\n"
        "        b_near.1[((t + 1) % 2)][x] = b[(((i * 32) + ((t + 1) * 8)) + x)]\n"
        "    for k: i32 in [0, 8)\n"
        "      s += (b_near.1[(t % 2)][k] * c[k])\n"
        "  a[i] = s\n"
    )


def test_undoing_it_proves_it():
    staged = stepped(body(SUMS, PARAMS), STAGED)
    assert checked(staged, TWO).method == "same form"
    assert checked(staged, 'pipeline(loop="t", stages=3)').method == "same form"
    assert show(stepped(staged, TWO, 'unpipeline(loop="t")')) == show(staged)


def test_refusals_say_why():
    plain = body(SUMS, PARAMS)
    assert "does not begin by filling" in refused(plain, TWO)
    assert "does not begin by filling" in refused(plain, 'unpipeline(loop="t")')
    rows = stepped(
        body("for (int i = 0; i < n; i++) for (int k = 0; k < 8; k++) a[i * 8 + k] = b[i * 8 + k];",
             PARAMS),
        'cache(buffer="b", loop="i")',
    )  # fmt: skip
    assert "is parallel" in refused(rows, 'pipeline(loop="i", stages=2)')
