"""Wrong variants of a C text: every place where an edit of a known kind can be made."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace `text[start:end]` by `new`; `kind` says what mistake that is."""

    kind: str
    start: int
    end: int
    new: str

    def apply(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]


_FOR = re.compile(
    r"for \((?P<init>[^;{}]*); (?P<var>[^;{}]*?) (?P<op><=?|>=?) (?P<bound>[^;{}]*); "
    r"(?P<step>[^{};]*?)\)(?: \{|(?=\n))"
)
_IGNORED = re.compile(r"//[^\n]*|/\*.*?\*/|^[ \t]*#[^\n]*", re.S | re.M)
_BODY = re.compile(r"^(?P<head>\w[^\n;]*(?:\n +[^\n;]*)*)\n\{\n(?P<body>.*?)^\}", re.S | re.M)
_SUBSCRIPT = re.compile(r"(?<=\w)\[([^\[\]]+)\]")
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\s*\()")
_TYPE = re.compile(
    r"(?:un)?signed|float|double|_Float16|int|char|short|long|bool|const|static|u?int\d+_t|bf16|s|x|"
    r"y|z|w|sizeof"
)
_STATEMENT = re.compile(
    r"^ +(?P<to>[\w.\->]+(?:\[[^;=]*\])?[\w.]*) (?P<op>[-+*/|&^]?|>>|<<)= [^;]*;\n", re.M
)
_LOCAL = re.compile(
    r"^ +(?P<type>float|double|int|unsigned|int64_t|uint64_t|long long|_Float16|bool) (?P<name>\w+)"
    r"(?P<init> = [^;{]*)?(?P<extent>\[[^\]]*\])?;",
    re.M,
)
_NARROWER = {
    "float": "_Float16", "double": "float", "int": "signed char", "unsigned": "unsigned char",
    "int64_t": "short", "uint64_t": "uint8_t", "long long": "short",
}  # fmt: skip
_SWAPS = {
    " + ": [" - "], " - ": [" + "], " * ": [" + ", " / "], " / ": [" * "], " += ": [" -= ", " = "],
    " -= ": [" += "], " *= ": [" /= ", " += "], " /= ": [" *= "], " && ": [" || "],
    " || ": [" && "], " == ": [" != "], " != ": [" == "], " < ": [" <= ", " > "], " <= ": [" < "],
    " > ": [" >= ", " < "], " >= ": [" > "], " >> ": [" << "], " << ": [" >> "], " >>= ": [" <<= "],
    " | ": [" & "], " & ": [" | "], " ^ ": [" | "], " % ": [" / "], "fmaxf(": ["fminf("],
    "fminf(": ["fmaxf("], "max_int(": ["min_int("], "min_int(": ["max_int("], "expf(": ["exp2f("],
    "sqrtf(": ["fabsf("], "tanhf(": ["sinf("], "sinf(": ["cosf("], "rintf(": ["floorf("],
    "fabsf(": ["sqrtf("], "logf(": ["log2f("],
}  # fmt: skip
_OPERATOR = re.compile("|".join(re.escape(s) for s in sorted(_SWAPS, key=len, reverse=True)))
_WIDTH = re.compile(r"(?<![\w.])(8|16|32|64|128|256|512)(?![\w.])")
_INTEGER = re.compile(r"(?<![\w.])(\d+)(?![\w.])")
_REAL = re.compile(r"(?<![\w.])\d+\.\d*(?:e[-+]?\d+)?(?=f?\b|f?[;,) ])")
_TERM = re.compile(r" [+*-] (?:[\w.]+)(?:\[[^\[\]]*\])?(?=[;,)])")


def _loops(text: str) -> Iterator[re.Match[str]]:
    yield from _FOR.finditer(text)


