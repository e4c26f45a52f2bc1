"""What the tests of the steps share: C texts to programs, steps by their Python form."""

from __future__ import annotations

import textwrap

from front_texts import program as parsed

from xpiler.ir.program import Program
from xpiler.ir.text import show_body
from xpiler.passes.cleanup import clean_up
from xpiler.passes.recovery import recover
from xpiler.passes.steps import ANYTHING, REGISTRY, Around, Check, Done, Refusal, parse


def program(text: str, on: str = "c") -> Program:
    """A sequential program, cleaned up."""
    return clean_up(recover(parsed(text, on)).program).program


def body(statements: str, params: str = "float *restrict a, const float *restrict b, int n"):
    """The program of one function `f` with these statements."""
    return program(f"void f({params}) {{\n{textwrap.dedent(statements)}\n}}\n")


def stepped(before: Program, *steps: str, around: Around = ANYTHING) -> Program:
    """`before` after steps that must all be legal."""
    for text in steps:
        given = parse(text)
        done = REGISTRY[given.step].apply(before, given, around)
        assert isinstance(done, Done), f"{text}: {done}"
        before = done.program
    return before


def refused(before: Program, step: str, around: Around = ANYTHING) -> str:
    """Why a step is refused on `before`."""
    given = parse(step)
    found = REGISTRY[given.step].apply(before, given, around)
    assert isinstance(found, Refusal), show(found.program)
    return found.reason


def checked(before: Program, step: str, around: Around = ANYTHING) -> Check:
    given = parse(step)
    after = stepped(before, step, around=around)
    return REGISTRY[given.step].check(before, after, given, around)


def show(p: Program, name: str = "f") -> str:
    return show_body(p.function(name).body)
