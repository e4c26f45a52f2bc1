"""Holes between statements: a first value, a guard, a copy, a barrier or a statement is missing."""

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
    is_pointer,
    is_real,
    pointee,
    whole_statement,
)
from xpiler.repair.sketches.gaps import NAME, gaps
from xpiler.repair.sketches.holes import Fill, _fill
from xpiler.repair.sketches.vocabulary import Vocabulary

_LARGE = 1 << 18  # elements: few local arrays are so large
_FIRST = ("0", "-INFINITY", "INFINITY", "1")


def first_values(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A variable that has no first value."""
    tree = v.tree
    for p in tree.under(body):
        if p.kind != "VAR_DECL" or "=" in tree.of(p) or is_pointer(p) or p.type.endswith("]"):
            continue
        if not (is_integer(p) or is_real(p)) or "[" in tree.of(p):
            continue
        for rank, value in enumerate(dict.fromkeys(_values(v, p))):
            edit = Edit("first value", p.end, p.end, f" = {value}")
            yield Fill(edit, 0.5 + 0.05 * min(rank, 20) + 0.01 * rank, "staging")


def _values(v: Vocabulary, p: Piece) -> Iterator[str]:
    """What a variable may begin with: what its like in either text does, and what is near."""
    stem = re.escape(p.name.rstrip("0123456789"))
    yield from re.findall(rf"\b{stem}\w* = (-?[\w.]+);", v.source)
    yield from _FIRST
    for value in re.findall(rf"\b{stem}\w* = ([^;{{}}]+);", f"{v.source}\n{v.tree.text}"):
        yield from v.adapted(value, p, 2)
    yield from v.reals[:4]
    yield from _elements(v.tree, p)
    near = v.integers_at(p)[:6] if is_integer(p) else v.reals_at(p)[:6]
    yield from near
    yield from v.places if is_integer(p) and v.at_device(p) else ()
    if is_integer(p):
        yield from (f"{a} < {b} ? {a} : {b}" for a, b in itertools.permutations(near, 2))
        yield from v.summands(p)[:60]


def _elements(tree: Tree, p: Piece) -> Iterator[str]:
    """Elements of arrays that the function reads and that the text at `p` can name."""
    seen = {x.name for x in tree.visible(p)}
    function = tree.function(p)
    for q in tree.under(function) if function is not None else ():
        if q.kind == "ARRAY_SUBSCRIPT_EXPR" and is_real(q) == is_real(p):
            names = {k.name for k in tree.under(q) if k.kind == "DECL_REF_EXPR" and not k.stub}
            if names <= seen:
                yield tree.of(q)
    arrays = [x.name for x in tree.visible(p) if is_pointer(x) and is_real(x) == is_real(p)]
    counters = [x.name for x in tree.visible(p) if is_integer(x)][:-4:-1]
    yield from (f"{a}[{i}]" for a in arrays[:-6:-1] for i in counters)


def conditions(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A condition that is missing, whole or in part, or that holds the other way round."""
    tree = v.tree
    for p in tree.under(body):
        if p.kind not in ("IF_STMT", "CONDITIONAL_OPERATOR", "WHILE_STMT") or not tree.kids(p):
            continue
        c = tree.kids(p)[0]
        text = tree.of(c)
        constant = re.fullmatch(r"\d+|true|false", text) is not None
        guards = list(dict.fromkeys(v.guards(c)))
        if constant:
            both = [f"{a} && {b}" for a, b in itertools.combinations(guards[:12], 2)]
            guards = [*guards[:12], *both, *guards[12:]]
        for rank, guard in enumerate(guards):
            if guard in text:
                continue
            if constant:
                yield _fill("condition", c, guard, 0.6 + 0.02 * rank, "bound or guard")
            else:
                new = f"{text} && {guard}" if c.op != "||" else f"({text}) && {guard}"
                yield _fill("condition", c, new, 2.5 + 0.05 * rank, "bound or guard")
        if not constant:
            yield _fill("condition", c, f"!({text})", 2.2, "bound or guard")
            yield _fill("condition", c, "1", 3.0, "bound or guard")
        elif words := _predicates(v):
            for word in words:
                yield _fill("condition", c, word, 0.7, "bound or guard")


def _predicates(v: Vocabulary) -> list[str]:
    """Questions about the place of work that a text of this platform may ask."""
    return [x["text"] for x in table()["place"] if re.search(x["sign"], v.tree.text)]


def statements(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A barrier, or a statement like one that is there, is missing; or one is too many."""
    tree = v.tree
    places = list(gaps(tree, body))
    function = next(tree.above(body), body)
    head = tree.text[function.start : body.start]
    where = "device" if re.search(r"__global__|__device__|__mlu_", head) else "host"
    for one in table()["missing"]:
        if one["where"] == where and re.search(one["sign"], tree.text):
            cost = 1.9 if where == "device" else 2.2
            cost -= 0.0 if one["text"] in tree.text else 0.8
            for gap in places:
                edit = Edit("barrier", gap.at, gap.at, f"{gap.pad}{one['text']}\n")
                yield Fill(edit, cost, "synchronisation")
    for text, names, cost in _templates(v, body):
        for gap in places:
            if names <= gap.seen and gap.beside & names:
                edit = Edit("statement", gap.at, gap.at, f"{gap.pad}{text}\n")
                yield Fill(edit, cost, "operand")
    for p in tree.under(body):
        if p.is_expr and (span := whole_statement(tree, p)) and not does(p.name, "free"):
            yield Fill(Edit("left out", *span, ""), 3.4, "operand")
        elif p.kind == "IF_STMT" and len(tree.kids(p)) == 2:
            leaves = re.search(r"\b(?:break|continue|return);\s*}?$", tree.of(p))
            yield _fill("left out", p, "", 1.1 if leaves else 3.4, "bound or guard")


def _templates(v: Vocabulary, body: Piece) -> Iterator[tuple[str, set[str], float]]:
    """Statements that may be missing, the names in them, and how unlikely they are.

    They are copies, statements of the text itself with other names, and the source's.
    """
    tree = v.tree
    function = next(tree.above(body), body)
    known = {x.name for x in tree.pieces if x.kind in ("VAR_DECL", "PARM_DECL")}
    made: set[str] = set()
    for text in dict.fromkeys(_copies(tree, function)):
        yield text, set(NAME.findall(text)) & known, 2.0
    for p in tree.under(body):
        if not p.is_expr or not whole_statement(tree, p) or len(tree.of(p)) > 160:
            continue
        text = tree.of(p) + ";"
        for new in [text, *_mirrored(tree, p, function)]:
            names = set(re.findall(r"[A-Za-z_]\w*", new)) & known
            if names and new not in made:
                made.add(new)
                yield new, names, 3.1
    for m in re.finditer(r"^[ \t]*([\w:.]+\([^;{}]*\);)[ \t]*$", v.source, re.M):
        words = set(re.findall(r"(?<![\w.>])[A-Za-z_]\w*", m[1]))
        if m[1] not in tree.text and words & known and words <= known | v.stub_names | v.words:
            yield m[1], words & known, 1.3
    last = [k for k in tree.under(body) if k.is_expr and whole_statement(tree, k)][-3:]
    for m in re.finditer(r"^[ \t]*([A-Za-z_][\w.\[\]+*/ -]*? (?:[-+*/|&]|<<|>>)?= [^;{}]*;)[ \t]*$",
                         v.source, re.M):  # fmt: skip
        if re.match(r"(?:const|int|float|double|auto) ", m[1]):
            continue
        for new in [m[1], *(a for k in last for a in v.adapted(m[1], k, 3))]:
            names = set(NAME.findall(new)) & known
            if names and new not in made:
                made.add(new)
                yield new, names, 2.4


def _mirrored(tree: Tree, p: Piece, function: Piece) -> Iterator[str]:
    """A copy of other buffers, or the other way round, like one that is there."""
    text = tree.of(p) + ";"
    if p.kind != "CALL_EXPR" or not p.stub:
        return
    named = [x for x in tree.under(function) if x.kind in ("VAR_DECL", "PARM_DECL")]
    used = [k for k in tree.under(p) if k.kind == "DECL_REF_EXPR" and is_pointer(k) and not k.stub]
    pairs = [
        (k, q) for k in used for q in named
        if q.name != k.name and is_pointer(q) and pointee(q) == pointee(k)
    ]  # fmt: skip
    for k, q in pairs[:24]:
        yield text[: k.start - p.start] + q.name + text[k.end - p.start :]
    for (k, q), (m, r) in itertools.combinations(pairs[:40], 2):
        if k.end < m.start:
            first, last = text[: k.start - p.start], text[m.end - p.start :]
            yield first + q.name + tree.text[k.end : m.start] + r.name + last


def _copies(tree: Tree, function: Piece) -> Iterator[str]:
    """A copy between a buffer of the device and its like on the host, as long as was allocated."""
    calls = [p for p in tree.under(function) if p.kind == "CALL_EXPR"]
    sizes: dict[str, str] = {}
    for p in calls:
        spans = arguments(tree, p)
        if does(p.name, "allocate") and len(spans) > 1:
            name = NAME.findall(tree.text[slice(*spans[0])])[-1]
            sizes[name] = tree.text[slice(*spans[-1])]
    copies = [(p, [tree.text[a:b] for a, b in arguments(tree, p)]) for p in calls
              if does(p.name, "copy")]  # fmt: skip
    ways = table()["names"]
    for p, parts in copies:
        if len(parts) != 4 or parts[3] not in ways:
            continue
        into = [parts[3], *ways[parts[3]]]
        known = {x.name for x in tree.under(function) if x.kind in ("VAR_DECL", "PARM_DECL")}
        for d, size in sizes.items():
            host = d.removeprefix("d_")
            if host in known and host != d:
                for way in into:
                    yield f"{p.name}({d}, {host}, {size}, {way});"
                    yield f"{p.name}({host}, {d}, {size}, {way});"


def loops(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another start or step of a loop."""
    tree = v.tree
    for p in tree.under(body):
        if p.kind != "FOR_STMT":
            continue
        parts = header(tree, p)
        if not parts:
            continue
        (a, b), _, (c, d) = parts
        init, step = tree.text[a:b], tree.text[c:d]
        at = init.rfind("=")
        steps = [
            *v.macros,
            *v.integers[:8],
            *v.integers_at(p)[:6],
            "blockDim.x",
            "blockDim.x * gridDim.x",
        ]
        if m := re.fullmatch(r"(?:\+\+)?(\w+)(?:\+\+)?|(\w+) \+= .*", step):
            name = m[1] or m[2]
            for rank, s in enumerate([f"{name}++", *(f"{name} += {x}" for x in steps)]):
                if s != step:
                    yield Fill(Edit("step", c, d, s), 1.5 + 0.08 * rank, "bound or guard")
        starts = ["0", *v.integers_at(p)[:8], "threadIdx.x", "taskId", "coreId"]
        if at >= 0 and "," not in init:
            begin = b - len(init[at + 1 :].lstrip())
            for rank, s in enumerate(starts):
                if s != init[at + 1 :].strip():
                    yield Fill(Edit("start", begin, b, s), 1.5 + 0.08 * rank, "bound or guard")


def split_loops(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """A loop that should end, and begin again, between two of its statements."""
    tree = v.tree
    for loop in tree.under(body):
        kids = tree.kids(loop)
        if loop.kind != "FOR_STMT" or kids[-1].kind != "COMPOUND_STMT":
            continue
        head = tree.text[loop.start : kids[-1].start].rstrip()
        inside = tree.kids(kids[-1])
        line = tree.text.rfind("\n", 0, loop.start) + 1
        pad = re.match(r"\s*", tree.text[line:])[0]  # type: ignore[index]
        made: set[str] = set()
        for before, after in itertools.pairwise(inside):
            if before.kind == "DECL_STMT":
                made |= {x.name for x in tree.kids(before) if x.kind == "VAR_DECL"}
            at = tree.text.rfind("\n", 0, after.start) + 1
            if at > before.end and not made & set(NAME.findall(tree.text[at : kids[-1].end])):
                edit = Edit("split", at, at, f"{pad}}}\n{pad}{head} {{\n")
                yield Fill(edit, 2.1, "synchronisation")


def spaces(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """An array in another memory, of another extent; an update that should be atomic."""
    tree, words = v.tree, table()["spaces"]
    used = [w for w in words if w in tree.text or w in v.source]
    family = [w for w in words if ("__mlu_" in tree.text) == (w != "__shared__")]
    for p in tree.under(body):
        if p.kind == "VAR_DECL" and "[" in tree.of(p).split("=")[0]:
            line = tree.text.rfind("\n", 0, p.start) + 1
            end = tree.text.find(p.name, p.start)
            here = next((w for w in words if re.search(rf"{w}\b", tree.text[line:end])), "")
            for rank, w in enumerate(dict.fromkeys([*used, *family])):
                if w == here:
                    continue
                if here:
                    at = tree.text.find(here, line)
                    edit = Edit("space", at, at + len(here), w)
                else:
                    edit = Edit("space", p.start, p.start, f"{w} ")
                yield Fill(edit, 1.3 + 0.1 * rank, "staging")
            for m in re.finditer(r"\[(\d+)\]", tree.of(p).split("=")[0]):
                size = int(m[1])
                known = [int(n) for n in v.integers[:40] if n.isdigit() and int(n) > 1]
                for rank, n in enumerate([size * 2, size + 1, size * 4, *known]):
                    if n != size:
                        edit = Edit("extent", p.start + m.start(1), p.start + m.end(1), str(n))
                        base = 1.3 if size < _LARGE else 0.5
                        yield Fill(edit, base + 0.1 * min(rank, 12), "staging")
        if p.kind == "COMPOUND_ASSIGNMENT_OPERATOR" and p.op in ("+=", "-="):
            to, by = tree.kids(p)[0], tree.kids(p)[1]
            place = tree.of(to)
            m2 = re.fullmatch(r"\*\((.*)\)|\*(\w+)", place, re.S)
            target = (m2[1] or m2[2]) if m2 else f"&{place}"
            name = "atomicAdd" if p.op == "+=" else "atomicSub"
            if (to.kind != "DECL_REF_EXPR" and "atomic" in v.source + tree.text) or m2:
                yield _fill("atomic", p, f"{name}({target}, {tree.of(by)})", 1.2, "synchronisation")


def shapes(v: Vocabulary, body: Piece) -> Iterator[Fill]:
    """Another size of a grid, a block or a number of tasks."""
    tree = v.tree
    pattern = r"<<<(.+?)>>>|\bdim3 \w+\(([^;]*)\);|cnrtDim3_t \w+ = \{([^}]*)\}"
    from xpiler.repair.faults.pieces import split

    for m in re.finditer(pattern, tree.text[body.start : body.end], re.S):
        group = next(g for g in (1, 2, 3) if m[g] is not None)
        first, last = body.start + m.start(group), body.start + m.end(group)
        spans = split(tree.text, first, last)
        if group == 1:
            inner = [(a, b) for a, b in spans[:2] if tree.text[a:b].startswith("dim3(")]
            spans = [s for s in spans[:2] if s not in inner]
            for a, b in inner:
                spans += split(tree.text, a + 5, b - 1)
        sizes = [s for s in v.integers if s.isdigit() and int(s) > 1][:10]
        names = [x.name for x in tree.visible(body) if is_integer(x)]
        function = next(tree.above(body), body)
        names += [x.name for x in tree.under(function) if x.kind in ("VAR_DECL", "PARM_DECL")
                  and is_integer(x)]  # fmt: skip
        names = list(dict.fromkeys(names))[:8]
        for a, b in spans:
            old = tree.text[a:b]
            if not re.fullmatch(r"[\w ()+*/-]+", old):
                continue
            new = [*sizes, *names, *v.macros]
            new += [f"({n} + {s} - 1) / {s}" for n in names for s in [*v.macros, *sizes[:5]]]
            cost = 1.2 if old == "1" else 2.0
            for rank, x in enumerate(n for n in new if n != old):
                yield Fill(Edit("shape", a, b, x), cost + 0.05 * rank, "axis or mapping")


def macros(v: Vocabulary) -> Iterator[Fill]:
    """Another number behind a macro."""
    for m in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+\w+[ \t]+\(?(\d+)\)?", v.tree.text, re.M):
        value = int(m[1])
        near = [value * 2, value // 2, value + 1, value - 1]
        for rank, n in enumerate([*map(str, near), *v.integers[:8]]):
            if n != m[1]:
                yield Fill(Edit("number", *m.span(1), n), 1.6 + 0.1 * rank, "constant")


MAKERS = (first_values, conditions, statements, loops, split_loops, spaces, shapes)
