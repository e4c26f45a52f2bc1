"""Holes in what is computed: functions, operands, constants, types, terms of real expressions."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from xpiler.frontend.syntax import Piece
from xpiler.repair.faults.instruction import renamed
from xpiler.repair.faults.model import Edit, table
from xpiler.repair.faults.pieces import arguments, does, is_integer, is_pointer, is_real
from xpiler.repair.sketches.holes import Fill, _fill
from xpiler.repair.sketches.signatures import alike, nearest
from xpiler.repair.sketches.vocabulary import Vocabulary

_SPECIAL = ("0.0f", "1.0f", "-INFINITY", "INFINITY", "0.5f", "-1.0f", "2.0f", "-FLT_MAX")


@cache
def _taken_for() -> dict[str, list[str]]:
    """Parts of names by what they are mistaken as: the table the other way round."""
    found: dict[str, list[str]] = defaultdict(list)
    for word, wrong in table()["parts"].items():
        for w in wrong:
            found[w].append(word)
    return found


def _better(name: str) -> list[str]:
    """Names that a wrong one may have stood for."""
    found = renamed(name)
    for m in re.finditer(r"[A-Za-z]+\d?|\d+", name):
        word = m[0]
        for stem in dict.fromkeys((word, word.removesuffix("f"), re.sub(r"\d$", "", word))):
            for new in _taken_for().get(stem, ()):
                found.append(name[: m.start()] + new + word[len(stem) :] + name[m.end() :])
    return list(dict.fromkeys(n for n in found if n != name))


def functions(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another function of a like name, or one that either text calls with as many operands."""
    tree = v.tree
    calls = [p for p in tree.pieces if p.kind == "CALL_EXPR" and p.name and "<<<" not in tree.of(p)]
    arity: dict[str, int] = {p.name: len(arguments(tree, p)) for p in calls}
    for p in tree.under(body):
        if p.kind != "CALL_EXPR" or not p.name or "<<<" in tree.of(p):
            continue
        at = tree.text.find(p.name, p.start, p.end)
        if at < 0 or does(p.name, "allocate") or does(p.name, "free"):
            continue
        same = [n for n, k in arity.items() if k == arity[p.name] and n != p.name]
        known = [n for n in same if _stem(n) == _stem(p.name)]
        for rank, name in enumerate(dict.fromkeys([*_better(p.name), *known])):
            listed = 0.0 if name in v.words or name in alike(v.platform) else 0.4
            edit = Edit("function", at, at + len(p.name), name)
            yield Fill(edit, 1.1 + listed + 0.05 * rank, "operand")
        yield from _same_operands(v, p, at)
        spans = arguments(tree, p)
        if len(spans) == 1 and is_real(p):
            yield _fill("simpler", p, tree.text[slice(*spans[0])], 3.0, "operand")


def _same_operands(v: Vocabulary, p: Piece, at: int) -> Iterator[Fill]:
    """Any function of the platform that takes the same operands."""
    others = alike(v.platform).get(p.name, ()) if p.stub else ()
    likely = [n for n in others if n in v.words]
    rest = [n for n in others if n not in v.words and _stem(n) == _stem(p.name)]
    for rank, name in enumerate([*nearest(p.name, likely, 8), *nearest(p.name, rest, 24)]):
        edit = Edit("function", at, at + len(p.name), name)
        yield Fill(edit, (1.4 if name in v.words else 1.8) + 0.03 * rank, "operand")


def _stem(name: str) -> str:
    """What names of a family have in common: `__bang_`, `_mm512_`, nothing for `expf`."""
    m = re.match(r"__bang_|_mm\d*_|__", name)
    return m[0] if m else ""


