"""How many elements of each pointer parameter a function touches, as expressions in its scalars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from xpiler.analysis import fit
from xpiler.analysis.affine import to_expr
from xpiler.analysis.dependence import Access
from xpiler.analysis.effects import names_in, root
from xpiler.analysis.parallelism import Gatherer
from xpiler.analysis.pointers import byte_size
from xpiler.analysis.poly import Poly, atom, constant
from xpiler.analysis.proofs import facts_of, rank
from xpiler.analysis.ranges import Facts
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, StructDef
from xpiler.ir.rewrite import map_children, rewrite_exprs, substitute, walk
from xpiler.ir.text import show
from xpiler.ir.types import I64, Array, Pointer, Vector

WIDE = 1 << 20
"""A range of values that says something about an unknown."""
MAX_STEPS, INNER_STEPS = 120, 12
MOST_WAYS = 6


@dataclass
class Use:
    """What happens to one pointer: `bounds` are extents (elements), one for each access.

    `lost`: some access has no bound.
    `examples` are sizes that the function is called with: of several bounds the lowest is taken.
    """

    facts: Facts
    reads: bool = False
    writes: bool = False
    lost: bool = False
    bounds: list[tuple[Poly, ...]] = field(default_factory=list)
    examples: tuple[fit.Sizes, ...] = ()

    def need(self, bounds: tuple[Poly, ...]) -> None:
        """One more access, with everything that its extent is known to be at most."""
        if not bounds:
            self.lost = True
        elif bounds not in self.bounds:
            self.bounds.append(bounds)

    def most(self) -> list[Poly]:
        """Extents none of which contains another; together they hold every access."""
        if alone := self._alone():
            return [min(alone, key=self._looseness)]
        sure = greatest([b[0] for b in self.bounds if len(b) == 1], self.facts)
        for several in self.bounds:
            if not any(_above(self.facts, p, q) for p in sure for q in several):
                sure.append(min(several, key=self._looseness))
        return greatest(sure, self.facts)

    def _alone(self) -> list[Poly]:
        """Extents each of which holds every access."""
        return [p for b in self.bounds for p in b if all(self._within(x, p) for x in self.bounds)]

    def counts(self) -> list[e.Expr]:
        """Several ways to say `count`, where there are: which is best depends on the arguments."""
        one = self.count()
        if one is None:
            return []
        parts = [to_expr(self.facts, p, I64, checked=False) for p in self._alone()]
        return [x for x in dict.fromkeys(parts) if x is not None][:MOST_WAYS] or [one]

    def _within(self, bounds: tuple[Poly, ...], p: Poly) -> bool:
        return any(_above(self.facts, p, q) for q in bounds)

    def _looseness(self, p: Poly) -> tuple[float, int, int]:
        """A good bound is low for the examples, and rounds nothing up to whole steps."""
        x = to_expr(self.facts, p, I64, checked=False) if self.examples else None
        there = [fit.value(x, sizes) if x is not None else None for sizes in self.examples]
        sizes = sum(float("inf") if n is None else n for n in there)
        return sizes, sum(_is_quotient(self.facts, a) for a in p.atoms()), _size(p)

    def count(self, sure: bool = True) -> e.Expr | None:
        """The elements that are touched, as an i64 expression; None where that is not known.

        Not `sure`: only by the accesses whose places are known.
        """
        most = self.most()
        parts = [to_expr(self.facts, p, I64, checked=False) for p in most]
        if (sure and self.lost) or not parts or None in parts:
            return None
        out = parts[0]
        for x in parts[1:]:
            assert out is not None
            assert x is not None
            out = e.Select(e.compare(">", out, x), out, x, I64)
        return out


class Footprint(Gatherer):
    """Collects accesses; pointers that escape are noted by name instead of giving up.

    `known` has the uses of functions that are called with pointers, `touched` what those calls and
    copies touch: (pointer, bytes from its start, elements or None, read, written).
    """

    def __init__(
        self, readers: frozenset[str], known: Callees, layouts: Layouts | None = None
    ) -> None:
        super().__init__(readers)
        self.layouts = layouts or {}
        self.known = known
        self.escaped: set[str] = set()
        self.touched: list[Touch] = []
        self.fields: dict[tuple[str, str], e.Expr] = {}
        self.nested: frozenset[str] = frozenset()

    def whole(self, body: s.Body, facts: Facts) -> None:
        """Everything in a function's body; fields set one after the other there are remembered."""
        inner = [n for st in body for n in walk(st) if n is not st]
        self.nested = frozenset(
            root(n.target) for n in inner if isinstance(n, s.Assign)
        ) | frozenset(root(n.x) for n in walk(body) if isinstance(n, e.AddressOf))
        self.body(body, facts)

    def _note_fields(self, st: s.Stmt, facts: Facts) -> None:
        if isinstance(st, s.Decl) and isinstance(st.init, e.Aggregate):
            if st.var.name not in self.nested:
                for name, x in zip(_field_names(st, self), st.init.items, strict=False):
                    self._note_field(st.var.name, name, x, facts)
        elif isinstance(st, s.Assign) and isinstance(st.target, e.Field):
            base = st.target.base
            if isinstance(base, e.Var) and base.name not in self.nested:
                self.fields.pop((base.name, st.target.name), None)
                if not st.op:
                    self._note_field(base.name, st.target.name, st.value, facts)

    def _note_field(self, var: str, name: str, x: e.Expr, facts: Facts) -> None:
        x = self.resolved(x)
        if not names_in(x) & facts.mutable:
            self.fields[var, name] = x

    def resolved(self, x: e.Expr) -> e.Expr:
        """`x` with the fields that are known replaced by their values."""

        def one(n: e.Expr) -> e.Expr:
            if isinstance(n, e.Field) and isinstance(n.base, e.Var):
                return self.fields.get((n.base.name, n.name), n)
            return n

        out: e.Expr = rewrite_exprs(x, one)
        return out

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        self._note_fields(st, facts)
        if isinstance(st, s.Instr) and st.name in ("host.copy", "host.set"):
            self._copied(st, facts)
            return (st,)
        call = getattr(st, "call", getattr(st, "init", getattr(st, "value", None)))
        if isinstance(call, e.Call) and call.func in self.known:
            self._called(call, facts)
            if isinstance(st, s.Assign):  # the place of the result is written
                super().stmt(replace(st, value=e.Const(0, call.type)), facts)
            return (st,)
        calls = self._calls_within(st)
        if calls:
            for one in calls:
                self._called(one, facts)
            return self.stmt(_without_calls(st, calls), facts)
        if isinstance(st, (s.Instr, s.Eval, s.Launch)) and not str(
            getattr(st, "name", "")
        ).startswith("host."):
            self.escaped |= {n.name for x in _operands(st) for n in _pointers(x)}
        return super().stmt(st, facts)

    def _calls_within(self, st: s.Stmt) -> list[e.Call]:
        """Calls of known functions within the value that a statement gives."""
        values = (getattr(st, "init", None), getattr(st, "value", None))
        found = (n for x in values if isinstance(x, e.Expr) for n in walk(x))
        return [n for n in found if isinstance(n, e.Call) and n.func in self.known]

    def _copied(self, st: s.Instr, facts: Facts) -> None:
        amount = facts.address(self.resolved(st.ins[2]))
        sides = ((st.ins[0], True), (st.ins[1], False))
        for x, write in sides if st.name == "host.copy" else sides[:1]:
            self._touch(x, amount, write, facts)

    def _touch(self, x: e.Expr, amount: Poly, write: bool, facts: Facts) -> None:
        found = self.targets(x, facts)
        if not found:
            self.escaped |= {n.name for n in _pointers(x)}
        for one, known in found:
            self.touched.append(Touch(one.root.name, (one.offset + amount,), write, known))

    def _called(self, call: e.Call, facts: Facts) -> None:
        params, uses = self.known[call.func]
        args = {p.name: a for p, a in zip(params, call.args, strict=False)}
        for name, use in uses.items():
            counts, a = use.counts(), args[name]
            found = self.targets(a, facts)
            if not found or not counts:
                self.escaped |= {n.name for n in _pointers(a)}
                continue
            param = next(p.type for p in params if p.name == name)
            size = byte_size(param.elem) or 1  # type: ignore[attr-defined]
            reached = [facts.address(self.resolved(substitute(n, args))) for n in counts]
            kinds = [k for k in (False, True) if (use.writes if k else use.reads or not use.writes)]
            for one, known in found:
                ends = tuple(one.offset + p * size for p in reached)
                self.touched += [Touch(one.root.name, ends, kind, known) for kind in kinds]

    def _access(self, x: e.Expr, facts: Facts, write: bool) -> None:
        count = len(self.out.accesses)
        super()._access(x, facts, write)
        if len(self.out.accesses) == count:
            self.escaped |= {n.name for n in _pointers(x)}

    def _reads(self, x: e.Expr, facts: Facts) -> None:
        if isinstance(x, e.Var) and isinstance(x.type, (Pointer, Array)):
            self.escaped.add(x.name)
        super()._reads(x, facts)


