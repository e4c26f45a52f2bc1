"""What each loop of a function allows: iterations at once, accumulators, atomics, or why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import gcd

from xpiler.analysis import reductions
from xpiler.analysis.claims import claim
from xpiler.analysis.counts import Counts
from xpiler.analysis.dependence import Access, Collector, Summary, _pair_apart
from xpiler.analysis.effects import assigned, declared, escapes, loop_vars, names_in, root
from xpiler.analysis.pointers import Target, in_struct, targets
from xpiler.analysis.poly import ZERO, Poly, atom
from xpiler.analysis.ranges import Facts, is_int
from xpiler.analysis.reductions import Reduction
from xpiler.analysis.walker import Walker, after, inside
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.rewrite import walk
from xpiler.ir.text import show
from xpiler.ir.types import Array, Pointer, Scalar, Struct, Type

ATOMIC = {"+": "add", "-": "sub", "&": "and", "|": "or", "^": "xor"}


@dataclass(frozen=True)
class Nature:
    """What is known of a loop.

    `parallel`: apart from `reductions` (outer scalars) and `atomics` (arrays that are only updated
    by an operation that can be atomic) its iterations are independent. `obstacle` says what is in
    the way otherwise; `sentences` are the assumptions that this costs.
    """

    parallel: bool
    reductions: tuple[Reduction, ...] = ()
    atomics: frozenset[str] = frozenset()
    obstacle: str = ""
    sentences: tuple[str, ...] = ()

    @property
    def free(self) -> bool:
        """Whether the iterations have nothing to do with each other."""
        return self.parallel and not self.reductions

    @property
    def reduces(self) -> bool:
        return self.parallel and bool(self.reductions)


class Gatherer(Collector):
    """Gathers accesses; calls of functions that only read are reads of what they are given.

    `steady` are names of pointers that the loop leaves alone though other code changes them;
    `structs` becomes those of structs that calls see whole, with what their pointers point to.
    """

    def __init__(self, readers: frozenset[str], steady: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.readers = readers
        self.steady = steady
        self.structs: set[str] = set()
        self.counts = Counts()

    def body(self, body: s.Body, facts: Facts) -> s.Body:
        for k, st in enumerate(body):
            self.stmt(st, facts)
            facts = self.counts.learn(st, body[k + 1 :], after(st, facts))
        return body

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.Instr) and st.name == "trap":
            return (st,)  # after it nobody asks what others did
        if isinstance(st, s.Decl) and isinstance(st.init, e.Aggregate):
            for item in walk(st.init):
                if isinstance(item, e.Expr) and isinstance(item.type, Pointer):
                    self._whole(item, facts)
            for item in st.init.items:
                if not isinstance(item.type, Pointer):
                    self._reads(item, facts)
            return (st,)
        return super().stmt(st, facts)

    def _reads(self, x: e.Expr, facts: Facts) -> None:
        if isinstance(x, e.Select):
            self._reads(x.cond, facts)
            self._reads(x.a, facts.with_cond(x.cond, True, momentary=True))
            self._reads(x.b, facts.with_cond(x.cond, False, momentary=True))
            return
        if isinstance(x, e.Binary) and x.op in e.LOGICAL:
            self._reads(x.a, facts)
            self._reads(x.b, facts.with_cond(x.a, x.op == "&&", momentary=True))
            return
        if asked_for_null(x) is not None:
            return  # whether there is a buffer at all: nothing of it is read
        if isinstance(x, e.Call) and x.func in self.readers and x.func not in math_functions():
            for a in x.args:
                if isinstance(a.type, (Pointer, Array)):
                    self._whole(a, facts)
                else:
                    self._reads(a, facts)
                if isinstance(a.type, Struct):
                    self.structs |= names_in(a)
            return
        super()._reads(x, facts)

    def _for(self, st: s.For, facts: Facts) -> s.For:
        for x in (st.lo, st.hi, st.step):
            self.expr(x, facts)
        inner = within(st, facts)
        with self.counts.within(st, inner):
            self.body(st.body, inner)
        return st

    def _rest(self, st: s.Stmt, facts: Facts) -> s.Stmt:
        if not isinstance(st, s.While):
            return super()._rest(st, facts)
        with self.counts.within(st, facts):
            return super()._rest(st, facts)

    def _whole(self, x: e.Expr, facts: Facts) -> None:
        """Some elements, unknown which, of what `x` points to are read."""
        if isinstance(x, e.AddressOf) and isinstance(x.x, e.Var):
            return  # a variable of the iteration (or one that only reading calls see)
        found = self.targets(x, facts)
        self.out.opaque |= not found
        where = atom(f"<somewhere in {show(x)}>")
        for one, known in found:
            self.out.accesses.append(Access(one.root, (where,), False, one.elem, known, ZERO))

    def targets(self, x: e.Expr, facts: Facts) -> list[tuple[Target, Facts]]:
        found = targets(x, facts)
        if not found and isinstance(x, e.Var) and isinstance(x.type, (Pointer, Array)):
            return [(Target(x, ZERO, x.type.elem), facts)] if x.name in self.steady else []
        return found


def counter(name: str) -> str:
    """The name of the number of a loop's iteration, for loops with steps."""
    return f"{name}#"


