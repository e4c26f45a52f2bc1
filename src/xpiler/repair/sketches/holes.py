"""The wrong text as a sketch: every place that may be a hole, and what may fill it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import Class, Edit, table
from xpiler.repair.faults.parallelism import operator_at
from xpiler.repair.faults.pieces import (
    arguments,
    bodies,
    does,
    is_integer,
    is_pointer,
    is_real,
    pointee,
    subscripts,
)
from xpiler.repair.sketches.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Fill:
    """One way to fill one hole: the edit, how unlikely it is (small first), the class of fault."""

    edit: Edit
    cost: float
    cls: Class


Maker = Callable[[Vocabulary, Piece], Iterator[Fill]]
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_GROUPS = (
    _COMPARISONS, ("+", "-", "*", "/", "%"), ("&&", "||"), ("<<", ">>"), ("&", "|", "^"),
    ("=", "+=", "-=", "*=", "/="), ("|=", "&=", "^="), ("<<=", ">>="),
)  # fmt: skip
_CLOSE = {
    frozenset(x)
    for x in (
        ("<", "<="),
        (">", ">="),
        ("+", "-"),
        ("+=", "="),
        ("*", "/"),
        ("+", "*"),
        ("==", "!="),
    )
}


def _fill(kind: str, p: Piece, new: str, cost: float, cls: Class) -> Fill:
    return Fill(Edit(kind, p.start, p.end, new), cost, cls)


def _kind_of(tree: Tree, p: Piece) -> Class:
    """The class of a fault in an integer expression, by where it stands."""
    below = p
    for q in tree.above(p):
        if q.kind == "ARRAY_SUBSCRIPT_EXPR":
            return "index"
        if q.kind in ("FOR_STMT", "IF_STMT", "WHILE_STMT") and below.kind != "COMPOUND_STMT":
            return "bound or guard"
        if q.kind == "CALL_EXPR":
            if "<<<" in tree.text[q.start : q.end] or q.name == "dim3":
                return "axis or mapping"
            if does(q.name, "copy") or does(q.name, "allocate"):
                return "staging"
            if q.stub:
                return "operand"
        if q.kind == "VAR_DECL":
            around = [x.kind for _, x in zip(range(2), tree.above(q), strict=False)]
            if around == ["DECL_STMT", "FOR_STMT"]:
                return "bound or guard"
            return "staging" if is_pointer(q) else "index"
        if q.kind == "COMPOUND_STMT":
            return "operand"
        below = q
    return "constant"


def undone(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Something is too much: an operand of an expression in the place of the whole."""
    tree = v.tree
    for p in tree.under(body):
        kids = tree.kids(p)
        if p.kind != "BINARY_OPERATOR" or len(kids) != 2 or p.op in ("=", *_COMPARISONS):
            continue
        small = kids[1].kind == "INTEGER_LITERAL"
        cls: Class = "operand" if is_real(p) else _kind_of(tree, p)
        for n, k in enumerate(kids):
            if k.kind == "INTEGER_LITERAL" and n == 1:
                continue
            cost = 1.0 if small and n == 0 else 2.4
            yield _fill("simpler", p, _unwrapped(tree, k), cost, cls)
        inner = _open(tree, kids[0])
        if small and inner.kind == "BINARY_OPERATOR" and len(tree.kids(inner)) == 2:
            yield _fill("simpler", p, _unwrapped(tree, tree.kids(inner)[0]), 1.2, cls)


def _open(tree: Tree, p: Piece) -> Piece:
    while p.kind == "PAREN_EXPR" and tree.kids(p):
        p = tree.kids(p)[0]
    return p


def _unwrapped(tree: Tree, p: Piece) -> str:
    inner = _open(tree, p)
    simple = inner.kind != "BINARY_OPERATOR" or inner.op in ("*", "/", "%")
    return tree.of(inner) if simple and inner.kind != "CONDITIONAL_OPERATOR" else tree.of(p)


