"""Mistakes in what is addressed, staged, copied and set to a first value."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import Edit, table
from xpiler.repair.faults.pieces import (
    arguments,
    does,
    is_integer,
    is_pointer,
    others,
    pointee,
    subscripts,
    whole_statement,
)  # fmt: skip


def indices(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A neighbour of the right element, a term too few, another stride, names swapped."""
    for _, index in subscripts(tree, body):
        span, text = (index.start, index.end), tree.of(index)
        yield Edit("off-by-one index", *span, f"{text} + 1")
        yield Edit("off-by-one index", *span, f"{text} - 1")
        yield from _formula(tree, index)
    for p in tree.under(body):  # addresses and offsets that are computed elsewhere
        if p.kind == "VAR_DECL" and (is_integer(p) or is_pointer(p)):
            for k in tree.kids(p):
                yield from _formula(tree, k)


def _formula(tree: Tree, index: Piece) -> Iterator[Edit]:
    names = [k for k in tree.under(index) if k.kind == "DECL_REF_EXPR" and is_integer(k)]
    for one, two in itertools.pairwise(names):
        if one.name != two.name and one.end < two.start:
            between = tree.text[one.end : two.start]
            new = f"{tree.of(two)}{between}{tree.of(one)}"
            yield Edit("swapped indices", one.start, two.end, new)
    for p in tree.under(index):
        if p.kind != "BINARY_OPERATOR" or len(tree.kids(p)) != 2:
            continue
        a, b = tree.kids(p)
        if p.op == "+":
            yield Edit("dropped index term", p.start, p.end, tree.of(a))
            if not is_pointer(a):
                yield Edit("dropped index term", p.start, p.end, tree.of(b))
        elif p.op == "*":
            yield from _strides(tree, a, b)


def _strides(tree: Tree, a: Piece, b: Piece) -> Iterator[Edit]:
    for p in (a, b):
        if p.kind == "DECL_REF_EXPR":
            for name in others(tree, p)[:3]:
                yield Edit("wrong stride", p.start, p.end, name)
        elif p.kind == "INTEGER_LITERAL" and tree.of(p).isdigit():
            value = int(tree.of(p))
            for new in {value + 1, value // 2, value * 2} - {0, value}:
                yield Edit("wrong stride", p.start, p.end, str(new))


def arrays(tree: Tree, body: Piece) -> Iterator[Edit]:
    """Another array of the same type of elements."""
    for p, _ in subscripts(tree, body):
        base = tree.kids(p)[0]
        if base.kind != "DECL_REF_EXPR":
            continue
        found = [
            v.name
            for v in tree.visible(base)
            if v.name != base.name and is_pointer(v) and pointee(v) == pointee(base)
        ]
        for name in list(dict.fromkeys(reversed(found)))[:3]:
            yield Edit("wrong array", base.start, base.end, name)


def copies(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A copy too short, the wrong way, from the wrong place or missing; too little memory."""
    for p in (p for p in tree.under(body) if p.kind == "CALL_EXPR"):
        spans = arguments(tree, p)
        if does(p.name, "copy"):
            if span := whole_statement(tree, p):
                yield Edit("missing copy", *span, "")
            for a, b in spans[2:3]:
                text = tree.text[a:b]
                yield Edit("copy size", a, b, f"({text}) / 2")
                yield Edit("copy size", a, b, f"{text} - 4")
                if m := re.search(r" \* sizeof\([^()]*\)", text):
                    yield Edit("copy size", a + m.start(), a + m.end(), "")
            for a, b in spans[:2]:
                yield from _offset(tree.text, a, b)
        elif does(p.name, "fill") and (span := whole_statement(tree, p)):
            yield Edit("missing initialisation", *span, "")
        elif does(p.name, "allocate"):
            for a, b in spans[-1:]:
                text = tree.text[a:b]
                yield Edit("allocation size", a, b, f"({text}) / 2")
                if m := re.search(r" \* sizeof\([^()]*\)", text):
                    yield Edit("allocation size", a + m.start(), a + m.end(), "")
    for p in tree.under(body):
        if p.kind == "DECL_REF_EXPR":
            for other in table()["names"].get(p.name, ()):
                yield Edit("copy direction", p.end - len(p.name), p.end, other)


def _offset(text: str, a: int, b: int) -> Iterator[Edit]:
    if m := re.fullmatch(r"&(\w+)\[(.+)\]", text[a:b], re.S):
        yield Edit("copy offset", a, b, m[1])
        yield Edit("copy offset", a, b, f"&{m[1]}[{m[2]} + 1]")
    elif m := re.fullmatch(r"(\w+) \+ .+", text[a:b], re.S):
        yield Edit("copy offset", a, b, m[1])


def tiles(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A local array of another extent or in another memory; a variable without a first value."""
    for p in (p for p in tree.under(body) if p.kind == "VAR_DECL"):
        line = tree.text.rfind("\n", 0, p.start) + 1
        for word, new in table()["spaces"].items():
            at = tree.text.find(word + " ", line, p.end)
            if at >= 0:
                for other in new:
                    yield Edit("memory space", at, at + len(word), other)
        for m in re.finditer(r"\[(\d+)\]", tree.text[p.start : p.end].split("=")[0]):
            if int(m[1]) > 1:
                a, b = m.span(1)
                yield Edit("tile size", p.start + a, p.start + b, str(int(m[1]) // 2))
        yield from _uninitialised(tree, p)


def _uninitialised(tree: Tree, p: Piece) -> Iterator[Edit]:
    text = tree.of(p)
    at = text.find("=")
    if at < 0 or "const " in p.type[:6]:
        return
    around = next(tree.above(p), p)
    up = next(tree.above(around), p)
    changed = rf"(?<![\w.]){re.escape(p.name)} (?:[-+*/|&^]|>>|<<)?= "
    if up.kind == "COMPOUND_STMT" and re.search(changed, tree.text[p.end : up.end]):
        yield Edit("missing initialisation", p.start + len(text[:at].rstrip()), p.end, "")


OPERATORS = (indices, arrays, copies, tiles)
