"""Schedules: data that replays, applies to a sibling with other sizes, and stops where it must."""

from __future__ import annotations

from stepping import body, show

from xpiler.passes.steps import REGISTRY, Around, Done, Refusal, Schedule, read_python, read_toml
from xpiler.platforms.registry import platform

C = Around(platform("c"))
PARAMS = "float *restrict a, const float *restrict b, const float *restrict c, int m, int n, int l"
GEMM = """
for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
        float s = 0;
        for (int k = 0; k < l; k++)
            s += b[i * l + k] * c[k * n + j];
        a[i * n + j] = s;
    }
"""
BLOCKED = """
loop_split(loop="j", factor=64, tail="rest")
loop_expansion(loop="j.2", at=2)
loop_expansion(loop="j.5", at=2)
loop_reorder(order=("k", "j.5"))
loop_split(loop="j.5", factor=16)
tensorize(loop="j.8", form="fma_scalar_16")
"""


def blocked() -> Schedule:
    return Schedule(read_python(BLOCKED))


def test_a_schedule_reaches_the_instruction():
    taken = list(blocked().run(body(GEMM, PARAMS), REGISTRY, C))
    assert all(isinstance(t.outcome, Done) for t in taken), taken[-1].outcome
    text = show(taken[-1].program)
    assert "fma_scalar_16(&s_all[" in text
    assert "for j.3" in text, "what does not divide has a loop of its own"


def test_it_replays_and_reads_back():
    schedule = blocked()
    assert read_toml(schedule.toml()) == schedule.steps
    assert read_python(str(schedule)) == schedule.steps
    one, two = ([t.program for t in schedule.run(body(GEMM, PARAMS), REGISTRY, C)] for _ in "12")
    assert one == two


def test_it_applies_to_a_sibling_of_other_sizes():
    sizes = GEMM.replace("< n", "< 200").replace("* n", "* 200").replace("< l", "< 77")
    taken = list(blocked().run(body(sizes, PARAMS), REGISTRY, C))
    assert "fma_scalar_16" in show(taken[-1].program)


def test_a_refused_step_leaves_the_program_as_it_was():
    small = GEMM.replace("< n", "< 32")
    first, *rest = blocked().run(body(small, PARAMS), REGISTRY, C)
    assert isinstance(first.outcome, Refusal)
    assert first.program == first.before
    assert all(isinstance(t.outcome, Refusal) for t in rest)