def bounds(text: str) -> Iterator[Edit]:
    """One turn too many or too few, at either end."""
    for m in _loops(text):
        a, b = m.span("bound")
        op = m["op"]
        other = op[0] if len(op) == 2 else op + "="
        yield Edit("off-by-one bound", *m.span("op"), other)
        change = "- 1" if op[0] == "<" else "+ 1"
        yield Edit("off-by-one bound", a, b, f"{m['bound']} {change}")
        if m["init"].endswith(" = 0"):
            yield Edit("off-by-one bound", m.end("init") - 1, m.end("init"), "1")


def tails(text: str) -> Iterator[Edit]:
    """The last few turns are left out where the extent is no multiple of 4."""
    for m in _loops(text):
        if m["op"] == "<":
            yield Edit("dropped tail", *m.span("bound"), f"({m['bound']}) / 4 * 4")


def exits(text: str) -> Iterator[Edit]:
    """A loop ends too soon."""
    for m in _loops(text):
        if m["op"][0] == "<":
            yield Edit("early exit", *m.span("bound"), f"({m['bound']}) / 2")
            name = m["var"].split()[-1]
            if name.isidentifier() and m[0].endswith("{"):
                stop = f" if ({name} > 2) {{ break; }}"
                yield Edit("early exit", m.end(), m.end(), stop)


