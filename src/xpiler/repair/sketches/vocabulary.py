"""What holes may be filled with: the words that both texts use, and how likely each is."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from xpiler.frontend.syntax import Piece, Tree
from xpiler.repair.faults.model import table
from xpiler.repair.faults.pieces import bodies, is_integer, is_pointer, is_real

_NUMBER = re.compile(r"(?<![\w.])(?:\d+\.\d*|\.\d+|\d+(?=[eE]))(?:[eE][-+]?\d+)?[fFlL]?(?![\w.])")
_INTEGER = re.compile(r"(?<![\w.])(?:0[xX][0-9a-fA-F]+|\d+)[uUlL]*(?![\w.])")
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\(?(-?\d+)\)?[ \t]*$", re.M)
_MOST = 14
_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
# Numbers that stand in kernels because of what they are, whoever wrote them.
KNOWN = (
    math.log2(math.e), math.log(2), math.log(10), math.log10(2), math.pi, 2 * math.pi, math.pi / 2,
    1 / math.pi, math.sqrt(2), math.sqrt(0.5), math.sqrt(2 / math.pi), 2 / math.sqrt(math.pi),
    0.044715, 1.702, math.e, 1e-5, 1e-6, 1e-8, 1e-12, 1e-3, 0.5, 0.25, 0.125, 2.0, 3.0, 4.0, 6.0,
    0.1, 0.2, 0.01, 0.9, 0.99, 0.999, 0.95, 1.0, -104.0, 89.0, 88.0, -88.0, 127.0, 255.0, 65504.0,
)  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """Words of the right text (`source`) and of the wrong one (`tree`), which is for `platform`."""

    source: str
    tree: Tree
    platform: str = ""

    @cached_property
    def integers(self) -> list[str]:
        """Integers of both texts, those of the source first, the most frequent first."""
        counts: Counter[str] = Counter()
        for weight, text in ((3, self.source), (1, self.tree.text)):
            for m in _INTEGER.finditer(_code(text)):
                counts[m[0].rstrip("uUlL")] += weight
        return [n for n, _ in counts.most_common()]

    @cached_property
    def macros(self) -> list[str]:
        """Names of the wrong text's macros that stand for integers."""
        return [m[1] for m in _MACRO.finditer(self.tree.text)]

    @cached_property
    def reals(self) -> list[str]:
        """Real numbers of both texts, those of the source first."""
        found = [
            m[0] for text in (self.source, self.tree.text) for m in _NUMBER.finditer(_code(text))
        ]
        return list(dict.fromkeys(found))

    @cached_property
    def words(self) -> set[str]:
        """All names of both texts."""
        return set(re.findall(r"[A-Za-z_]\w*", self.source + self.tree.text))

    @cached_property
    def ways(self) -> list[str]:
        """Words for the way of a copy between host and device."""
        return [n for n in table()["names"] if "Host" in n]

    @cached_property
    def types(self) -> list[str]:
        """Types that occur in `sizeof` or in a declaration of the wrong text."""
        found = re.findall(r"sizeof\((\w+)\)", self.tree.text)
        found += re.findall(r"\b(float|double|half|_Float16|int|int8_t|int32_t|int64_t|bfloat16_t|"
                            r"__nv_bfloat16|__hip_bfloat16|uint8_t)\b", self.tree.text)  # fmt: skip
        return list(dict.fromkeys(found))

    @cached_property
    def conditions(self) -> list[tuple[Piece, str]]:
        """Comparisons of integers that the wrong text makes somewhere."""
        return [
            (p, self.tree.of(p))
            for body in bodies(self.tree)
            for p in self.tree.under(body)
            if p.kind == "BINARY_OPERATOR" and p.op in _COMPARISONS
        ]

    def integers_at(self, p: Piece) -> list[str]:
        """Integer variables that the text at `p` can name, nearest first.

        The bounds of loops are seldom counters: there the parameters come first.
        """
        seen = self.tree.visible(p)
        found = [v.name for v in reversed(seen) if is_integer(v)]
        if self._is_bound(p):
            found = [v.name for v in seen if is_integer(v) and v.kind == "PARM_DECL"] + found
        return list(dict.fromkeys(found))[:_MOST]

    def _is_bound(self, p: Piece) -> bool:
        """Whether a piece is what the condition of a loop compares with."""
        around = [q for _, q in zip(range(2), self.tree.above(p), strict=False)]
        if len(around) < 2 or around[1].kind != "FOR_STMT" or around[0].op not in _COMPARISONS:
            return False
        return self.tree.kids(around[0])[-1].at == p.at

    def reals_at(self, p: Piece) -> list[str]:
        """Real variables that the text at `p` can name, nearest first."""
        found = [v.name for v in self.tree.visible(p) if is_real(v) and not is_pointer(v)]
        return list(dict.fromkeys(reversed(found)))[:_MOST]

    def summands(self, p: Piece) -> list[str]:
        """Integer expressions of the same function that may be a term of an index at `p`."""
        function = self.tree.function(p)
        seen = {v.name for v in self.tree.visible(p)}
        found: list[str] = self.integers_at(p)
        for q in self.tree.under(function) if function is not None else ():
            if q.kind == "BINARY_OPERATOR" and q.op == "*" and is_integer(q):
                names = {
                    k.name for k in self.tree.under(q) if k.kind == "DECL_REF_EXPR" and not k.stub
                }
                if names and names <= seen:
                    found.append(self.tree.of(q))
        found = [*self.places, *found] if self.at_device(p) else found
        near, sizes = self.integers_at(p), self.sizes_at(p)
        found += [f"{a} * {b}" for a in near[:8] for b in sizes if a != b]
        found += [f"({a} * {b} + {c}) * {d}" for a, c in itertools.permutations(near[:4], 2)
                  for b in sizes[:5] for d in sizes[:5] if b != d]  # fmt: skip
        found += [f"{a} / {b}" for a in near[:6] for b in self.integers[:6] if b not in "01"]
        return list(dict.fromkeys(found))

    @cached_property
    def places(self) -> list[str]:
        """Where a thread or a task is: the words of the platform in which the wrong text speaks."""
        axes = [w for x in table()["axes_of"] if re.search(x["sign"], self.tree.text)
                for w in x["words"]]  # fmt: skip
        return [w for w in axes if not w.endswith((".y", ".z"))
                or re.search(rf"(?:Idx|Dim)\.{w[-1]}", self.tree.text)]  # fmt: skip

    def at_device(self, p: Piece) -> bool:
        """Whether a piece stands in a function that runs on the device."""
        f = self.tree.function(p)
        head = "" if f is None else self.tree.text[f.start : f.start + 60]
        return re.search(r"__global__|__device__|__mlu_", head) is not None

    def sizes_at(self, p: Piece) -> list[str]:
        """Names and numbers that extents are made of: integer parameters, macros, integers."""
        given = [v.name for v in self.tree.visible(p) if v.kind == "PARM_DECL" and is_integer(v)]
        some = [n for n in self.integers if n not in ("0", "1")]
        return list(dict.fromkeys([*given[:8], *self.macros[:4], *some[:8]]))

    @cached_property
    def accesses(self) -> dict[str, list[str]]:
        """What the right program has between the brackets behind each name."""
        found: dict[str, list[str]] = {}
        for m in re.finditer(r"\b(\w+)\[([^\[\]\n]+)\]", _code(self.source)):
            found.setdefault(m[1], []).append(m[2])
        for texts in found.values():  # where a row begins, for copies of whole rows
            heads = [t.rpartition(" + ")[0] for t in texts]
            texts += [h for h in heads if h and h.count("(") == h.count(")")]
        return {k: list(dict.fromkeys(x)) for k, x in found.items()}

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """What the right program gives to each name."""
        found: dict[str, list[str]] = {}
        for m in re.finditer(r"\b(\w+)(?:\[[^\[\]\n]+\])? [-+*/]?= ([^=;{}][^;{}]*)[;,]",
                             _code(self.source)):  # fmt: skip
            found.setdefault(m[1], []).append(" ".join(m[2].split()))
        return {k: list(dict.fromkeys(x)) for k, x in found.items()}

    @cached_property
    def offsets(self) -> dict[str, list[str]]:
        """What the right program adds to each name, the longest sums first."""
        found: dict[str, list[str]] = {}
        code = _code(self.source)
        for m in re.finditer(r"\b(\w+) \+ ", code):
            terms, depth, begun = [], 0, m.end()
            for i in range(begun, min(len(code), begun + 200)):
                depth += (code[i] in "([") - (code[i] in ")]")
                if depth < 0 or (depth == 0 and (code[i] in ",;<>?:" or code[i : i + 3] == " + ")):
                    terms.append(code[begun:i].strip())
                    if depth < 0 or code[i] != " ":
                        break
            found.setdefault(m[1], []).extend(reversed(terms))
        return {k: list(dict.fromkeys(x)) for k, x in found.items()}

    @cached_property
    def bounds(self) -> list[str]:
        """What the right program compares with, the most frequent first."""
        found = re.findall(r"[<>]=? ([^<>=;{}&|?:]+?)(?=;| &&| \|\||\) [{\w]|\)$)",
                           _code(self.source), re.M)  # fmt: skip
        fit = (t.strip() for t in found if t.count("(") == t.count(")"))
        return [t for t, _ in Counter(fit).most_common()]

    def adapted(self, text: str, p: Piece, most: int = 4) -> list[str]:
        """The source's expression in names that the text at `p` knows; [] where that fails.

        A name that is not known there stands for one of the same stem (`t` for `t2`), else for a
        variable near by if there is only one such name.
        """
        seen = [x.name for x in reversed(self.tree.visible(p))]
        known = {*seen, *self.stub_names}
        unknown = [w for w in dict.fromkeys(_WORD.findall(text)) if w not in known]
        pools = [[n for n in seen if n.rstrip("0123456789_") == w.rstrip("0123456789_")][:2]
                 for w in unknown]  # fmt: skip
        if len(unknown) == 1 and not pools[0] and "." not in text:
            pools = [self.integers_at(p)[:most]]
        if len(unknown) > 3:
            return []
        found = []
        for chosen in itertools.islice(itertools.product(*pools), most):
            names = dict(zip(unknown, chosen, strict=True))
            found.append(_WORD.sub(lambda m, names=names: names.get(m[0], m[0]), text))  # type: ignore[misc]
        return found

    @cached_property
    def stub_names(self) -> set[str]:
        """Names of the platform's own, and of members, that the wrong text uses."""
        return {p.name for p in self.tree.pieces if p.stub} | set("xyz")

    def guards(self, p: Piece) -> Iterator[str]:
        """Conditions that the text at `p` can name: those it makes, and index against extent."""
        seen = {v.name for v in self.tree.visible(p)}
        for q, text in self.conditions:
            names = {k.name for k in self.tree.under(q) if k.kind == "DECL_REF_EXPR" and not k.stub}
            if names and names <= seen:
                yield text
        locals_: list[str] = []
        bounds: list[str] = []
        for v in self.tree.visible(p):
            if is_integer(v):
                (bounds if v.kind == "PARM_DECL" else locals_).append(v.name)
        near = locals_[:-7:-1]
        yield from (f"{a} < {b}" for a in near for b in bounds)
        yield from (f"{a} < {b}" for a in near for b in self.integers[:6])
        for text in re.findall(r"\bif \((.*)\) *[{\n]", self.source):
            if set(re.findall(r"[A-Za-z_]\w*", text)) <= seen | self.words:
                yield text

    def near(self, value: float) -> list[str]:
        """Known numbers and numbers of the texts within a tenth of `value`, nearest first."""
        given = {float(r.rstrip("fFlL")): r for r in self.reals}
        pool = [*given, *KNOWN, *(v / k for v in (*given, math.pi, 1.0) for k in (2, 3, 4, 8, 10))]
        close = {v for v in pool if v != value and abs(v - value) <= 0.1 * abs(value)}
        ordered = sorted(close, key=lambda v: abs(v - value))
        return [given.get(v, f"{v:.9g}") for v in ordered][:8]


def _code(text: str) -> str:
    """The text without comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
