"""Loop fuse: text before and after, its proof, what it refuses."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

NEST = "for (int i = 0; i < 6; i++) for (int j = 0; j < 8; j++) a[i * n + j] = b[j * n + i];"


def test_two_loops_become_one():
    assert show(stepped(body(NEST), 'loop_fuse(loop="i")')) == (
        "for i.1: i32 in [0, 48)\n"
        "  const i: i32 = (i.1 / 8)\n"
        "  const j: i32 = (i.1 % 8)\n"
        "  a[((i * n) + j)] = b[((j * n) + i)]\n"
    )


def test_the_pairs_are_proved_the_same():
    assert checked(body(NEST), 'loop_fuse(loop="i")').method == "solver"


def test_split_and_fuse_lead_back():
    after = stepped(
        body("for (int i = 0; i < 64; i++) a[i] = b[i];"),
        'loop_split(loop="i", factor=16)',
        'loop_fuse(loop="i.1")',
    )
    assert show(after).startswith("parallel for i.3: i32 in [0, 64)\n")


def test_refusals_say_why():
    triangle = body(NEST.replace("j < 8", "j < i"))
    assert refused(triangle, 'loop_fuse(loop="i")') == "the bounds of j depend on i"
    assert "more than one loop" in refused(body(NEST), 'loop_fuse(loop="j")')