def within(loop: s.For, facts: Facts) -> Facts:
    """What is known in the body of `loop`: for a constant step, the values of its variable."""
    inner = inside(loop, facts)
    step = facts.poly(loop.step).constant if is_int(loop.var.type) else None
    if step is None or step < 2:
        return inner
    q = e.Var(counter(loop.var.name), loop.var.type)
    p = facts.poly(loop.lo) + inner.poly(q) * step
    inner = inner.with_fact(inner.poly(q)).with_fact(_whole(facts.poly(loop.hi) - 1 - p))
    return replace(inner, defs={**inner.defs, loop.var.name: p}, _cache={}, _ranges={})


def _whole(p: Poly) -> Poly:
    """What is >= 0 exactly where `p` is, with smaller coefficients: 2*a - 2*b - 1 is a - b - 1."""
    by = gcd(*(c for mono, c in p.terms.items() if mono))
    return Poly({mono: c // by for mono, c in p.terms.items()}) if by > 1 else p


def asked_for_null(x: e.Expr) -> e.Var | None:
    """The pointer that `x` compares with null, where it does just that; `m.data` in a struct."""
    if not isinstance(x, e.Binary) or x.op not in ("==", "!="):
        return None
    a, b = (y.x if isinstance(y, e.Cast) else y for y in (x.a, x.b))
    if not (isinstance(b, e.Const) and b.value == 0):
        return None
    held = in_struct(a)
    if held is not None:
        return held[1]
    return a if isinstance(a, e.Var) and isinstance(a.type, Pointer) else None


def gather(body: s.Body, facts: Facts, readers: frozenset[str]) -> Summary:
    """The accesses of `body`, which runs where `facts` hold, to what is not its own."""
    changed = assigned(body)
    unknown = {n for n, known in facts.pointers.items() if known is None}
    steady = frozenset((facts.mutable | unknown) - changed) | wandering(body)
    collector = Gatherer(readers, steady)
    collector.body(body, facts)
    out = collector.out
    local = declared(body)
    out.accesses = [a for a in out.accesses if a.root.name not in local]
    out.scalars -= set(local)
    out.opaque = out.opaque or not out.fresh <= set(local)
    out.opaque |= any(a.write and _holder(a.root) in collector.structs for a in out.accesses)
    return out


def _holder(pointer: e.Var) -> str:
    """The struct that a pointer called `m.data` is in."""
    return pointer.name.rpartition(".")[0]


def wandering(body: s.Body) -> frozenset[str]:
    """Pointers of `body` that point to nothing but what `body` declares itself.

    That is arrays, between which a pointer may change, and parts of other variables.
    """
    own = declared(body)
    pointers = {n for n, d in own.items() if isinstance(d.var.type, Pointer)}
    values: dict[str, list[e.Expr]] = {n: [] for n in pointers}
    for n in walk(body):
        if isinstance(n, s.Decl) and n.var.name in pointers and n.init is not None:
            values[n.var.name].append(n.init)
        elif isinstance(n, s.Assign) and isinstance(n.target, e.Var) and n.target.name in pointers:
            values[n.target.name].append(n.value)
        elif isinstance(n, e.AddressOf) and root(n.x) in pointers:
            pointers.discard(root(n.x))
    places = {n for n, d in own.items() if not isinstance(d.var.type, Pointer)}
    good = {n for n in pointers if values[n]}
    while True:
        bad = {n for n in good if any(_inside(x) not in places | good for x in values[n])}
        if not bad:
            return frozenset(good)
        good -= bad


def _inside(x: e.Expr) -> str | None:
    """The variable that the pointer `x` points into (or that it starts from, a pointer)."""
    if isinstance(x, e.Cast) or (isinstance(x, e.Binary) and isinstance(x.a.type, Pointer | Array)):
        return _inside(x.x if isinstance(x, e.Cast) else x.a)
    place = x.x if isinstance(x, e.AddressOf) else x
    if place is x and not isinstance(x.type, Array):
        # What is held somewhere, or made of a number, may point anywhere.
        return x.name if isinstance(x, e.Var) and isinstance(x.type, Pointer) else None
    while isinstance(place, e.Index | e.Field):
        if isinstance(place, e.Index) and isinstance(place.base.type, Pointer):
            return _inside(place.base)
        place = place.base
    return place.name if isinstance(place, e.Var) else None


def nature(loop: s.For, facts: Facts, readers: frozenset[str]) -> Nature:
    """What the iterations of `loop`, which stands where `facts` hold, may do at once."""
    before = list(facts.ledger.sentences)
    found = _nature(loop, facts, readers)
    new = tuple(x for x in facts.ledger.sentences if x not in before)
    del facts.ledger.sentences[len(before) :]
    return Nature(
        found.parallel, found.reductions, found.atomics, found.obstacle,
        new if found.parallel else (),
    )  # fmt: skip


def _nature(loop: s.For, facts: Facts, readers: frozenset[str]) -> Nature:
    if escapes(loop.body, in_loop=True):
        return Nature(False, obstacle="the loop can be left early")
    body = gather(loop.body, within(loop, facts), readers)
    if body.opaque:
        return Nature(False, obstacle=_opaque_reason(loop, readers))
    found = reductions.find(loop.body, body.scalars, loop.var) if body.scalars else ()
    if found is None:
        names = ", ".join(sorted(n.split(".")[0] for n in body.scalars))
        return Nature(False, obstacle=f"an iteration uses {names} from the one before")
    needed: set[str] = set()
    clash = _met(loop, facts, body.accesses, needed)
    sizes = _sizes(loop, clash, facts) if clash is not None else []
    if sizes:
        known = facts
        for n in sizes:
            known = known.with_fact(atom(n))
        again: set[str] = set()
        accesses = gather(loop.body, within(loop, known), readers).accesses
        if _met(loop, known, accesses, again) is None and _not_negative(sizes, facts):
            clash, needed = None, again
    if clash is not None and not (loop.claimed and facts.ledger.assume(claim(loop))):
        return Nature(False, obstacle=_pair_text(*clash))
    return Nature(True, found, frozenset(needed))


def _met(
    loop: s.For, facts: Facts, accesses: list[Access], needed: set[str]
) -> tuple[Access, Access] | None:
    """Two of `accesses` that may meet in different iterations of `loop`."""
    atomics = updated_only(loop.body, accesses)
    loops = {loop.var.name} | loop_vars(loop.body)
    varying = frozenset(declared(loop.body)) | loops | {counter(n) for n in loops}
    stepped = within(loop, facts).defs
    v = counter(loop.var.name) if loop.var.name in stepped else loop.var.name
    return _clash(accesses, v, varying, facts, atomics, needed)


def _sizes(loop: s.For, clash: tuple[Access, Access], facts: Facts) -> list[str]:
    """Sizes in the two places that inner loops run up to, and that may be negative so far."""
    inner = (n for n in walk(loop.body) if isinstance(n, s.For) and isinstance(n.hi, e.Var))
    ends = {n.hi.name for n in inner if facts.poly(n.lo).constant == 0}  # type: ignore[attr-defined]
    used = {name for a in clash for p in a.subs for name in p.atoms()}
    return sorted(n for n in ends & used if facts.stable(atom(n)) and not facts.nonneg(atom(n)))


def _not_negative(names: list[str], facts: Facts) -> bool:
    """Whether that may be taken for granted."""
    return all(facts.ledger.assume(f"{n.split('.')[0]} is not negative") for n in names)


def _opaque_reason(loop: s.For, readers: frozenset[str]) -> str:
    for n in walk(loop.body):
        if isinstance(n, e.Call) and n.func not in readers and n.func not in math_functions():
            return f"{n.func} may do more than compute a value"
        if isinstance(n, (s.Instr, s.Launch, s.LeftOut)):
            what = n.name if isinstance(n, s.Instr) else type(n).__name__.lower()
            return f"{what} in the loop has an effect of its own"
    return "a pointer whose target is not known is used"


def _pair_text(a: Access, b: Access) -> str:
    def one(x: Access) -> str:
        subs = "".join(f"[{p}]" for p in x.subs)
        return f"{'write' if x.write else 'read'} of {x.root.name}{subs}"

    return f"the {one(a)} may meet the {one(b)} of another iteration"


def _clash(
    accesses: Iterable[Access],
    v: str,
    varying: frozenset[str],
    facts: Facts,
    atomics: frozenset[str],
    needed: set[str],
) -> tuple[Access, Access] | None:
    """Two accesses that may meet in different iterations; `needed` becomes the atomics in use."""
    seconds = list(accesses)
    done: set[tuple[object, ...]] = set()
    for i, a in enumerate(seconds):
        for b in seconds[i:] if not a.write else seconds:
            if not (a.write or b.write):
                continue
            key = (a.root.name, a.subs, a.elem, b.root.name, b.subs, b.elem, id(a.facts),
                   id(b.facts))  # fmt: skip
            if key in done:
                continue
            done.add(key)
            if a.root.name == b.root.name and a.root.name in needed:
                continue
            if _pair_apart(a, b, v, varying, facts):
                continue
            if a.root.name == b.root.name and a.root.name in atomics:
                needed.add(a.root.name)
                continue
            return a, b
    return None


# -- atomic updates ---------------------------------------------------------------------------


def divisors(body: s.Body, facts: Facts, keep: frozenset[str]) -> list[Poly]:
    """What `body` divides by, in terms of `keep`: a divisor is not zero, and sizes are no less."""
    finder = _Divisors(keep)
    finder.body(body, facts)
    return finder.found


class _Divisors(Walker):
    def __init__(self, keep: frozenset[str]) -> None:
        self.keep = keep
        self.found: list[Poly] = []

    def expr(self, x: e.Expr, facts: Facts) -> e.Expr:
        for n in walk(x):
            if isinstance(n, e.Binary) and n.op in ("/", "%") and is_int(n.type):
                self._note(facts.poly(n.b), facts)
        return x

    def _note(self, p: Poly, facts: Facts) -> None:
        known = all(facts.inside_of(a) <= self.keep and facts.stable(atom(a)) for a in p.atoms())
        if p.constant is None and known and p not in self.found and not facts.positive(p):
            self.found.append(p)


def updated_only(body: s.Body, accesses: list[Access]) -> frozenset[str]:
    """Arrays that `body` touches by integer updates of one kind and in no other way."""
    counts: dict[str, int] = {}
    for a in accesses:
        counts[a.root.name] = counts.get(a.root.name, 0) + 1
    ops: dict[str, set[str]] = {}
    seen: dict[str, int] = {}
    for n in walk(body):
        if isinstance(n, s.Assign) and is_update(n):
            name = _root_name(n.target)
            ops.setdefault(name, set()).add("+" if n.op == "-" else n.op)
            seen[name] = seen.get(name, 0) + 2
    return frozenset(n for n, k in seen.items() if counts.get(n) == k and len(ops[n]) == 1)


def is_update(st: s.Assign) -> bool:
    """`a[i] op= value` on integers that hardware updates atomically."""
    return st.op in ATOMIC and isinstance(st.target, e.Index) and atomic_type(st.target.type)


def atomic_type(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_integer and t.name in ("i32", "u32", "u64")


def _root_name(x: e.Expr) -> str:
    while isinstance(x, (e.Index, e.Field)):
        x = x.base
    return x.name if isinstance(x, e.Var) else ""


# -- a whole function -------------------------------------------------------------------------


@dataclass
class _Marker(Walker):
    """Asks about every loop, from the outside inwards."""

    readers: frozenset[str]
    found: dict[str, Nature] = field(default_factory=dict)
    facts_at: dict[str, Facts] = field(default_factory=dict)

    def stmt(self, st: s.Stmt, facts: Facts) -> s.Body:
        if isinstance(st, s.For):
            kept = Nature(False, obstacle="it was asked to stay a loop")
            found = kept if st.kind == "kept" else nature(st, facts, self.readers)
            self.found[st.var.name] = found
            self.facts_at[st.var.name] = facts
        return super().stmt(st, facts)


@dataclass(frozen=True)
class Survey:
    """The nature of every counting loop of a function, and what is known where it stands."""

    natures: dict[str, Nature]
    facts: dict[str, Facts]

    def of(self, loop: s.For) -> Nature:
        return self.natures.get(loop.var.name, Nature(False, obstacle="the loop is new"))


def survey(body: s.Body, facts: Facts, readers: frozenset[str]) -> Survey:
    """Every loop of `body` (loop variables have unique names), asked once."""
    marker = _Marker(readers)
    marker.body(body, facts)
    return Survey(marker.found, marker.facts_at)