def constants(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another real number: one near by that is known or that either text has, or another one."""
    tree = v.tree
    for p in tree.under(body):
        text = tree.of(p)
        m = re.fullmatch(r"([\d.]+(?:[eE][-+]?\d+)?)([fFlL]?)", text)
        if p.kind == "FLOATING_LITERAL" and m:
            value, suffix = float(m[1]), m[2]
            for rank, word in enumerate(v.near(value)):
                new = word.rstrip("fFlL")
                new = new if re.search(r"[.e]", new) else f"{new}.0"
                yield _fill("constant", p, new + suffix, 0.8 + 0.05 * rank, "constant")
            others = [r for r in v.reals if r.rstrip("fFlL") != m[1]]
            for rank, word in enumerate([*others[:8], *_SPECIAL]):
                yield _fill("constant", p, word, 1.6 + 0.1 * rank, "constant")
            for factor in (2.0, 0.5):
                yield _fill("constant", p, f"{value * factor!r}{suffix}", 2.4, "constant")
    for m in re.finditer(r"-?\b(?:INFINITY|FLT_MAX|HUGE_VALF)\b", tree.text[body.start : body.end]):
        for new in {"-INFINITY", "INFINITY", "0.0f"} - {m[0]}:
            edit = Edit("constant", body.start + m.start(), body.start + m.end(), new)
            yield Fill(edit, 1.8, "constant")


def types(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A variable of a wider type; a conversion before an operation."""
    tree = v.tree
    wider: dict[str, list[str]] = defaultdict(list)
    for word, narrow in table()["types"].items():
        for n in narrow:
            wider[n].append(word)
    for p in tree.under(body):
        if p.kind == "VAR_DECL":
            yield from _wider(v, p, wider)
        elif p.kind == "BINARY_OPERATOR" and p.op in ("/", "*") and is_integer(p):
            first = tree.kids(p)[0]
            if first.kind == "DECL_REF_EXPR" and v.reals:
                yield _fill("conversion", first, f"(float){tree.of(first)}", 2.8, "type")


def _wider(v: Vocabulary, p: Piece, wider: dict[str, list[str]]) -> Iterator[Fill]:
    tree = v.tree
    m = re.match(r"(?:(?:static|const|__\w+__|alignas\(\w+\)) )*", tree.of(p))
    at = p.start + (m.end() if m else 0)
    written = re.match(r"(?:unsigned |signed |long )*\w+", tree.text[at : p.end])
    if written is None:
        return
    likely = wider.get(written[0], [])
    others = ["float", "int", "unsigned", "int64_t", "double"]
    fit = [o for o in others if (o in ("float", "double")) == is_real(p)]
    for rank, word in enumerate(dict.fromkeys([*likely, *fit])):
        if word != written[0]:
            cost = (1.3 if word in likely and written[0] != "int" else 3.0) + 0.1 * rank
            cost -= 0.6 if word in likely and written[0] not in v.source else 0.0
            edit = Edit("type", at, at + len(written[0]), word)
            yield Fill(edit, cost, "type")


def real_terms(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A term or a factor of a real expression is missing, or a function around it."""
    tree = v.tree
    places = []
    for p in tree.under(body):
        kids = tree.kids(p)
        if p.kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") and len(kids) == 2:
            if p.op in ("=", "+=", "-=", "*=", "/=") and is_real(kids[1]):
                places += [q for q in tree.under(kids[1]) if is_real(q) and q.kind in _TERMS]
        elif p.kind == "VAR_DECL" and is_real(p) and not is_pointer(p) and kids:
            places += [q for q in tree.under(kids[-1]) if is_real(q) and q.kind in _TERMS]
        elif p.kind == "CALL_EXPR" and is_real(p):
            places += [k for k in kids[1:] if is_real(k) and k.kind in _TERMS]
    for p in {q.at: q for q in places}.values():
        yield from _real(v, p)


_TERMS = ("DECL_REF_EXPR", "ARRAY_SUBSCRIPT_EXPR", "CALL_EXPR", "BINARY_OPERATOR", "PAREN_EXPR")
_MATH = re.compile(r"\b((?:exp|log|sqrt|rsqrt|tanh|fabs|sin|cos|erf|floor|ceil|rint)f?)\s*\(")


def _real(v: Vocabulary, p: Piece) -> Iterator[Fill]:
    tree, text = v.tree, v.tree.of(p)
    function = tree.function(p)
    seen = {x.name for x in tree.visible(p)}
    found = [n for n in v.reals_at(p) if n != text]
    for q in tree.under(function) if function is not None else ():
        if q.kind in ("ARRAY_SUBSCRIPT_EXPR", "CALL_EXPR") and is_real(q) and len(tree.of(q)) < 60:
            names = {k.name for k in tree.under(q) if k.kind == "DECL_REF_EXPR" and not k.stub}
            if names and names <= seen and tree.of(q) != text:
                found.append(tree.of(q))
    shown = text if p.kind not in ("BINARY_OPERATOR",) or p.op == "*" else f"({text})"
    for rank, t in enumerate([*dict.fromkeys(found)][:8] + v.reals[:4]):
        for k, op in enumerate(("*", "+", "-", "/")):
            base = text if op in "+-" else shown
            yield _fill("term", p, f"{base} {op} {t}", 2.0 + 0.08 * rank + 0.2 * k, "operand")
    for name in dict.fromkeys(_MATH.findall(v.source)):
        if f"{name}(" not in text:
            yield _fill("function", p, f"{name}({text})", 3.0, "operand")


MAKERS = (functions, constants, types, real_terms)