def _without_calls(st: s.Stmt, calls: Sequence[e.Call]) -> s.Stmt:
    """`st` with a number where it calls."""

    def one(x: e.Expr) -> e.Expr:
        return e.Const(0, x.type) if x in calls else x

    out: s.Stmt = map_children(st, lambda x: rewrite_exprs(x, one) if isinstance(x, e.Expr) else x)
    return out


def _field_names(st: s.Decl, structs: Footprint) -> tuple[str, ...]:
    if isinstance(st.var.type, Vector):
        return ("x", "y", "z", "w")
    return structs.layouts.get(str(st.var.type), ())


@dataclass(frozen=True)
class Touch:
    """Bytes of `root` up to each of `ends` at most are read or written."""

    root: str
    ends: tuple[Poly, ...]
    write: bool
    facts: Facts


Layouts = Mapping[str, tuple[str, ...]]
Callees = Mapping[str, tuple[tuple[e.Var, ...], Mapping[str, Use]]]


def _operands(st: s.Stmt) -> Iterator[e.Expr]:
    if isinstance(st, s.Instr):
        yield from (*st.outs, *st.ins)
    elif isinstance(st, s.Eval):
        yield st.call
    elif isinstance(st, s.Launch):
        yield from st.args


def _pointers(x: e.Expr) -> Iterator[e.Var]:
    for n in walk(x):
        if isinstance(n, e.Var) and isinstance(n.type, (Pointer, Array)):
            yield n


