"""Loop bind: proved before it is marked; a loop that is kept stays in one thread of the target."""

from __future__ import annotations

from stepping import body, checked, refused, show, stepped

from xpiler.passes.lowering import lower
from xpiler.passes.steps import REGISTRY
from xpiler.platforms.registry import platform

ROWS = "for (int i = 0; i < 8; i++) for (int j = 0; j < 128; j++) a[i * 128 + j] = b[i * 128 + j];"


def test_independent_iterations_may_be_bound():
    assert show(stepped(body(ROWS), 'loop_bind(loop="j", axis="parallel")')).count("parallel") == 2
    assert checked(body(ROWS), 'loop_bind(loop="j", axis="parallel")').method == "same form"


def test_a_loop_that_is_kept_is_no_axis_of_the_target():
    both = _kernel(stepped(body(ROWS), 'loop_bind(loop="j", axis="parallel")'))
    one = _kernel(stepped(body(ROWS), 'loop_bind(loop="j", axis="none")'))
    assert "for j" not in both
    assert "for j" in one


def _kernel(p):
    from xpiler.ir.text import show_function

    return "".join(show_function(k) for k in lower(p, platform("cuda")).program.kernels())


def test_refusals_say_why():
    scan = body("for (int i = 1; i < n; i++) a[i] = a[i - 1] + b[i];")
    reason = refused(scan, 'loop_bind(loop="i", axis="parallel")')
    assert reason.startswith("the write of a")
    assert "axis is one of" in refused(scan, 'loop_bind(loop="i", axis="x")')
    assert [i.text("axis") for i in REGISTRY["loop_bind"].knobs(scan)] == ["none"]
