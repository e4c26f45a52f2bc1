"""Statements that are missing, by what is left over: arrays that nobody reads or nobody writes."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from xpiler.frontend.syntax import Piece, Tree
from xpiler.neural.instructions import instructions
from xpiler.platforms.registry import platform
from xpiler.repair.faults.model import Edit
from xpiler.repair.faults.pieces import (
    arguments,
    does,
    is_integer,
    is_pointer,
    pointee,
    whole_statement,
)
from xpiler.repair.sketches.gaps import NAME, gaps
from xpiler.repair.sketches.holes import Fill
from xpiler.repair.sketches.vocabulary import Vocabulary

_MOST_LENGTHS, _MOST_FORMS = 3, 2


@dataclass
class Leftover:
    """The local arrays of a body: those that are written and not read, and the other way round.

    `forms` are the operands that name each array, `lengths` integer operands, the most frequent
    first, `called` the functions.
    """

    unread: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lengths: list[str] = field(default_factory=list)
    called: Counter[str] = field(default_factory=Counter)

    @property
    def names(self) -> set[str]:
        return self.unread | self.unset


def leftover(tree: Tree, body: Piece) -> Leftover:
    """What is left over in a body."""
    found = Leftover()
    read: set[str] = set()
    written: set[str] = set()
    lengths: Counter[str] = Counter()
    for p in tree.under(body):
        if p.kind == "VAR_DECL" and p.type.endswith("]"):
            found.kinds[p.name] = pointee(p)
        elif p.kind == "DECL_REF_EXPR" and p.name in found.kinds:
            for names, said in ((read, _reads), (written, _writes)):
                if said(tree, p):
                    names.add(p.name)
        elif p.kind == "CALL_EXPR" and p.stub and whole_statement(tree, p):
            found.called[p.name] += 1
            for (a, b), k in zip(arguments(tree, p), tree.kids(p)[1:], strict=False):
                text = tree.text[a:b]
                if is_integer(k) and not does(p.name, "copy"):
                    lengths[text] += 1
                for name in set(NAME.findall(text)) & found.kinds.keys():
                    found.forms[name][text] += "[" not in text
    found.unread, found.unset = written - read, read - written
    found.lengths = [n for n, _ in lengths.most_common(_MOST_LENGTHS)]
    return found


def _operand(tree: Tree, p: Piece) -> tuple[Piece, int] | None:
    """The platform's call that a name stands in, and as which operand."""
    for q in tree.above(p):
        if q.kind == "CALL_EXPR":
            spans = arguments(tree, q)
            place = next((n for n, (a, b) in enumerate(spans) if a <= p.start < b), -1)
            return (q, place) if q.stub and place >= 0 else None
    return None


def _assigned(tree: Tree, p: Piece) -> Piece | None:
    """The assignment whose left side is an element of the array that is named."""
    below = p
    for q in tree.above(p):
        if q.kind not in ("ARRAY_SUBSCRIPT_EXPR", "PAREN_EXPR"):
            left = q.op in ("=", "+=", "-=", "*=", "/=") and tree.kids(q)[0] is below
            return q if left else None
        if q.kind == "ARRAY_SUBSCRIPT_EXPR" and tree.kids(q)[0] is not below:
            return None
        below = q
    return None


def _writes(tree: Tree, p: Piece) -> bool:
    call = _operand(tree, p)
    return _assigned(tree, p) is not None if call is None else call[1] == 0


def _reads(tree: Tree, p: Piece) -> bool:
    """Whether it is read for something else than itself."""
    call = _operand(tree, p)
    if call is None:
        return _assigned(tree, p) is None
    first = arguments(tree, call[0])[0]
    return call[1] > 0 and p.name not in NAME.findall(tree.text[slice(*first)])


@dataclass(frozen=True, slots=True)
class Form:
    """An instruction: types of what it writes and reads, whether a number and a length follow."""

    name: str
    to: str
    sources: tuple[str, ...]
    number: bool
    length: bool


@cache
def forms(name: str) -> Sequence[Form]:
    """Instructions on whole arrays of the platform called `name`."""
    found = []
    for i in instructions(platform(name).words):
        m = re.fullmatch(rf"void {i.name}\((.*)\)", i.signature)
        params = [p.rsplit(" ", 1)[0] for p in m[1].split(", ")] if m and m[1] else []
        if len(params) < 2 or not re.fullmatch(r"\w+ \*", params[0]) or params[-1] != "int":
            continue
        sources = list(itertools.takewhile(lambda t: t.startswith("const "), params[1:-1]))
        rest = params[1 + len(sources) : -1]
        if len(rest) <= 1 and len(sources) <= 2 and not any("*" in t for t in rest):
            types = tuple(s.removeprefix("const ")[:-2] for s in sources)
            found.append(Form(i.name, params[0][:-2], types, bool(rest), True))
    return found