def uses(
    f: Function, body: s.Body, facts: Facts, readers: frozenset[str], known: Callees,
    structs: tuple[StructDef, ...] = (),
) -> dict[str, Use]:  # fmt: skip
    """The use of every pointer parameter of `f` in `body`."""
    layouts = {f"struct {d.name}": tuple(n for n, _ in d.fields) for d in structs}
    found = Footprint(readers, known, layouts)
    found.whole(body, facts)
    params = {p.name: p for p in f.params if isinstance(p.type, Pointer)}
    keep = frozenset(p.name for p in f.params if p.name not in facts.mutable)
    out = {name: Use(facts) for name in params}
    for a in found.out.accesses:
        if a.root.name in params:
            use = out[a.root.name]
            use.writes |= a.write
            use.reads |= not a.write
            use.need(element_bound(a, params[a.root.name], keep))
    for t in found.touched:
        if t.root in params:
            out[t.root].writes |= t.write
            out[t.root].reads |= not t.write
            out[t.root].need(_elements(t, params[t.root], keep))
    unplaced = {a.root.name for a in found.out.accesses} - set(params)
    for name in origins(found.escaped | unplaced, body) & set(params):
        out[name].lost = out[name].reads = True
        pointee = params[name].type
        assert isinstance(pointee, Pointer)
        out[name].writes |= not pointee.const
    return out


def origins(names: Iterable[str], body: s.Body) -> set[str]:
    """`names`, and the pointers that they are made from in `body`."""
    made: dict[str, set[str]] = {}
    for n in (n for st in body for n in walk(st)):
        place, value = getattr(n, "var", getattr(n, "target", None)), getattr(n, "init", None)
        value = n.value if isinstance(n, s.Assign) else value
        if isinstance(place, e.Var) and isinstance(place.type, Pointer) and value is not None:
            made.setdefault(place.name, set()).update(x.name for x in _pointers(value))
    found, queue = set(names), list(names)
    while queue:
        more = made.get(queue.pop(), set()) - found
        found |= more
        queue += more
    return found


def _elements(t: Touch, param: e.Var, keep: frozenset[str]) -> tuple[Poly, ...]:
    size = byte_size(param.type.elem)  # type: ignore[attr-defined]
    if size is None:
        return ()
    tops = [p.divided_by(Poly({(): size})) for end in t.ends for p in upper(t.facts, end, keep)]
    found = [whole for whole, rest in tops if not rest.terms]
    return smallest(found, t.facts) if len(t.ends) > 1 else tuple(found)


