"""Instances are data: Python that runs, TOML, and back."""

from __future__ import annotations

import pytest

from xpiler.passes.steps import REGISTRY, instance, parse, read_python, read_toml

GIVEN = (
    instance("loop_split", loop="i", factor=32),
    instance("loop_reorder", order=("k", "i")),
)


def test_python_and_toml_lead_back():
    assert str(GIVEN[0]) == 'loop_split(loop="i", factor=32)'
    assert tuple(parse(str(i)) for i in GIVEN) == GIVEN
    assert read_toml("\n".join(i.toml() for i in GIVEN)) == GIVEN
    assert read_python("schedule = [\n" + "".join(f"    {i},\n" for i in GIVEN) + "]\n") == GIVEN


@pytest.mark.parametrize("text", ["loop_split", "loop_split('i', 3)", "f(x=1", "a.b(x=1)"])
def test_what_is_no_instance_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


def test_every_step_says_what_it_is():
    for name, step in REGISTRY.items():
        assert step.name == name
        assert step.summary
        assert step.legality
        assert step.category