def _declares(text: str, at: int) -> bool:
    """Whether the subscript at `at` is the extent of a declaration."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return re.fullmatch(r" +(?:static |const )*\w+ \w+(?:\[\w+\])*", line) is not None


def indices(text: str) -> Iterator[Edit]:
    """The neighbour of the right element."""
    for m in _SUBSCRIPT.finditer(text):
        if not _declares(text, m.start()):
            yield Edit("off-by-one index", *m.span(1), f"{m[1]} + 1")
            yield Edit("off-by-one index", *m.span(1), f"{m[1]} - 1")


def swaps(text: str) -> Iterator[Edit]:
    """Two names of one subscript change places."""
    for m in _SUBSCRIPT.finditer(text):
        names = [n for n in _NAME.finditer(m[1]) if not _TYPE.fullmatch(n[0])]
        for one, two in itertools.pairwise(names):
            if one[0] != two[0]:
                between = m[1][one.end() : two.start()]
                new = m[1][: one.start()] + two[0] + between + one[0] + m[1][two.end() :]
                yield Edit("swapped indices", *m.span(1), new)


def terms(text: str) -> Iterator[Edit]:
    """A term or factor of an expression is left out."""
    for m in _TERM.finditer(text):
        line = text[text.rfind("\n", 0, m.start()) + 1 : m.start()]
        if "for (" not in line and line.count("[") == line.count("]"):
            yield Edit("dropped term", *m.span(), "")


def statements(text: str) -> Iterator[Edit]:
    """An assignment is left out."""
    for m in _STATEMENT.finditer(text):
        kind = "dropped statement" if m["op"] == "" else "dropped term"
        yield Edit(kind, *m.span(), "")


def widths(text: str) -> Iterator[Edit]:
    """Half or twice a power of two: the wrong warp, tile or unroll width."""
    for m in _WIDTH.finditer(text):
        yield Edit("wrong width", *m.span(), str(int(m[0]) // 2))
        if not text[m.end() :].startswith("];"):
            yield Edit("wrong width", *m.span(), str(int(m[0]) * 2))


def types(text: str) -> Iterator[Edit]:
    """A local variable of a narrower type."""
    for m in _LOCAL.finditer(text):
        if m["type"] in _NARROWER:
            yield Edit("narrowed type", *m.span("type"), _NARROWER[m["type"]])
            if m["type"] == "int":
                yield Edit("narrowed type", *m.span("type"), "short")


def operators(text: str) -> Iterator[Edit]:
    """Another operator, comparison or function."""
    for m in _OPERATOR.finditer(text):
        for other in _SWAPS[m[0]]:
            yield Edit("wrong operator", *m.span(), other)


def constants(text: str) -> Iterator[Edit]:
    """A literal that is nearly right."""
    for m in _REAL.finditer(text):
        value = float(m[0])
        new = repr(value * (1 + 1 / 64)) if value else "0.125"
        if "inf" not in new:
            yield Edit("wrong constant", *m.span(), new)
    for m in re.finditer(r"-INFINITY|\bINFINITY", text):
        yield Edit("wrong constant", *m.span(), "0.0f")
    for m in _INTEGER.finditer(text):
        yield Edit("wrong constant", *m.span(), str(int(m[0]) + 1))


def arrays(text: str) -> Iterator[Edit]:
    """Another array of the same function."""
    places = [m for m in re.finditer(r"\b(\w+)(?=\[)", text) if not _declares(text, m.end())]
    names = sorted({m[0] for m in places})
    for m in places:
        if len(names) > 1:
            yield Edit("wrong array", *m.span(), names[(names.index(m[0]) + 1) % len(names)])


def initialisers(text: str) -> Iterator[Edit]:
    """A variable that is changed later starts with nothing."""
    for m in _LOCAL.finditer(text):
        rest = text[m.end() :]
        if m["init"] and re.search(rf"\b{m['name']} (?:[-+*/|&^]|>>|<<)?= ", rest):
            yield Edit("missing initialisation", *m.span("init"), "")


def barriers(text: str) -> Iterator[Edit]:
    """Two loops over the same threads, which a barrier kept apart, become one."""
    for m in re.finditer(r"\n(?P<pad> +)\}\n(?P=pad)for \((?P<header>[^{\n]*)\) \{", text):
        head = f"\n{m['pad']}for ({m['header']}) {{\n"
        before = text[: m.start()]
        begun = before.rfind(f"\n{m['pad']}for (")
        if begun >= 0 and text.startswith(head, begun):
            yield Edit("missing barrier", m.start(), m.end(), "")


def guards(text: str) -> Iterator[Edit]:
    """A condition is taken for granted, or never holds."""
    for m in re.finditer(r"\bif \((.*)\) \{$", text, re.M):
        yield Edit("dropped guard", *m.span(1), "1")
        yield Edit("dropped guard", *m.span(1), "0")


KINDS: tuple[Callable[[str], Iterator[Edit]], ...] = (
    bounds, indices, swaps, tails, terms, statements, widths, exits, types, operators, constants,
    arrays, initialisers, barriers, guards,
)  # fmt: skip


def edits(text: str) -> list[Edit]:
    """Every edit of a C unit: bodies of functions only, comments and small helpers left alone."""
    holes = [m.span() for m in _IGNORED.finditer(text)]
    found = []
    for function in _BODY.finditer(text):
        if "inline" in function["head"]:
            continue
        first, body = function.start("body"), function["body"]
        for kind in KINDS:
            for e in kind(body):
                moved = Edit(e.kind, e.start + first, e.end + first, e.new)
                if not any(a < moved.end and moved.start < b for a, b in holes):
                    found.append(moved)
    return found


def chosen(text: str, rng: random.Random, found: Sequence[Edit] | None = None) -> list[Edit]:
    """All edits in random order, the kinds taking turns, no resulting text twice."""
    by_kind: dict[str, list[Edit]] = {}
    for edit in edits(text) if found is None else found:
        by_kind.setdefault(edit.kind, []).append(edit)
    queues = list(by_kind.values())
    rng.shuffle(queues)
    for queue in queues:
        rng.shuffle(queue)
    seen, out = {text}, []
    while queues:
        for queue in queues:
            edit = queue.pop()
            if (changed := edit.apply(text)) not in seen:
                seen.add(changed)
                out.append(edit)
        queues = [q for q in queues if q]
    return out


def without_barriers(text: str) -> list[Edit]:
    """Edits of a CUDA or HIP text that take out one barrier each."""
    pattern = re.compile(r"__syncthreads\(\);|\b\w+\.sync\(\);")
    return [Edit("missing barrier (source)", *m.span(), "") for m in pattern.finditer(text)]


__all__ = ["Edit", "chosen", "edits", "without_barriers"]
