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
from xpiler.repair.faults.model import Edit, table
from xpiler.repair.faults.pieces import (
    arguments,
    does,
    is_integer,
    is_pointer,
    pointee,
    whole_statement,
)
from xpiler.repair.sketches.gaps import NAME, gaps
from xpiler.repair.sketches.holes import Fill, _fill
from xpiler.repair.sketches.vocabulary import Vocabulary

_MOST_LENGTHS, _MOST_FORMS = 3, 2
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=")
_EXTREMES = ("0.0f", "-INFINITY", "INFINITY", "3.4028235e38f", "-3.4028235e38f")


@dataclass
class Leftover:
    """The local arrays of a body: those that are written and not read, and the other way round.

    `outs` are pointers to something that may be written and is not, `results` variables that
    nobody reads.

    `forms` are the operands that name each array, `lengths` integer operands, the most frequent
    first, `called` the functions.
    """

    outs: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    lengths: list[str] = field(default_factory=list)
    called: Counter[str] = field(default_factory=Counter)

    @property
    def names(self) -> set[str]:
        return self.unread | self.unset | self.outs | self.results


def leftover(tree: Tree, body: Piece) -> Leftover:
    """What is left over in a body."""
    found = Leftover()
    read: set[str] = set()
    written: set[str] = set()
    begun: set[str] = set()
    lengths: Counter[str] = Counter()
    for p in tree.under(body):
        if p.kind == "VAR_DECL" and p.type.endswith("]"):
            found.kinds[p.name] = pointee(p)
        elif p.kind == "DECL_REF_EXPR" and p.name in found.kinds:
            role = _role(tree, p)
            read |= {p.name} if role == "read" else set()
            written |= {p.name} if role != "read" else set()
            begun |= {p.name} if role == "written" else set()
        elif p.kind == "CALL_EXPR" and p.stub and whole_statement(tree, p):
            found.called[p.name] += 1
            for (a, b), k in zip(arguments(tree, p), tree.kids(p)[1:], strict=False):
                text = tree.text[a:b]
                if is_integer(k) and not does(p.name, "copy"):
                    lengths[text] += 1
                for name in set(NAME.findall(text)) & found.kinds.keys():
                    found.forms[name][text] += "[" not in text
    found.unread, found.unset = written - read, (read | written) - begun
    found.lengths = [n for n, _ in lengths.most_common(_MOST_LENGTHS)]
    found.results, found.outs = _results(tree, body), _outs(tree, body)
    return found


def _results(tree: Tree, body: Piece) -> set[str]:
    """Variables that are given values which nobody reads."""
    names = {p.name for p in tree.under(body) if p.kind == "VAR_DECL"
             and not is_pointer(p) and "]" not in p.type}  # fmt: skip
    for p in tree.under(body):
        if p.kind == "DECL_REF_EXPR" and p.name in names:
            up = next(tree.above(p))
            if up.op not in _ASSIGNMENTS or tree.kids(up)[0] is not p:
                names.discard(p.name)
    return names


def _outs(tree: Tree, body: Piece) -> set[str]:
    """Pointers to something that may be written, which only reads (or nothing) name."""
    function = next(tree.above(body), body)
    names = {p.name for p in tree.kids(function) if p.kind == "PARM_DECL" and is_pointer(p)
             and "const" not in p.type}  # fmt: skip
    for p in tree.under(body):
        if p.kind == "DECL_REF_EXPR" and p.name in names:
            calls = any(q.kind in ("CALL_EXPR", "VAR_DECL") for q in tree.above(p))
            if calls or _assigned(tree, p) is not None:
                names.discard(p.name)
    return names


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
            left = q.op in _ASSIGNMENTS and tree.kids(q)[0] is below
            return q if left else None
        if q.kind == "ARRAY_SUBSCRIPT_EXPR" and tree.kids(q)[0] is not below:
            return None
        below = q
    return None


def _role(tree: Tree, p: Piece) -> str:
    """Whether an array is `read` there, `written`, or `changed`: written from what it held."""
    call = _operand(tree, p)
    if call is None:
        assignment = _assigned(tree, p)
        if assignment is None:
            return "read"
        return "written" if assignment.op == "=" else "changed"
    spans = [set(NAME.findall(tree.text[a:b])) for a, b in arguments(tree, call[0])]
    if p.name in spans[0]:
        return "changed" if any(p.name in s for s in spans[1:]) else "written"
    return "read"


@dataclass(frozen=True, slots=True)
class Form:
    """An instruction on whole arrays; `params` has for each operand `to T`, `from T`, `length` or
    `number`."""

    name: str
    params: tuple[str, ...]


