"""Tensorize: a loop nest becomes an instruction of the target, where the bodies match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xpiler.analysis.parallelism import nature
from xpiler.analysis.purity import readers
from xpiler.analysis.ranges import Facts
from xpiler.analysis.walker import after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Scalar
from xpiler.passes.steps.base import Around, Param, Refused, Step, Work
from xpiler.passes.steps.forms_of import Form, forms, nest_of
from xpiler.passes.steps.instance import Instance
from xpiler.passes.steps.matching import Match, Matcher, argument
from xpiler.passes.steps.nest import Place, at_loop, loops, only, trips

REORDERED = "sums of floating-point numbers may be added up in another order"


class Tensorize(Step):
    """`for i in [0, 16) { c[i] = a[i] + b[i]; }` as `add_16(&c[0], &a[0], &b[0])`.

    The forms are small functions in the target's own language; what one means is read from its
    instructions by the front end.
    """

    name = "tensorize"
    category = "tensorisation"
    summary = "a loop nest becomes an instruction of the target"
    legality = (
        "the nest runs as often as the form, its body is the form's under some choice of operands, "
        "and its iterations do not depend on each other (or add up, where the form does)"
    )
    params = (
        Param("loop", "loop", "the outermost loop of the nest"),
        Param("form", "name", "the instruction form, from the target's `prelude/forms.h`"),
    )
    inverse = "detensorize"
    proof = "the form's own body is the loop's body under these operands"

    def candidates(self, program: Program, around: Around) -> Iterator[Instance]:
        known = forms(around.platform)
        for address, _, loop in loops(program) if known else ():
            if nest_of((loop,)) is None and not _temporaries(loop):
                continue
            for form in known:
                if form.counts[0] == trips(loop, Facts()):
                    yield self.make(loop=address, form=form.name)

    def rewrite(self, program: Program, given: Instance, work: Work) -> Program:
        name = given.text("form")
        found = [f for f in forms(work.around.platform) if f.name == name]
        if not found:
            raise Refused(f"the target has no instruction form {name}")
        pure = readers(program)

        def one(loop: s.For, facts: Facts, place: Place) -> s.Body:
            return (tensorized(loop, found[0], facts, pure),)

        done = at_loop(program, given.text("loop"), work, only(one))
        return replace(done, externals=done.externals | {name})


def _temporaries(loop: s.For) -> bool:
    return all(isinstance(st, (s.Decl, s.Assign, s.For)) for st in loop.body)


@dataclass(frozen=True)
class _Nest:
    loops: tuple[s.For, ...]
    store: s.Assign
    facts: Facts


def _nest(loop: s.For, facts: Facts) -> _Nest:
    """The nest with what holds at its statement; raises Refused."""
    found = nest_of((loop,))
    if found is None:
        raise Refused(f"the nest of {loop.var.name} is more than loops around one assignment")
    for lp in found[0]:
        facts = inside(lp, facts)
    for st in found[0][-1].body:
        facts = after(st, facts)
    return _Nest(found[0], found[1], facts)


def tensorized(loop: s.For, form: Form, facts: Facts, pure: frozenset[str]) -> s.Stmt:
    """The call of the form that does what the nest does; raises Refused."""
    nest = _nest(loop, facts)
    counts = tuple(trips(lp, facts) for lp in nest.loops)
    if counts != form.counts:
        raise Refused(
            f"the nest runs {_sizes(counts)} times, {form.name} does {_sizes(form.counts)}"
        )
    match = _matched(form, nest)
    if match is None:
        raise Refused(f"the body of {loop.var.name} is not what {form.name} does")
    _independent(loop, form, facts, pure)
    for sentence in sorted(match.assumed):
        if not facts.ledger.assume(sentence):
            raise Refused(f"it would have to be assumed that {sentence}")
    return _call(form, match, nest, facts)


def _sizes(counts: tuple[int | None, ...]) -> str:
    return " x ".join("?" if n is None else str(n) for n in counts)


def _matched(form: Form, nest: _Nest) -> Match | None:
    matcher = Matcher(form, nest.loops, nest.facts)
    if form.result is None:
        return matcher.statement(nest.store)
    return matcher.total(nest.store)


def _independent(loop: s.For, form: Form, facts: Facts, pure: frozenset[str]) -> None:
    found = nature(replace(loop, kind="serial"), facts, pure)
    sums = len(found.reductions) == 1 and found.reductions[0].op == "+"
    if not found.parallel or found.atomics or (bool(found.reductions) != (form.result is not None)):
        raise Refused(found.obstacle or f"{form.name} does not add up as the loop does")
    if form.result is not None and not sums:
        raise Refused(f"{form.name} does not add up as the loop does")
    for sentence in found.sentences:
        facts.ledger.assume(sentence)
    floating = form.result is not None and getattr(form.result.type, "is_float", False)
    if floating and not facts.ledger.assume(REORDERED):
        raise Refused(f"it would have to be assumed that {REORDERED}")


def _call(form: Form, match: Match, nest: _Nest, facts: Facts) -> s.Stmt:
    args: list[e.Expr] = []
    for p in form.params:
        x = argument(match.operands[p.name], p, nest.facts)
        if x is None:
            raise Refused(f"the address of the operand {p.name} cannot be written")
        args.append(x)
    inner = {lp.var.name for lp in nest.loops}
    own = {st.var.name for st in nest.loops[-1].body if isinstance(st, s.Decl)}
    if any(isinstance(n, e.Var) and n.name in inner | own for x in args for n in walk(x)):
        raise Refused("an operand depends on the loop itself")
    loc = nest.loops[0].loc
    if form.result is None:
        call = e.Call(form.name, tuple(args), Scalar("void"))
        return s.Eval(call, loc=loc, comments=nest.loops[0].comments)
    total = e.Call(form.name, tuple(args), form.result.type)
    return s.Assign(nest.store.target, total, "+", loc=loc, comments=nest.loops[0].comments)