def element_bound(a: Access, param: e.Var, keep: frozenset[str]) -> tuple[Poly, ...]:
    """Bounds of one more than the largest element of `param` that `a` touches."""
    assert isinstance(param.type, Pointer)
    size, width = byte_size(param.type.elem), byte_size(a.elem)
    if a.elem == param.type.elem and not a.offset.terms and len(a.subs) == 1:
        return tuple(p + 1 for p in upper(a.facts, a.subs[0], keep))
    if size is None or width is None or len(a.subs) != 1:
        return ()
    tops = upper(a.facts, a.subs[0] * width + a.offset, keep)
    parts = [(p + width).divided_by(Poly({(): size})) for p in tops]
    return tuple(
        whole + (1 if rest.terms else 0) for whole, rest in parts if not rest.terms or rest.constant
    )


def upper(facts: Facts, p: Poly, keep: frozenset[str], depth: int = 0) -> tuple[Poly, ...]:
    """Upper bounds of `p` in terms of `keep` that a short search finds, each worth having.

    Signs that are not known are taken to be those of sizes, which the ledger then says.
    """
    if depth > 0:
        return _upper(facts, p, keep, depth)
    known, q = with_rests(facts, p)
    found = _upper(facts, p, keep, 0)
    if q != p:
        found = smallest((*found, *_upper(known, q, keep, 0)), known)
    if any(not any(_is_quotient(facts, a) for a in b.atoms()) for b in found):
        return found
    return smallest((*found, *_upper(facts, p, keep, 0, quotients_last=True)), facts)


def with_rests(facts: Facts, p: Poly) -> tuple[Facts, Poly]:
    """`p` with unknowns for what divisions leave: t*x - t*d*(x/d) is t*r with r < d."""
    for name in sorted(p.atoms(), key=lambda a: rank(facts, a)):
        info, parts = facts.atoms.get(name), p.split(name)
        if info is None or info.num is None or info.den is None or parts is None:
            continue
        t = _times(p, info.num)
        left = parts[0] + t * info.den
        if not t.terms or len(left.terms) >= len(parts[0].terms) or not facts.soon_nonneg(info.num):
            continue
        rest = atom(f"{name}%")
        bounds = (info.den - 1 - rest, rest)
        facts = replace(
            facts,
            known={**facts.known, f"{name}%": bounds},
            rank={**facts.rank, f"{name}%": rank(facts, name)[0]},
            _cache={}, _ranges={}, _signs=dict(facts._signs),
        )  # fmt: skip
        p = p - t * (info.num - info.den * atom(name)) + t * rest
    return facts, p


def _times(p: Poly, num: Poly) -> Poly:
    """How many times `num` is in `p`, going by one of its unknowns."""
    for mono, c in sorted(num.terms.items()):
        if len(mono) == 1 and c == 1:
            parts = p.split(mono[0])
            return parts[0] if parts is not None else Poly({})
    return Poly({})


def _upper(
    facts: Facts, p: Poly, keep: frozenset[str], depth: int, quotients_last: bool = False
) -> tuple[Poly, ...]:
    found: list[Poly] = []
    seen = {p}
    todo = [p]
    for _ in range(MAX_STEPS if depth == 0 else INNER_STEPS):
        if not todo:
            break
        q = todo.pop()
        name = _next(facts, q, keep, quotients_last)
        if name is None:
            found.append(q)
            continue
        made = {p for p in _without(facts, q, name, keep, depth) if len(p.terms) < 24} - seen
        seen |= made
        todo += sorted(made, key=lambda p: _hardness(facts, p, keep), reverse=True)
    return smallest(found, facts)


def _hardness(facts: Facts, p: Poly, keep: frozenset[str]) -> tuple[int, int, str]:
    return sum(1 for a in p.atoms() if not _kept(facts, a, keep)), len(p.terms), str(p)


def _next(facts: Facts, p: Poly, keep: frozenset[str], quotients_last: bool) -> str | None:
    """The atom to do away with first: the innermost that is not to be kept."""
    names = [a for a in p.atoms() if not _kept(facts, a, keep)]
    if not names:
        return None
    return max(names, key=lambda a: (_is_quotient(facts, a) and not quotients_last, rank(facts, a)))


def _is_quotient(facts: Facts, name: str) -> bool:
    info = facts.atoms.get(name)
    return info is not None and info.num is not None


def _kept(facts: Facts, name: str, keep: frozenset[str]) -> bool:
    info = facts.atoms.get(name)
    if info is None or not facts.inside_of(name) <= keep:
        return False
    return facts.stable(atom(name))