@cache
def forms(name: str) -> Sequence[Form]:
    """Such instructions of the platform called `name`: one array is written, at most two read."""
    found = []
    for i in instructions(platform(name).words):
        m = re.fullmatch(rf"void {i.name}\((.+)\)", i.signature)
        params = tuple(map(_param, m[1].split(", "))) if m else ()
        count = Counter(p.split()[0] if p else "" for p in params)
        once = count["to"] == count["length"] == 1 and count["number"] <= 1
        if once and params[0].startswith("to") and count["from"] <= 2 and not count[""]:
            found.append(Form(i.name, params))
    return found


def _param(said: str) -> str:
    if m := re.fullmatch(r"(const )?(\w+) \* \w+", said):
        return f"{'from' if m[1] else 'to'} {m[2]}"
    if re.fullmatch(r"int (?:n|count|size|elements)", said):
        return "length"
    return "number" if re.fullmatch(r"(?:T|V|float|half) \w+", said) else ""


def _arrays(left: Leftover, form: Form) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Arrays for an instruction that makes use of what is left over, and how odd that would be."""
    kinds = [p.split()[1] for p in form.params if " " in p]
    into = sorted(left.unset) or [n for n in left.forms if n not in left.unread]
    for to in into:
        own = left.kinds[to]
        if kinds[0] not in (own, "T"):
            continue
        wanted = [own if k == "T" else k for k in kinds[1:]]
        pools = [[n for n in (*sorted(left.unread), to, *left.forms) if left.kinds[n] == w]
                 for w in wanted]  # fmt: skip
        for chosen in itertools.product(*(list(dict.fromkeys(p))[:5] for p in pools)):
            uses = len(left.unread & set(chosen))
            fresh = to in left.unset and to in chosen
            if not fresh and uses >= min(len(left.unread), len(wanted)):
                odd = 0.6 * (len(chosen) - len(set(chosen))) + 0.1 * (chosen[:1] != (to,))
                odd += 0.0 if to in left.unset or to in chosen else 0.8
                yield odd, (to, *chosen)


def _spelled(left: Leftover, name: str) -> list[str]:
    """How operands name an array: as other calls do, or plainly."""
    found = [t for t, _ in left.forms[name].most_common() if t and "[" not in t]
    return list(dict.fromkeys([*found[:_MOST_FORMS], name]))[:_MOST_FORMS]


def _numbers(v: Vocabulary, left: Leftover, body: Piece) -> list[str]:
    """Scalars that an instruction may take: single elements, real numbers."""
    singles = [n for n in left.forms if re.search(rf"\b{n}\[1\]", v.tree.of(body))]
    given = [f"{n}[0]" for n in (*sorted(left.unread & set(singles)), *singles)]
    return list(dict.fromkeys([*given[:2], *v.reals[:3], *_EXTREMES]))


def _likely(v: Vocabulary, left: Leftover, form: Form) -> float:
    """How unlikely an instruction is, by what the text calls and what the source speaks of."""
    fills = not any(p.startswith("from") for p in form.params)
    if left.called[form.name] or fills:
        return 0.7 if fills else 0.8
    said = (re.search(r, v.source) for part, r in table()["operations"].items()
            if part in form.name)  # fmt: skip
    parts = form.name.strip("_").count("_")
    return (0.9 if any(said) else 2.0) + 0.1 * parts


def instructions_left_out(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """An instruction that reads what nobody reads, or writes what nobody writes."""
    tree = v.tree
    left = leftover(tree, body)
    if not left.names or not v.platform:
        return
    known = {x.name for x in tree.pieces if x.kind in ("VAR_DECL", "PARM_DECL")}
    places = [g for g in gaps(tree, body) if g.beside & left.names]
    for text, cost in _statements(v, left, body):
        words = set(NAME.findall(text))
        for gap in places:
            if words & known <= gap.seen and gap.beside & words & left.names:
                near = 0.0 if gap.empty or left.names <= gap.beside else 0.1
                edit = Edit("statement", gap.at, gap.at, f"{gap.pad}{text}\n")
                yield Fill(edit, cost + near, "operand")


def _statements(v: Vocabulary, left: Leftover, body: Piece) -> Iterator[tuple[str, float]]:
    for form in forms(v.platform):
        cost = _likely(v, left, form)
        for odd, arrays in _arrays(left, form):
            for rank, text in enumerate(_calls(v, left, body, form, arrays)):
                yield text, cost + odd + 0.01 * rank
    yield from _copies(v, left, body)
    scalars = [x.name for x in v.tree.under(body) if x.kind == "VAR_DECL"
               and not is_pointer(x) and "]" not in x.type]  # fmt: skip
    values = [*sorted(left.results), *(f"{a}[0]" for a in sorted(left.unread))]
    for value in values:
        for n, name in enumerate([s for s in scalars if s != value][:8]):
            for op in ("+=", "="):
                yield f"{name} {op} {value};", 1.0 + 0.02 * n
    last = [p for p in v.tree.under(body) if p.kind == "COMPOUND_STMT"][-1]
    for out in sorted(left.outs):
        for index in dict.fromkeys(_indices(v, body, last, out)):
            for n, value in enumerate([*values, *scalars][:8]):
                yield f"{out}[{index}] = {value};", 0.8 + 0.05 * n


def _indices(v: Vocabulary, body: Piece, at: Piece, name: str) -> Iterator[str]:
    """Where an array may be written: as the source does, or at what loops count."""
    for text in v.accesses.get(name, ()):
        yield from v.adapted(text, at, 2)
    for p in v.tree.under(body):
        if p.kind == "FOR_STMT":
            yield from (x.name for x in v.tree.under(v.tree.kids(p)[0]) if x.kind == "VAR_DECL")
    yield from v.integers_at(at)[:3]


def _calls(
    v: Vocabulary, left: Leftover, body: Piece, form: Form, arrays: Sequence[str]
) -> Iterator[str]:
    spelled = itertools.product(*(_spelled(left, n) for n in arrays))
    numbers = _numbers(v, left, body) if "number" in form.params else [""]
    for parts, number, length in itertools.product(spelled, numbers, left.lengths):
        rest = iter(parts)
        other = {"number": number, "length": length}
        given = ", ".join(other[p] if p in other else next(rest) for p in form.params)
        yield f"{form.name}({given});"


def _copies(v: Vocabulary, left: Leftover, body: Piece) -> Iterator[tuple[str, float]]:
    """Copies between near arrays like those that the text makes."""
    tree = v.tree
    calls = [
        (p.name, [tree.text[a:b] for a, b in arguments(tree, p)])
        for p in tree.under(body)
        if p.kind == "CALL_EXPR" and does(p.name, "copy")
    ]
    sizes = Counter(given[2] for _, given in calls if len(given) >= 4).most_common(3)
    names = Counter(name for name, given in calls if len(given) >= 4)
    others = [n for n in left.forms if n not in left.names]
    pairs = [(a, b) for a in (*sorted(left.unset), *others) for b in (*sorted(left.unread), *others)
             if a != b and {a, b} & left.names and left.kinds[a] == left.kinds[b]]  # fmt: skip
    for name, _ in names.most_common(1):
        for rank, (to, of) in enumerate(pairs[:16]):
            way = f"{_memory(tree, of)}2{_memory(tree, to)}"
            if way in table()["names"]:
                for size, _ in sizes:
                    yield f"{name}({to}, {of}, {size}, {way});", 1.0 + 0.02 * rank


def _memory(tree: Tree, name: str) -> str:
    """The memory that a near array is declared in, as the ways of copies call it."""
    m = re.search(rf"__(nram|wram|mlu_shared)__[^;]*\b{name}\[", tree.text)
    return {"nram": "NRAM", "wram": "WRAM", "mlu_shared": "SRAM"}[m[1]] if m else ""


def operands_left_over(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A left over array in the place of another; a copy's way by its operands' memories."""
    tree = v.tree
    left = leftover(tree, body)
    for p in tree.under(body):
        if p.kind == "DECL_REF_EXPR" and p.name in left.kinds:
            for name in sorted((left.unread | left.unset) - {p.name}):
                if left.kinds[name] == left.kinds[p.name]:
                    yield _fill("array", p, name, 0.9, "index")
        elif p.kind == "CALL_EXPR" and does(p.name, "copy"):
            spans = arguments(tree, p)
            names = [next(iter(NAME.findall(tree.text[a:b])), "") for a, b in spans[:2]]
            to, of = (_memory(tree, n) or "GDRAM" for n in names) if len(names) == 2 else ("", "")
            for a, b in spans[3:4]:
                way = f"{of}2{to}"
                if way in table()["names"]:
                    yield Fill(Edit("enumerator", a, b, way), 0.5, "staging")


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
                    yield Fill(edit, cost + 0.01 * len(gap.pad), "staging")


MAKERS = (instructions_left_out, operands_left_over, copies_left_out)