def _operands(left: Leftover, form: Form) -> Iterator[tuple[str, ...]]:
    """Arrays for an instruction that makes use of what is left over."""
    into = sorted(left.unset) or [n for n in left.forms if n not in left.unread]
    for to in into:
        kind = left.kinds[to]
        if form.to not in (kind, "T"):
            continue
        wanted = [kind if s == "T" else s for s in form.sources]
        pools = [[n for n in (*sorted(left.unread), to, *left.forms) if left.kinds[n] == w]
                 for w in wanted]  # fmt: skip
        for chosen in itertools.product(*(list(dict.fromkeys(p))[:5] for p in pools)):
            uses = len(left.unread & set(chosen))
            fresh = to in left.unset and to in chosen
            if not fresh and uses >= min(len(left.unread), len(wanted), 1):
                yield (to, *chosen)


def _spelled(left: Leftover, name: str) -> list[str]:
    found = [t for t, _ in left.forms[name].most_common() if t and "[" not in t]
    return list(dict.fromkeys([*found[:_MOST_FORMS], name]))[:_MOST_FORMS]


def _numbers(v: Vocabulary, left: Leftover, body: Piece) -> list[str]:
    """Scalars that an instruction may take: single elements, real numbers."""
    singles = [n for n in left.forms if re.search(rf"\b{n}\[1\]", v.tree.of(body))]
    return [f"{n}[0]" for n in (*sorted(left.unread & set(singles)), *singles)][:3] + v.reals[:3]


def instructions_left_out(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """An instruction that reads what nobody reads, or writes what nobody writes."""
    tree = v.tree
    left = leftover(tree, body)
    if not left.names or not v.platform or not left.lengths:
        return
    known = {x.name for x in tree.pieces if x.kind in ("VAR_DECL", "PARM_DECL")}
    places = [g for g in gaps(tree, body) if g.beside & left.names]
    ordered = sorted(forms(v.platform), key=lambda f: (-left.called[f.name], f.name))
    for rank, form in enumerate(ordered):
        cost = 0.9 if left.called[form.name] else 1.5 + 0.005 * rank
        for arrays in _operands(left, form):
            for text in _calls(v, left, body, form, arrays):
                names = set(NAME.findall(text)) & known
                for gap in places:
                    if names <= gap.seen and gap.beside & set(arrays):
                        edit = Edit("statement", gap.at, gap.at, f"{gap.pad}{text}\n")
                        yield Fill(edit, cost, "operand")


def _calls(
    v: Vocabulary, left: Leftover, body: Piece, form: Form, arrays: Sequence[str]
) -> Iterator[str]:
    numbers = _numbers(v, left, body) if form.number else [""]
    spelled = [_spelled(left, n) for n in arrays]
    for parts in itertools.product(*spelled):
        for number, length in itertools.product(numbers, left.lengths):
            given = ", ".join(filter(None, (*parts, number, length)))
            yield f"{form.name}({given});"


def copies_left_out(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A copy or a first value of a buffer of the device that no copy names."""
    tree = v.tree
    calls = [p for p in tree.under(body) if p.kind == "CALL_EXPR"]
    sizes: dict[str, tuple[str, str]] = {}
    named: set[str] = set()
    for p in calls:
        spans = [tree.text[a:b] for a, b in arguments(tree, p)]
        if does(p.name, "allocate") and len(spans) > 1:
            sizes[NAME.findall(spans[0])[-1]] = (spans[-1], re.sub(r"Malloc.*", "", p.name))
        elif does(p.name, "copy"):
            named |= set(NAME.findall(" ".join(spans[:2])))
    function = next(tree.above(body), body)
    host = [x.name for x in tree.kids(function) if x.kind == "PARM_DECL" and is_pointer(x)]
    alone = [n for n in host if n not in named]
    for d, (size, family) in sizes.items():
        likely = 0.6 if d not in named else 2.4
        found = [(f"{family}Memset({d}, 0, {size});", likely + 0.3)]
        ways = [w for w in v.ways if w.startswith(family)]
        for h in alone if d not in named else ():
            like = 0.0 if d.endswith(h) else 0.2
            found += [(f"{family}Memcpy({d}, {h}, {size}, {w});", likely + like)
                      for w in ways if "HostTo" in w]  # fmt: skip
            found += [(f"{family}Memcpy({h}, {d}, {size}, {w});", likely + like + 0.1)
                      for w in ways if w.endswith("Host")]  # fmt: skip
        for text, cost in found:
            for gap in gaps(tree, body):
                if {d, *(set(host) & set(NAME.findall(text)))} <= gap.seen:
                    edit = Edit("statement", gap.at, gap.at, f"{gap.pad}{text}\n")
                    yield Fill(edit, cost, "staging")


MAKERS = (instructions_left_out, copies_left_out)
