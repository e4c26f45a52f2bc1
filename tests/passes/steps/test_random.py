"""Random legal steps on random small programs keep every result, to the bit."""

from __future__ import annotations

import copy
import random

import pytest
from interp import Undefined, run
from random_loops import inputs, program_text
from stepping import program

from xpiler.ir.check import check
from xpiler.ir.program import Program
from xpiler.ir.text import show_program
from xpiler.passes.steps import REGISTRY, Around, Done, Instance
from xpiler.passes.steps.matching import FUSED
from xpiler.platforms.registry import platform

C = Around(platform("c"))
LONGEST = 5
PICKED = 12


def legal_step(before: Program, rng: random.Random) -> tuple[Instance, Program] | None:
    """A random legal step, each pass as likely as any other that has one."""
    names = list(REGISTRY)
    rng.shuffle(names)
    if rng.random() < 0.4:
        names = ["tensorize", *names]
    for name in names:
        found = list(REGISTRY[name].candidates(before, C))
        rng.shuffle(found)
        for one in found[:PICKED]:
            done = REGISTRY[name].apply(before, one, C)
            if isinstance(done, Done) and FUSED not in done.assumptions:
                return one, done.program
    return None


def plain(p: Program) -> Program:
    """Without the instruction forms, which the interpreter does not know."""
    step = REGISTRY["detensorize"]
    for one in step.candidates(p, C):
        done = step.apply(p, one, C)
        assert isinstance(done, Done)
        p = done.program
    return p


def results(p: Program, seed: int) -> object:
    args = copy.deepcopy(inputs(seed))
    try:
        run(plain(p), "f", args)
    except Undefined as why:
        return str(why)
    return args


@pytest.mark.parametrize("seed", range(60))
def test_results_stay_the_same(seed: int) -> None:
    compare(seed)


def compare(seed: int) -> list[str]:
    rng = random.Random(seed)
    text = program_text(seed)
    before = program(text)
    want = results(before, seed)
    if isinstance(want, str):
        pytest.skip(want)
    taken: list[str] = []
    for _ in range(LONGEST):
        found = legal_step(before, rng)
        if found is None:
            break
        taken.append(str(found[0]))
        before = found[1]
        assert check(before, sequential=True) == [], f"{text}{taken}\n{show_program(before)}"
        got = results(before, seed)
        assert got == want, f"{text}{taken}\n{show_program(before)}"
    return taken
