"""Which iterations of loops touch the same memory: exact where affine, conservative elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import declared, escapes, indices, is_memory, loop_vars
from xpiler.analysis.pointers import Target, byte_size, in_struct, targets
from xpiler.analysis.poly import ZERO, Poly, atom, constant
from xpiler.analysis.ranges import AtomInfo, Facts, is_int
from xpiler.analysis.walker import Walker, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.types import Array, Pointer, Type, element


@dataclass(frozen=True)
class Access:
    """One read or write of an array: subscripts as polynomials, with what holds there.

    `elem` is the type of the elements that the last subscript counts; `offset` (bytes) is where a
    pointer with other elements started.
    """

    root: e.Var
    subs: tuple[Poly, ...]
    write: bool
    elem: Type
    facts: Facts
    offset: Poly = ZERO

    def in_bytes(self) -> tuple[Poly, int] | None:
        """First byte and number of bytes, for one dimension of scalars or vectors."""
        size = byte_size(self.elem)
        if size is None or len(self.subs) != 1:
            return None
        return self.subs[0] * size + self.offset, size


@dataclass
class Summary:
    """All memory accesses of a body, the outer scalars it assigns, and whether more happens."""

    accesses: list[Access] = field(default_factory=list)
    scalars: set[str] = field(default_factory=set)
    opaque: bool = False
    fresh: set[str] = field(default_factory=set)

    @property
    def written(self) -> set[str]:
        return {a.root.name for a in self.accesses if a.write}


class Collector(Walker):
    """Gathers the accesses of a body."""

    def __init__(self, pure: Collection[str] = ()) -> None:
        self.out = Summary()
        self.pure = pure  # functions that read nothing but the values that they are given

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.Assign):
            self._written(st.target, facts, also_read=bool(st.op))
        elif isinstance(st, s.Decl) and isinstance(st.var.type, Pointer):
            self._pointer(st, facts)
            return (st,)
        elif isinstance(st, s.Instr) and st.name in ("host.alloc", "host.free"):
            self._storage(st)
            return (st,)
        elif isinstance(st, (s.Instr, s.Barrier, s.Launch, s.LeftOut, s.Eval)):
            self.out.opaque = True
        return super().stmt(st, facts)

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        self._reads(x, facts)
        return x

    def place(self, x: e.Expr, facts: Facts) -> e.Expr:
        for sub in indices(x):
            self._reads(sub, facts)
        return x

    def _storage(self, st: s.Instr) -> None:
        """Memory allocated for a local pointer is an array of its own."""
        if not st.outs and not (isinstance(st.ins[0], e.Var) and st.ins[0].name in self.out.fresh):
            self.out.opaque = True
        for out in st.outs:
            if isinstance(out, e.Var) and isinstance(out.type, Pointer):
                self.out.fresh.add(out.name)
            else:
                self.out.opaque = True

    def _pointer(self, st: s.Decl, facts: Facts) -> None:
        """A local pointer stands for its base and an offset, where it never changes."""
        if st.init is None:
            return
        for part in _offsets(st.init):
            self._reads(part, facts)
        if st.var.name in facts.mutable or not targets(st.init, facts):
            self.out.opaque |= not self.targets(st.var, facts)

    def targets(self, x: e.Expr, facts: Facts) -> list[tuple[Target, Facts]]:
        """What a pointer may point to, with what holds there; none where that is not known."""
        return targets(x, facts)

    def _written(self, x: e.Expr, facts: Facts, also_read: bool) -> None:
        if is_memory(x):
            self._access(x, facts, write=True)
            if also_read:
                self._access(x, facts, write=False)
            return
        base = x
        while isinstance(base, (e.Index, e.Field)):
            base = base.base
        if isinstance(base, e.Var):
            self.out.scalars.add(base.name)
        else:
            self.out.opaque = True

    def _reads(self, x: e.Expr, facts: Facts) -> None:
        if isinstance(x, e.Index) and is_memory(x):
            self._access(x, facts, write=False)
            for sub in indices(x):
                self._reads(sub, facts)
            return
        if isinstance(x, e.Var):
            if isinstance(x.type, (Pointer, Array)):
                self.out.opaque = True  # the array itself escapes
            return
        if isinstance(x, e.Call) and x.func not in math_functions() and x.func not in self.pure:
            self.out.opaque = True
        if isinstance(x, e.Field) and is_memory(x):
            self._reads(x.base, facts)
            return
        if in_struct(x) is not None:
            self.out.opaque = True  # the pointer itself escapes
        for child in _parts(x):
            if not _compared(x, child):
                self._reads(child, facts)

    def _access(self, x: e.Expr, facts: Facts, write: bool) -> None:
        base: e.Expr = x
        while isinstance(base, (e.Index, e.Field)) and in_struct(base) is None:
            base = base.base
        subs, found = _subscripts(x), self.targets(base, facts)
        if not found or subs is None:
            self.out.opaque = True
            return
        for one, known in found:
            self._touched(one, base, subs, known, write)

    def _touched(
        self, found: Target, base: e.Expr, subs: tuple[e.Expr, ...], facts: Facts, write: bool
    ) -> None:
        polys = tuple(facts.address(i) for i in subs)
        elem = element(base.type) if len(subs) == 1 else found.elem
        whole, rest = found.offset.divided_by(constant(byte_size(elem) or 1))
        if not rest.terms:
            polys = (polys[0] + whole, *polys[1:])
        access = Access(found.root, polys, write, elem, facts, rest)
        if len(subs) > 1 and found.offset.terms:
            self.out.opaque = True
        self.out.accesses.append(access)


def _compared(x: e.Expr, child: e.Expr) -> bool:
    """Whether `child` is a pointer that `x` only compares: nothing is read behind it."""
    compares = isinstance(x, e.Binary) and x.op in ("==", "!=")
    return compares and isinstance(child, e.Var) and isinstance(child.type, Pointer)


def _subscripts(x: e.Expr) -> tuple[e.Expr, ...] | None:
    """Integer subscripts of the array part of a place; fields and vector lanes do not count."""
    out: list[e.Expr] = []
    while isinstance(x, (e.Index, e.Field)) and in_struct(x) is None:
        if isinstance(x, e.Index) and isinstance(x.base.type, (Pointer, Array)):
            if not is_int(x.index.type):
                return None
            out.append(x.index)
            loaded = isinstance(x.base.type, Pointer) and isinstance(x.base, (e.Index, e.Field))
            if loaded and in_struct(x.base) is None:
                return None  # a pointer read from memory
        x = x.base
    return tuple(reversed(out))


def _parts(x: e.Expr) -> Iterator[e.Expr]:
    from xpiler.ir.rewrite import children

    return (c for c in children(x) if isinstance(c, e.Expr))


def _offsets(x: e.Expr) -> Iterator[e.Expr]:
    if isinstance(x, e.Binary):
        yield x.b
        yield from _offsets(x.a)
    elif isinstance(x, e.Select):
        yield x.cond
        yield from _offsets(x.a)
        yield from _offsets(x.b)
    elif isinstance(x, e.AddressOf):
        yield from indices(x.x)


def summarise(body: s.Body, facts: Facts, pure: Collection[str] = ()) -> Summary:
    """The accesses of `body`, which runs where `facts` hold; `pure` functions have none."""
    collector = Collector(pure)
    collector.body(body, facts)
    out = collector.out
    local = declared(body)
    out.accesses = [a for a in out.accesses if a.root.name not in local]
    out.scalars -= set(local)
    out.opaque = out.opaque or not out.fresh <= set(local)
    return out


# -- disjointness ---------------------------------------------------------------------------


def independent(loop: s.For, facts: Facts, pure: Collection[str] = ()) -> bool:
    """Whether no iteration of `loop` depends on another one (so that they may run in any order)."""
    mark = len(facts.ledger.sentences)
    if escapes(loop.body, in_loop=True):
        return False
    body = summarise(loop.body, inside(loop, facts), pure)
    varying = frozenset(declared(loop.body)) | {loop.var.name} | loop_vars(loop.body)
    ok = not body.opaque and not body.scalars
    ok = ok and apart(body.accesses, body.accesses, loop.var.name, varying, facts)
    if not ok:
        del facts.ledger.sentences[mark:]
    return ok


def apart(
    first: Iterable[Access], second: Iterable[Access], v: str, varying: frozenset[str], facts: Facts
) -> bool:
    """Whether accesses of `first` and `second` never meet at different values of `v`.

    `varying` are the variables (with `v`) that may differ between the two sides.
    """
    seconds = list(second)
    done: set[tuple[object, ...]] = set()
    for a in first:
        for b in seconds:
            if not (a.write or b.write):
                continue
            key = (
                a.root.name,
                a.subs,
                a.elem,
                b.root.name,
                b.subs,
                b.elem,
                id(a.facts),
                id(b.facts),
            )
            if key in done:
                continue
            done.add(key)
            if not _pair_apart(a, b, v, varying, facts):
                return False
    return True


def _pair_apart(a: Access, b: Access, v: str, varying: frozenset[str], facts: Facts) -> bool:
    if a.root.name == b.root.name:
        return never_meet(a, b, v, varying)
    if distinct(a.root, b.root):
        return True
    same = never_meet(a, b, v, varying)
    first, second = sorted((a.root.name, b.root.name))
    return facts.ledger.assume_apart(first, second, or_same=same)


def distinct(a: e.Var, b: e.Var) -> bool:
    """Whether two different arrays or pointers certainly do not overlap."""
    pointers = [x for x in (a, b) if isinstance(x.type, Pointer)]
    return len(pointers) < 2 or any(x.type.restrict for x in pointers)  # type: ignore[attr-defined]


def not_aliased(a: e.Var, b: e.Var, facts: Facts) -> bool:
    """Whether two different arrays or pointers cannot overlap (perhaps by assumption)."""
    if distinct(a, b):
        return True
    first, second = sorted((a.name, b.name))
    return facts.ledger.assume_apart(first, second)


def never_meet(a: Access, b: Access, v: str, varying: frozenset[str]) -> bool:
    """Whether a common byte implies equal `v`, by one of the dimensions."""
    primed = _Primed(a.facts, b.facts, varying)
    both = primed.facts()
    for d, widths in _distances(a, b, primed):
        if _always_differ(d, widths, both) or _implies_equal(d, widths, v, primed, both):
            return True
        parts = _taken_apart(d, v, primed)
        if parts is not None:
            d, names = parts
            both = _in_range(names, primed)
            if _always_differ(d, widths, both) or _all_equal(d, widths, names, primed, both):
                return True
    if a.subs == b.subs or a.facts is b.facts:
        return False
    return any(_far_apart(d, widths, both) for d, widths in _distances(a, b, primed))


def _far_apart(d: Poly, widths: Widths, facts: Facts) -> bool:
    """As `_always_differ`, with more effort: each side has its own conditions."""
    mine, other = widths
    return bool(d.terms) and (facts.long_nonneg(d - other) or facts.long_nonneg(-d - mine))


Widths = tuple[int, int]


def _distances(a: Access, b: Access, primed: _Primed) -> list[tuple[Poly, Widths]]:
    """For each dimension the distance d from b to a; they meet where -widths[0] < d < widths[1].

    An access may have more dimensions than the other: `blocks[i].scale` and `blocks[i].values[j]`.
    """
    if a.elem == b.elem and not a.offset.terms and not b.offset.terms:
        return [(p - primed.poly(q), (1, 1)) for p, q in zip(a.subs, b.subs, strict=False)]
    first, second = a.in_bytes(), b.in_bytes()
    if first is None or second is None:
        return []
    return [(first[0] - primed.poly(second[0]), (first[1], second[1]))]


def _always_differ(d: Poly, widths: Widths, facts: Facts) -> bool:
    mine, other = widths
    return bool(d.terms) and (facts.soon_nonneg(d - other) or facts.soon_nonneg(-d - mine))


def _implies_equal(d: Poly, widths: Widths, v: str, primed: _Primed, facts: Facts) -> bool:
    """Whether a meeting implies v == v'.

    Mixed radix: where d = c*(u - u') + rest and c is too large for rest, u equals u', and rest is
    the distance that is left.
    """
    for _ in range(6):
        rest = None
        for u in [v, *sorted(d.atoms() - {v})]:
            rest = _peel(d, widths, u, primed, facts)
            if rest is not None:
                break
        if rest is None:
            return False
        if u == v:
            return True
        d = rest
    return False


def _all_equal(
    d: Poly, widths: Widths, names: tuple[str, ...], primed: _Primed, facts: Facts
) -> bool:
    """Whether a meeting implies that each of `names` is what it is on the other side (or whether
    there is none: what is left may never be that near)."""
    left = set(names)
    while left:
        for u in sorted(d.atoms() & left):
            rest = _peel(d, widths, u, primed, facts)
            if rest is not None:
                d, left = rest, left - {u}
                if _always_differ(d, widths, facts):
                    return True
                break
        else:
            return False
    return True


def _taken_apart(d: Poly, v: str, primed: _Primed) -> tuple[Poly, tuple[str, ...]] | None:
    """`d` by the rows and columns v / c and v % c instead of v itself; None where v is not >= 0,
    or nothing divides it."""
    atoms = primed.a.atoms
    found = {n: atoms[n].den for n in d.atoms() if n in atoms and atoms[n].num == atom(v)}
    counts = {den.constant for den in found.values() if den is not None}
    c = counts.pop() if len(counts) == 1 else None
    if c is None or len(found) != 1 or not primed.facts().soon_nonneg(atom(v)):
        return None
    row, column = next(iter(found)), f"<{v}%{c}>"
    primed.a.atoms[column] = AtomInfo(0, c - 1)
    primed.varying |= {column}
    whole = atom(row) * c + atom(column)
    return d.substitute({v: whole, primed.name(v): primed.poly(whole)}), (row, column)


def _in_range(names: tuple[str, ...], primed: _Primed) -> Facts:
    """What holds on both sides, and how large rows and columns are there."""
    facts = primed.facts()
    for n in (*names, *map(primed.name, names)):
        lo, hi = facts.interval(atom(n))
        if hi < 1 << 31:
            facts = facts.with_fact(atom(n) - lo, momentary=True)
            facts = facts.with_fact(-atom(n) + hi, momentary=True)
    return facts


def _peel(d: Poly, widths: Widths, u: str, primed: _Primed, facts: Facts) -> Poly | None:
    """The rest of d = c*(u - u') + rest, where u != u' moves further than both are wide."""
    u2 = primed.names.get(u)
    if u2 is None:
        return None
    mine, other = d.split(u), d.split(u2)
    if mine is None or other is None or not mine[0].terms or (mine[0] + other[0]).terms:
        return None
    c, rest = mine[0], d - mine[0] * (atom(u) - atom(u2))
    size = -c if facts.soon_nonneg(-c) else c
    if not facts.soon_nonneg(size - 1):
        return None
    far = facts.nonneg(size + rest - widths[1]) and facts.nonneg(size - rest - widths[0])
    return rest if far else None


@dataclass
class _Primed:
    """A copy of what varies, for the second of two iterations."""

    a: Facts
    b: Facts
    varying: frozenset[str]
    names: dict[str, str] = field(default_factory=dict)

    def name(self, key: str) -> str:
        """The name of `key` in the second iteration: itself where it cannot differ."""
        if key in self.names:
            return self.names[key]
        info = self.b.atoms.get(key)
        if not self._varies(key):
            return key
        new = f"{key}'"
        self.names[key] = new
        if info is not None:
            parts = {
                "num": self.poly(info.num) if info.num is not None else None,
                "den": self.poly(info.den) if info.den is not None else None,
                "max_of": tuple(map(self.poly, info.max_of)),
                "min_of": tuple(map(self.poly, info.min_of)),
                "near": tuple(map(self.poly, info.near)),
            }
            self.a.atoms[new] = replace(info, **parts)  # type: ignore[arg-type]
        return new

    def _varies(self, key: str) -> bool:
        if key in self.varying or key not in self.b.atoms:
            return True
        return bool(self.b.inside_of(key) & self.varying) or not self.b.stable(atom(key))

    def poly(self, p: Poly) -> Poly:
        return p.substitute({k: atom(self.name(k)) for k in p.atoms()})

    def facts(self) -> Facts:
        """What holds in the first iteration, and the same about the second's copies."""
        out = self.a
        rank, numeric = dict(out.rank), dict(out.numeric)
        for key in self.b.known:
            if self._varies(key):
                new = self.name(key)
                rank[new] = self.b.rank.get(key, 0) + 0.25
                if key in self.b.numeric:
                    numeric[new] = self.b.numeric[key]
        out = replace(out, rank=rank, numeric=numeric, _cache={})
        seen: set[Poly] = set()
        for polys in self.b.known.values():
            for p in polys:
                if p not in seen and any(self._varies(k) for k in p.atoms()):
                    seen.add(p)
                    out = out.with_fact(self.poly(p))
        return out
