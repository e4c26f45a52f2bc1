"""Mistakes in what is computed: instructions and their operands, operators, constants, types."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import Edit, table
from xpiler.repair.faults.parallelism import operator_at
from xpiler.repair.faults.pieces import (
    arguments,
    does,
    is_integer,
    is_pointer,
    is_real,
    pointee,
    whole_statement,
)  # fmt: skip

_MASK = re.compile(r"0x[fF]{4,16}(?:[uU][lL]{0,2})?")
_POWER = {2**k for k in range(3, 10)}
_WORDS = re.compile(r"[A-Za-z]+\d?|\d+")


def renamed(name: str) -> list[str]:
    """Names of functions that this one is taken for: one part of it is another word."""
    parts = table()["parts"]
    found = []
    for m in _WORDS.finditer(name):
        word = m[0]
        stems = [word, word.removesuffix("f"), re.sub(r"\d$", "", word)]
        for stem in dict.fromkeys(stems):
            for new in parts.get(stem, ()):
                found.append(name[: m.start()] + new + word[len(stem) :] + name[m.end() :])
    return found


def calls(tree: Tree, body: Piece) -> Iterator[Edit]:
    """Another instruction, its operands the wrong way round, another operand, length or lane."""
    for p in (p for p in tree.under(body) if p.kind == "CALL_EXPR" and p.name):
        at = tree.text.find(p.name, p.start, p.end)
        boring = any(does(p.name, w) for w in ("copy", "allocate", "free", "barrier", "wait"))
        if boring or at < 0 or "<<<" in tree.of(p):
            continue
        for new in renamed(p.name):
            kind = "wrong lane" if does(p.name, "shuffle") else "wrong instruction"
            yield Edit(kind, at, at + len(p.name), new)
        yield from _operands(tree, p)
        if whole_statement(tree, p) and not does(p.name, "fill"):
            yield Edit("dropped statement", *_span(tree, p), "")


def _span(tree: Tree, p: Piece) -> tuple[int, int]:
    return whole_statement(tree, p) or (p.start, p.end)


def _operands(tree: Tree, call: Piece) -> Iterator[Edit]:
    spans = arguments(tree, call)
    pieces = {(k.start, k.end): k for k in tree.kids(call)}
    operands = [(s, pieces.get(s)) for s in spans]
    for (one, p), (two, q) in itertools.pairwise(operands):
        if p and q and p.type == q.type and tree.of(p) != tree.of(q):
            text = tree.text
            new = f"{text[slice(*two)]}{text[one[1] : two[0]]}{text[slice(*one)]}"
            yield Edit("swapped operands", one[0], two[1], new)
    shuffled = does(call.name, "shuffle")
    for (a, b), q in operands:
        text = tree.text[a:b]
        if q is not None and q.kind == "DECL_REF_EXPR" and is_pointer(q):
            for name in _alike(tree, q)[:2]:
                yield Edit("wrong operand", a, b, name)
        elif q is not None and is_integer(q) and not _MASK.fullmatch(text):
            kind = "wrong lane" if shuffled else "instruction length"
            if call.name.startswith(("__", "_mm")) or shuffled:
                yield Edit(kind, a, b, f"({text}) / 2")
                yield Edit(kind, a, b, f"{text} - 1")


def _alike(tree: Tree, p: Piece) -> list[str]:
    found = [
        v.name
        for v in tree.visible(p)
        if v.name != p.name and is_pointer(v) and pointee(v) == pointee(p)
    ]
    return list(dict.fromkeys(reversed(found)))


def operators(tree: Tree, body: Piece) -> Iterator[Edit]:
    """Another operator, a term, statement or cast too few, the wrong side of a choice."""
    conditions = ("FOR_STMT", "IF_STMT", "WHILE_STMT")
    for p in tree.under(body):
        kids = tree.kids(p)
        if p.kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") and len(kids) == 2:
            up = next(tree.above(p), None)
            if p.op in ("<", "<=", ">", ">=") and up is not None and up.kind in conditions:
                continue  # a bound or a guard
            for op in table()["operators"].get(p.op, ()):
                yield Edit("wrong operator", *operator_at(tree, p), op)
            if p.op in ("+", "-", "*") and is_real(p):
                yield Edit("dropped term", p.start, p.end, tree.of(kids[0]))
            if (p.op == "=" or p.kind.startswith("COMP")) and whole_statement(tree, p):
                yield Edit("dropped statement", *_span(tree, p), "")
        elif p.kind == "CONDITIONAL_OPERATOR" and len(kids) == 3:
            a, b, text = kids[1], kids[2], tree.text
            new = f"{tree.of(b)}{text[a.end : b.start]}{tree.of(a)}"
            yield Edit("swapped choice", a.start, b.end, new)
        elif p.kind == "CSTYLE_CAST_EXPR" and len(kids) == 1 and is_real(p):
            yield Edit("dropped cast", p.start, p.end, tree.of(kids[0]))


def constants(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A number that is nearly right, half or twice a width, some lanes of a mask."""
    for p in tree.under(body):
        text = tree.of(p)
        if p.kind == "FLOATING_LITERAL":
            m = re.match(r"[\d.]+(?:e[-+]?\d+)?", text)
            if m:
                value = float(m[0])
                new = repr(value * (1 + 1 / 64)) if value else "0.125"
                yield Edit("wrong constant", p.start, p.start + m.end(), new)
        elif p.kind == "INTEGER_LITERAL" and text.isdigit() and p.start + len(text) == p.end:
            yield Edit("wrong constant", p.start, p.end, str(int(text) + 1))
            if int(text) in _POWER:
                yield Edit("wrong width", p.start, p.end, str(int(text) // 2))
                yield Edit("wrong width", p.start, p.end, str(int(text) * 2))
        elif p.kind == "INTEGER_LITERAL" and _MASK.fullmatch(text):
            yield Edit("wrong mask", p.start, p.end, text.replace("f", "", len(text) // 2)
                       .replace("F", "", len(text) // 2 if "F" in text else 0))  # fmt: skip
    for m in re.finditer(r"-INFINITY|\bINFINITY", tree.text[body.start : body.end]):
        yield Edit("wrong constant", body.start + m.start(), body.start + m.end(), "0.0f")


def types(tree: Tree, body: Piece) -> Iterator[Edit]:
    """A local variable of a narrower type."""
    for p in (p for p in tree.under(body) if p.kind == "VAR_DECL"):
        m = re.match(r"(?:(?:static|const|__\w+__) )*", tree.of(p))
        at = p.start + (m.end() if m else 0)
        for word, new in table()["types"].items():
            if re.match(rf"{word}\b(?! (?:long|int|char|short))(?! \*)", tree.text[at : p.end]):
                for other in new:
                    yield Edit("narrowed type", at, at + len(word), other)


OPERATORS = (calls, operators, constants, types)
