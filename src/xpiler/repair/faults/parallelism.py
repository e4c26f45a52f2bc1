"""Mistakes in loops, guards, the mapping to threads or tasks, and synchronisation."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import Edit, table
from xpiler.repair.faults.pieces import (
    arguments,
    does,
    header,
    is_integer,
    others,
    split,
    whole_statement,
)  # fmt: skip

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_LAUNCH = re.compile(r"<<<(.+?)>>>", re.S)
_TASKS = re.compile(r"\bcnrtDim3_t\s+\w+\s*=\s*\{([^}]*)\}|\bdim3\s+\w+\(([^;]*)\);")


def operator_at(tree: Tree, p: Piece) -> tuple[int, int]:
    """The span of a binary operator's sign, between its operands."""
    a, b = (k for k in tree.kids(p)[:2])
    at = tree.text.find(p.op, a.end, b.start)
    return (at, at + len(p.op)) if at >= 0 else (b.start, b.start)


def _binary(tree: Tree, p: Piece, ops: tuple[str, ...]) -> bool:
    return p.kind == "BINARY_OPERATOR" and p.op in ops and len(tree.kids(p)) == 2


def _within(tree: Tree, body: Piece, span: tuple[int, int]) -> Piece | None:
    """The outermost piece that is written exactly in the span."""
    return next((p for p in tree.under(body) if (p.start, p.end) == span), None)


def loops(tree: Tree, body: Piece) -> Iterator[Edit]:
    """One turn too many or too few, too soon an end, another step or bound."""
    for loop in (p for p in tree.under(body) if p.kind == "FOR_STMT"):
        parts = header(tree, loop)
        condition = _within(tree, loop, parts[1]) if parts else None
        if condition is not None and _binary(tree, condition, _COMPARISONS):
            yield from _bound(tree, condition)
        if parts:
            yield from _start(tree, parts[0])
            yield from _step(tree, parts[2])
            yield from _left_early(tree, loop)
    yield from _fused(tree, body)


def _left_early(tree: Tree, loop: Piece) -> Iterator[Edit]:
    kids = tree.kids(loop)
    counters = [k.name for k in tree.under(kids[0]) if k.kind == "VAR_DECL" and is_integer(k)]
    if counters and kids[-1].kind == "COMPOUND_STMT":
        at = kids[-1].start + 1
        yield Edit("early exit", at, at, f" if ({counters[0]} > 2) {{ break; }}")


def _fused(tree: Tree, body: Piece) -> Iterator[Edit]:
    """Two loops over the same range, which a barrier kept apart, become one."""
    for block in (p for p in tree.under(body) if p.kind == "COMPOUND_STMT"):
        for one, two in itertools.pairwise(tree.kids(block)):
            inside = [tree.kids(p)[-1] for p in (one, two) if p.kind == "FOR_STMT"]
            if len(inside) == 2 and all(p.kind == "COMPOUND_STMT" for p in inside):
                heads = [
                    tree.text[p.start : q.start] for p, q in zip((one, two), inside, strict=True)
                ]
                if heads[0] == heads[1]:
                    yield Edit("missing barrier", inside[0].end - 1, inside[1].start + 1, "")


def _bound(tree: Tree, condition: Piece) -> Iterator[Edit]:
    bound, op = tree.kids(condition)[1], condition.op
    span, text = (bound.start, bound.end), tree.of(bound)
    if op[0] in "<>":
        other = op[0] if len(op) == 2 else op + "="
        yield Edit("off-by-one bound", *operator_at(tree, condition), other)
        yield Edit("off-by-one bound", *span, f"{text} {'- 1' if op[0] == '<' else '+ 1'}")
        yield Edit("off-by-one bound", *span, f"{text} {'+ 1' if op[0] == '<' else '- 1'}")
    if op[0] == "<":
        yield Edit("early exit", *span, f"({text}) / 2")
        yield Edit("dropped tail", *span, f"({text}) / 4 * 4")
    if bound.kind == "DECL_REF_EXPR":
        for name in others(tree, bound)[:3]:
            yield Edit("wrong bound", *span, name)


def _start(tree: Tree, init: tuple[int, int]) -> Iterator[Edit]:
    text = tree.text[slice(*init)]
    at = text.rfind("=")
    if at < 0 or "," in text:
        return
    value = text[at + 1 :].strip()
    begin = init[1] - len(text[at + 1 :].lstrip())
    yield Edit("loop start", begin, init[1], "1" if value == "0" else f"{value} + 1")
    if value != "0":
        yield Edit("loop start", begin, init[1], "0")


def _step(tree: Tree, step: tuple[int, int]) -> Iterator[Edit]:
    text = tree.text[slice(*step)]
    if m := re.fullmatch(r"(?:\+\+)?(\w+)(?:\+\+)?", text):
        yield Edit("loop step", *step, f"{m[1]} += 2")
    elif m := re.fullmatch(r"(\w+) ([+>*]|>>)= (.+)", text):
        yield Edit("loop step", *step, f"{m[1]} {m[2]}= {m[3]} * 2")
        if m[2] == "+":
            yield Edit("loop step", *step, f"{m[1]}++")