def _without(facts: Facts, p: Poly, name: str, keep: frozenset[str], depth: int) -> Iterator[Poly]:
    """Polynomials >= p without `name`."""
    parts = p.split(name)
    if parts is None:
        return
    c = parts[0]
    for fact in (*facts_of(facts, name), *_quotient_facts(facts, name, keep, depth)):
        split = fact.split(name)
        if split is None or not split[0].terms:
            continue
        g = split[0].constant
        plain = g is not None and g < -1 and all(_kept(facts, a, keep) for a in split[1].atoms())
        if plain and facts.soon_nonneg(c) and facts.soon_nonneg(atom(name)):
            d = constant(-(g or 1))
            whole, left = (split[1] + 1).divided_by(d)
            # (n + 63)/64 - 1 for (n - 1)/64: nothing is touched where n is 0
            most = facts.quotient(split[1] + d, d) - 1 if left.terms else whole - 1
            yield p + c * (most - atom(name))
        t, rest = (-c).divided_by(split[0])
        if not rest.terms and _not_negative(facts, t, keep):
            yield p + t * fact
    lo, hi = facts.interval(atom(name))
    if hi - lo < WIDE and facts.soon_nonneg(c):
        yield p + c * (constant(hi) - atom(name))
    elif hi - lo < WIDE and facts.soon_nonneg(-c):
        yield p + c * (constant(lo) - atom(name))


def _not_negative(facts: Facts, t: Poly, keep: frozenset[str]) -> bool:
    if facts.soon_nonneg(t):
        return True
    if (
        facts.interval(t)[1] < 0
        or min(t.terms.values()) < 0
        or not all(_kept(facts, a, keep) for a in t.atoms())
    ):
        return False
    unsure = [a for a in sorted(t.atoms()) if facts.interval(atom(a))[0] < 0]
    for a in unsure:
        x = to_expr(facts, atom(a), I64, checked=False)
        text = show(_bare(x)) if x is not None else a
        if not facts.ledger.assume(f"{text} is not negative"):
            return False
    return True


def _bare(x: e.Expr) -> e.Expr:
    out: e.Expr = rewrite_exprs(x, lambda n: n.x if isinstance(n, e.Cast) else n)
    return out


def _quotient_facts(facts: Facts, name: str, keep: frozenset[str], depth: int) -> Iterator[Poly]:
    """q <= (U + 1)/d - 1 where d divides U + 1, for q = num/d and num <= U."""
    info = facts.atoms.get(name)
    if info is None or info.num is None or info.den is None:
        return
    if depth > 0:
        return
    for top in upper(facts, info.num, keep, depth + 1):
        whole, rest = (top + 1).divided_by(info.den)
        if not rest.terms:
            yield whole - 1 - atom(name)
        elif info.den.constant is not None or not rest.atoms() & info.den.atoms():
            yield facts.quotient(top, info.den) - atom(name)
    if facts.soon_nonneg(info.num):
        yield atom(name)


def at_least(a: Poly, b: Poly) -> bool:
    """Whether a >= b for all values >= 1 of the unknowns."""
    d = a - b
    ones = d.substitute({n: atom(n) + 1 for n in d.atoms()})
    return all(c >= 0 for c in ones.terms.values())


def smallest(items: Iterable[Poly], facts: Facts) -> tuple[Poly, ...]:
    """Those of several bounds that no other one is below, as far as they can be compared."""
    out: list[Poly] = []
    for p in items:
        if any(_above(facts, p, q) for q in out):
            continue
        out = [q for q in out if not _above(facts, q, p)]
        out.append(p)
    return tuple(out)


def _above(facts: Facts, a: Poly, b: Poly) -> bool:
    """Whether a >= b for all sizes, also because d * (x/d) and min(x, y) are at most x."""
    if at_least(a, b):
        return True
    for name in sorted(b.atoms()):
        info, parts = facts.atoms.get(name), b.split(name)
        options = info.min_of if info is not None else ()
        if options and parts is not None and at_least(parts[0], Poly({})):
            return any(_above(facts, a, b.substitute({name: x})) for x in options)
        if info is None or info.num is None or info.den is None or parts is None:
            continue
        t, rest = parts[0].divided_by(info.den)
        known = not rest.terms and at_least(t, Poly({})) and at_least(info.num, Poly({}))
        if known and at_least(a, parts[1] + t * info.num):
            return True
    return False


def _size(p: Poly) -> int:
    return sum(1 + len(m) for m in p.terms)


def greatest(items: list[Poly], facts: Facts) -> list[Poly]:
    """Those of several extents that no other one contains (for sizes of at least 1)."""
    out: list[Poly] = []
    for p in items:
        if any(_above(facts, q, p) for q in out):
            continue
        out = [q for q in out if not _above(facts, p, q)]
        out.append(p)
    return out