def operators(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another operator of the same sort, the other arm of a choice, a condition the other way."""
    tree = v.tree
    for p in tree.under(body):
        kids = tree.kids(p)
        if p.kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") and len(kids) == 2:
            group = next((g for g in _GROUPS if p.op in g), ())
            cls: Class = "bound or guard" if p.op in _COMPARISONS else (
                _kind_of(tree, p) if is_integer(p) else "operand")  # fmt: skip
            for op in group:
                if op == p.op or (op == "%" and not is_integer(p)):
                    continue
                close = frozenset((op, p.op)) in _CLOSE
                cost = 1.2 if close else 1.8
                if p.op == "=" and not is_real(kids[0]) and not is_integer(kids[0]):
                    continue
                yield Fill(Edit("operator", *operator_at(tree, p), op), cost, cls)
            if p.op in ("-", "/") and is_real(p):
                new = f"{tree.of(kids[1])} {p.op} {tree.of(kids[0])}"
                yield _fill("operands swapped", p, new, 2.5, "operand")
        elif p.kind == "CONDITIONAL_OPERATOR" and len(kids) == 3:
            a, b, text = kids[1], kids[2], tree.text
            new = f"{tree.of(b)}{text[a.end : b.start]}{tree.of(a)}"
            yield Fill(Edit("choice swapped", a.start, b.end, new), 1.3, "operand")
        elif p.kind == "UNARY_OPERATOR" and p.op in ("-", "!") and kids:
            yield _fill("simpler", p, tree.of(kids[0]), 2.2, "operand")
        if p.kind in ("FLOATING_LITERAL",) or (p.kind == "DECL_REF_EXPR" and is_real(p)):
            yield _fill("sign", p, f"-{tree.of(p)}", 3.2, "operand")


def integers(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another number or variable in the place of an integer, or a neighbour of it."""
    tree = v.tree
    for p in tree.under(body):
        text = tree.of(p)
        if p.kind == "INTEGER_LITERAL":
            yield from _literal(v, p, text)
        elif p.kind == "DECL_REF_EXPR" and is_integer(p) and not p.stub:
            yield from _named(v, p, text)
        elif p.kind == "BINARY_OPERATOR" and is_integer(p) and p.op in ("+", "-", "*", "/", "%"):
            up = next(tree.above(p), p)
            if up.kind in ("ARRAY_SUBSCRIPT_EXPR", "VAR_DECL", "CALL_EXPR", "BINARY_OPERATOR"):
                cls = _kind_of(tree, p)
                low = p.op in ("*", "/", "%") or up.kind != "BINARY_OPERATOR" or up.op in (
                    *_COMPARISONS, "+", "=")  # fmt: skip
                shown = text if low else f"({text})"
                yield _fill("one more", p, f"{shown} + 1", 2.4, cls)
                yield _fill("one less", p, f"{shown} - 1", 2.4, cls)


def _literal(v: Vocabulary, p: Piece, text: str) -> Iterator[Fill]:
    m = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)([uUlL]*)", text)
    if m is None:
        return
    cls, value, suffix = _kind_of(v.tree, p), int(m[1], 0), m[2]
    if cls == "operand":
        cls = "constant"
    if m[1][:2] in ("0x", "0X"):
        yield _fill("mask", p, f"0xffffffff{suffix}", 0.7, "operand")
        yield _fill("mask", p, f"0x{'f' * (len(m[1]) - 2)}{suffix}", 0.8, "operand")
        return
    near = [value - 1, value + 1, value * 2, value // 2, value * 4, value // 4, 0, 1]
    for rank, new in enumerate(dict.fromkeys(n for n in near if n >= 0 and n != value)):
        yield _fill("number", p, f"{new}{suffix}", 1.2 + 0.1 * rank, cls)
    known = [n for n in v.integers if n.isdigit() and int(n) not in (*near, value)]
    for rank, word in enumerate(known[:16]):
        yield _fill("number", p, word, 1.7 + 0.1 * rank, cls)
    for rank, word in enumerate([*v.macros, *v.integers_at(p)][:12]):
        yield _fill("variable", p, word, 1.9 + 0.1 * rank, cls)
    for rank, word in enumerate(v.places if v.at_device(p) else ()):
        yield _fill("place", p, word, 2.0 + 0.1 * rank, "axis or mapping")


def _named(v: Vocabulary, p: Piece, text: str) -> Iterator[Fill]:
    tree, cls = v.tree, _kind_of(v.tree, p)
    up = next(tree.above(p), p)
    if up.kind == "UNARY_OPERATOR" or (up.op.endswith("=") and up.op not in _COMPARISONS
                                       and tree.kids(up)[0] is p):  # fmt: skip
        return
    for rank, name in enumerate(n for n in v.integers_at(p) if n != p.name):
        yield _fill("variable", p, name, 1.4 + 0.1 * rank, cls)
    for rank, word in enumerate([*v.macros, *(n for n in v.integers if n not in ("0", "1"))][:8]):
        yield _fill("number", p, word, 2.2 + 0.1 * rank, cls)
    bare = up.op in _COMPARISONS or up.kind in ("ARRAY_SUBSCRIPT_EXPR", "VAR_DECL", "CALL_EXPR")
    one, two = (f"{text} + 1", f"{text} - 1") if bare else (f"({text} + 1)", f"({text} - 1)")
    yield _fill("one more", p, one, 2.2, cls)
    yield _fill("one less", p, two, 2.2, cls)
    if bare:
        yield _fill("double", p, f"{text} * 2", 3.0, cls)
        yield _fill("half", p, f"{text} / 2", 3.0, cls)


def terms(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A term or a factor of an index, an offset, a bound or a size is missing."""
    tree = v.tree
    places: dict[int, Piece] = {index.at: index for _, index in subscripts(tree, body)}
    for p in tree.under(body):
        if p.kind == "VAR_DECL" and (is_integer(p) or is_pointer(p)) and "=" in tree.of(p):
            places |= {k.at: k for k in tree.kids(p)[-1:] if k.is_expr}
        elif p.kind == "CALL_EXPR":
            places |= {k.at: k for k in tree.kids(p)[1:] if is_integer(k) or is_pointer(k)}
        elif p.kind == "BINARY_OPERATOR" and p.op in _COMPARISONS and len(tree.kids(p)) == 2:
            places[tree.kids(p)[1].at] = tree.kids(p)[1]
    for p in places.values():
        yield from _term(v, p)
        if not is_pointer(p):
            for k in tree.under(p):
                if k.at != p.at and k.kind == "DECL_REF_EXPR" and is_integer(k) and not k.stub:
                    yield from _factors(v, k, 3.2)
                if k.at != p.at and _is_factor(tree, k):
                    yield from _term(v, k, 0.6)
    yield from _from_source(v, body)


def _is_factor(tree: Tree, p: Piece) -> bool:
    """Whether a piece is an integer that is multiplied: a sum may be missing there."""
    up = next(tree.above(p), p)
    return is_integer(p) and p.is_expr and up.op == "*" and up.kind == "BINARY_OPERATOR"


def _from_source(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """The access functions that the right program has for an array of the same name."""
    tree = v.tree
    for p, index in subscripts(tree, body):
        base = tree.kids(p)[0]
        given = v.accesses.get(base.name.removeprefix("d_"), ())
        plain = index.kind in ("DECL_REF_EXPR", "INTEGER_LITERAL")
        for rank, text in enumerate(_sayable(v, p, given)):
            more = 0.6 if plain and not text.isidentifier() else 0.0  # the smallest change first
            yield _fill("index", index, text, 0.9 + more + 0.05 * rank, "index")
    for p in tree.under(body):
        if p.kind == "CALL_EXPR" and p.stub:
            for k in tree.kids(p)[1:]:
                if k.kind == "DECL_REF_EXPR" and is_pointer(k):
                    for rank, text in enumerate(_sayable(v, p, v.accesses.get(k.name, ()))):
                        yield _fill("index", k, f"&{k.name}[{text}]", 1.0 + 0.1 * rank, "index")


def from_source(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """What the right program gives to a variable of the same name, or compares with."""
    tree = v.tree
    for p in tree.under(body):
        kids = tree.kids(p)
        if p.op in _COMPARISONS and len(kids) == 2 and is_integer(kids[1]):
            for rank, text in enumerate(_sayable(v, p, v.bounds)):
                yield _fill("bound", kids[1], text, 1.4 + 0.1 * rank, _kind_of(tree, kids[1]))
        if p.kind == "DECL_REF_EXPR" and p.name in v.offsets and next(tree.above(p)).op != "+":
            for rank, text in enumerate(_sayable(v, p, v.offsets[p.name])):
                cost = (0.9 if is_pointer(p) else 1.6) + 0.1 * rank
                yield _fill("offset", p, f"{p.name} + {text}", cost, "index")
        target, value = _set(tree, p)
        if value is not None:
            for rank, text in enumerate(_sayable(v, p, v.values.get(target, ()))):
                cls: Class = "operand" if is_real(value) else "index"
                yield _fill("value", value, text, 0.8 + 0.1 * rank, cls)


def _set(tree: Tree, p: Piece) -> tuple[str, Piece | None]:
    """The variable or array that a declaration or an assignment gives a value, and the value."""
    kids = tree.kids(p)
    if p.kind == "VAR_DECL" and kids and kids[-1].is_expr and "=" in tree.of(p):
        return p.name, kids[-1]
    if p.op in ("=", "+=", "-=", "*=", "/=") and len(kids) == 2:
        name = re.match(r"\w+", tree.of(kids[0]))
        return (name[0] if name else ""), kids[1]
    return "", None


def _sayable(v: Vocabulary, p: Piece, texts: Iterable[str]) -> list[str]:
    """The texts in names that are known at a place."""
    return list(dict.fromkeys(a for t in texts for a in v.adapted(t, p, 2)))[:6]


def _term(v: Vocabulary, p: Piece, more: float = 0.0) -> Iterator[Fill]:
    tree, cls, text = v.tree, _kind_of(v.tree, p), v.tree.of(p)
    if is_pointer(p) and p.kind not in ("DECL_REF_EXPR", "BINARY_OPERATOR"):
        return
    names = {k.name for k in tree.under(p) if k.kind == "DECL_REF_EXPR"}
    whole = "{}" if more == 0 else "({})"
    for rank, t in enumerate(t for t in v.summands(p) if t not in names and t != text):
        cost = 1.5 if t in v.places and "Idx" in text else 2.2 + 0.04 * rank
        yield _fill("term", p, whole.format(f"{text} + {t}"), cost + more, cls)
    if not is_pointer(p) and more == 0:
        yield from _factors(v, p, 2.4)


def _factors(v: Vocabulary, p: Piece, cost: float) -> Iterator[Fill]:
    text, cls = v.tree.of(p), _kind_of(v.tree, p)
    shown = text if p.kind != "BINARY_OPERATOR" or p.op == "*" else f"({text})"
    if "sizeof" not in text and cls in ("staging", "operand"):
        for rank, name in enumerate(v.types[:3]):
            yield _fill("element size", p, f"{shown} * sizeof({name})", 1.1 + 0.2 * rank, cls)
    numbers = [n for n in v.integers if n not in ("0", "1")][:6]
    for rank, t in enumerate([*[*v.integers_at(p), *v.macros][:10], *numbers]):
        if t != text:
            yield _fill("factor", p, f"{shown} * {t}", cost + 0.1 * rank, cls)


def names(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another array, names the other way round, another axis, another word of the platform."""
    tree, words = v.tree, table()
    inverse: dict[str, list[str]] = {}
    for name, wrong in words["names"].items():
        for w in wrong:
            inverse.setdefault(w, []).append(name)
    for p in tree.under(body):
        if p.kind == "DECL_REF_EXPR" and is_pointer(p) and not p.stub:
            up = next(tree.above(p))
            bytes_ = up.kind == "CALL_EXPR" and (does(up.name, "copy") or does(up.name, "fill"))
            found = [
                x.name for x in tree.visible(p)
                if x.name != p.name and is_pointer(x) and (bytes_ or pointee(x) == pointee(p))
            ]  # fmt: skip
            for rank, name in enumerate(list(dict.fromkeys(reversed(found)))[:24]):
                yield _fill("array", p, name, 1.4 + 0.06 * rank, "index")
        if p.kind == "DECL_REF_EXPR":
            for group in words["axes"]:
                for rank, other in enumerate(o for o in group if p.name in group and o != p.name):
                    yield _fill("axis", p, other, 1.3 + 0.1 * rank, "axis or mapping")
            for rank, other in enumerate(_enumerators(p, words["names"], inverse)):
                new = tree.of(p)[: -len(p.name)] + other
                yield _fill("enumerator", p, new, 1.1 + 0.1 * rank, "staging")
        if p.kind == "MEMBER_REF_EXPR" and p.name in words["dimensions"]:
            for rank, d in enumerate(d for d in words["dimensions"] if d != p.name):
                edit = Edit("dimension", p.end - len(p.name), p.end, d)
                yield Fill(edit, 1.2 + 0.2 * rank, "axis or mapping")
    yield from _exchanged(v, body)


def _enumerators(p: Piece, names: dict[str, list[str]], inverse: dict[str, list[str]]) -> list[str]:
    if p.name not in names and p.name not in inverse:
        return []
    near = [*inverse.get(p.name, ()), *names.get(p.name, ())]
    sort = re.sub(r"[A-Z]+2[A-Z]+|HostTo\w+|DeviceTo\w+|DevTo\w+|row|col", "#", p.name)
    alike = [n for n in names if re.sub(
        r"[A-Z]+2[A-Z]+|HostTo\w+|DeviceTo\w+|DevTo\w+|row|col", "#", n) == sort]  # fmt: skip
    return [n for n in dict.fromkeys([*near, *alike]) if n != p.name]


def _exchanged(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    tree = v.tree
    for p in tree.under(body):
        if p.kind == "BINARY_OPERATOR" and is_integer(p):
            used = [k for k in tree.under(p) if k.kind == "DECL_REF_EXPR" and is_integer(k)]
            for one, two in itertools.combinations(used, 2):
                if one.name != two.name and one.end < two.start:
                    between = tree.text[one.end : two.start]
                    edit = Edit("names exchanged", one.start, two.end,
                                f"{tree.of(two)}{between}{tree.of(one)}")  # fmt: skip
                    yield Fill(edit, 1.4, "index")
        if p.kind == "CALL_EXPR":
            spans, text = arguments(tree, p), tree.text
            cls: Class = "axis or mapping" if p.name == "dim3" else "operand"
            for (a, b), (c, d) in itertools.combinations(spans, 2):
                if text[a:b] != text[c:d]:
                    new = f"{text[c:d]}{text[b:c]}{text[a:b]}"
                    yield Fill(Edit("operands exchanged", a, d, new), 1.6, cls)
    for m in re.finditer(
        r"\bdim3 \w+\(([^;]*)\);|= \{([^{};]*)\};", tree.text[body.start : body.end]
    ):
        group = 1 if m[1] is not None else 2
        first = body.start + m.start(group)
        parts = m[group].split(", ")
        for i, j in itertools.combinations(range(min(len(parts), 3)), 2):
            swapped = list(parts)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            if swapped != parts:
                edit = Edit("shape exchanged", first, first + len(m[group]), ", ".join(swapped))
                yield Fill(edit, 1.5, "axis or mapping")


def everything(v: Vocabulary) -> Iterator[Fill]:
    """All fills of all holes; the same edit may come twice."""
    from xpiler.repair.sketches import computing, missing, placing

    makers: tuple[Maker, ...] = (undone, operators, integers, names, terms, from_source,
                                 *computing.MAKERS, *placing.MAKERS, *missing.MAKERS)  # fmt: skip
    for body in bodies(v.tree, helpers=True):
        for maker in makers:
            yield from maker(v, body)
    yield from placing.macros(v)