def guards(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A condition or a part of it is taken for granted, or compares the wrong things."""
    for p in tree.under(body):
        if p.kind == "IF_STMT":
            condition = tree.kids(p)[0]
            yield Edit("dropped guard", condition.start, condition.end, "1")
            yield Edit("dropped guard", condition.start, condition.end, "0")
            yield from _compared(tree, condition)
        elif p.kind == "CONDITIONAL_OPERATOR":
            yield from _compared(tree, tree.kids(p)[0])
        elif _binary(tree, p, ("&&",)):
            a, b = tree.kids(p)
            yield Edit("dropped guard", p.start, p.end, tree.of(a))
            yield Edit("dropped guard", p.start, p.end, tree.of(b))


def _compared(tree: Tree, condition: Piece) -> Iterator[Edit]:
    for p in tree.under(condition):
        if _binary(tree, p, _COMPARISONS):
            for op in table()["operators"][p.op]:
                yield Edit("wrong comparison", *operator_at(tree, p), op)
            bound = tree.kids(p)[1]
            if bound.kind == "DECL_REF_EXPR" and is_integer(bound):
                for name in others(tree, bound)[:3]:
                    yield Edit("guard operand", bound.start, bound.end, name)


def axes(tree: Tree, body: Piece) -> Iterator[Edit]:
    """Another dimension, another level, or a level left out."""
    dimensions = table()["dimensions"]
    for p in tree.under(body):
        if p.kind == "MEMBER_REF_EXPR" and p.name in dimensions and _is_axis(tree, p):
            for d in dimensions[:2]:
                if d != p.name:
                    yield Edit("wrong dimension", p.end - len(p.name), p.end, d)
        if p.kind == "DECL_REF_EXPR":
            for group in table()["axes"]:
                if p.name in group:
                    for other in group:
                        if other != p.name:
                            yield Edit("wrong axis", p.start, p.end, other)
        if _binary(tree, p, ("+",)) and any(_is_axis(tree, k) for k in tree.kids(p)):
            a, b = tree.kids(p)
            yield Edit("dropped axis", p.start, p.end, tree.of(a))
            yield Edit("dropped axis", p.start, p.end, tree.of(b))


def _is_axis(tree: Tree, p: Piece) -> bool:
    """Whether a piece is an axis, or a member of one."""
    words = {w for group in table()["axes"] for w in group}
    base = tree.kids(p)[0] if p.kind == "MEMBER_REF_EXPR" and tree.kids(p) else p
    return base.kind == "DECL_REF_EXPR" and base.name in words


def launches(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A grid, block or number of tasks of another size."""
    first, last = body.start, body.end
    for m in _LAUNCH.finditer(tree.text, first, last):
        for a, b in split(tree.text, m.start(1), m.end(1))[:2]:
            text = tree.text[a:b]
            inner = re.match(r"dim3\(", text)
            if inner:
                yield from _shape(tree, split(tree.text, a + inner.end(), b - 1))
            elif not re.fullmatch(r"[A-Za-z_]\w*", text):
                yield from _resized(tree.text, a, b)
    for m in _TASKS.finditer(tree.text, first, last):
        group = 1 if m[1] is not None else 2
        yield from _shape(tree, split(tree.text, m.start(group), m.end(group)))


def _shape(tree: Tree, spans: list[tuple[int, int]]) -> Iterator[Edit]:
    for a, b in spans:
        yield from _resized(tree.text, a, b)
    if len(spans) > 1 and tree.text[slice(*spans[0])] != tree.text[slice(*spans[1])]:
        (a, b), (c, d) = spans[:2]
        text = tree.text
        yield Edit("swapped launch", a, d, f"{text[c:d]}{text[b:c]}{text[a:b]}")


def _resized(text: str, a: int, b: int) -> Iterator[Edit]:
    x = text[a:b]
    if x != "1":
        for new in (f"({x}) / 2", f"({x}) - 1", "1"):
            yield Edit("launch size", a, b, new)


def synchronisation(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A barrier, a wait or the atomicity of an update is left out."""
    for p in (p for p in tree.under(body) if p.kind == "CALL_EXPR"):
        for what in ("barrier", "wait"):
            if does(p.name, what) and (span := whole_statement(tree, p)):
                yield Edit(f"missing {what}", *span, "")
        if does(p.name, "atomic") and whole_statement(tree, p):
            spans = arguments(tree, p)
            if len(spans) == 2:
                to, by = (tree.text[a:b] for a, b in spans)
                sign = "-" if p.name.endswith("Sub") else "+"
                yield Edit("missing atomic", p.start, p.end, f"*({to}) {sign}= {by}")


OPERATORS = (loops, guards, axes, launches, synchronisation)
