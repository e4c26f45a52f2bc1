"""Vectors that are registers become arrays of lanes; what is done to a whole one, a loop over them.

The program that comes out has no vector types: every later step sees plain arrays and loops.
Loops whose iterations cannot meet are marked parallel, so that clean-up may fuse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from xpiler.frontend.convert import const
from xpiler.frontend.copies import assigned_copies
from xpiler.frontend.moves import joined
from xpiler.frontend.reader import root_name
from xpiler.frontend.views import BITWISE, Views, register_of, uncast
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import fresh_name, map_body, map_children, variables, walk
from xpiler.ir.types import BOOL, I8, I32, I64, Array, Pointer, Scalar, Struct, Type, Vector


def spread(program: Program) -> Program:
    """`program` with arrays of lanes in the place of vectors."""
    structs = tuple(
        replace(d, fields=tuple((name, _plain(t)) for name, t in d.fields)) for d in program.structs
    )
    fields = {d.name: tuple(name for name, _ in d.fields) for d in structs}
    functions = tuple(_function(f, fields) for f in program.functions)
    return replace(program, structs=structs, functions=functions)


def _function(f: Function, fields: Mapping[str, tuple[str, ...]]) -> Function:
    if not any(isinstance(n, e.Expr) and _has_vector(n.type) for n in walk(f.body)):
        return f
    body = joined(assigned_copies(f.body))
    spreader = Spreader(variables(body) | {p.name for p in f.params}, fields)
    spreader.views.collect(body)
    params = tuple(replace(p, type=_plain(p.type)) for p in f.params)
    return replace(f, params=params, body=spreader.body(body))


def _has_vector(t: Type) -> bool:
    while isinstance(t, (Pointer, Array)):
        t = t.elem
    return isinstance(t, Vector)


def _plain(t: Type) -> Type:
    """A type with arrays in the place of vectors."""
    if isinstance(t, Vector):
        return Array(t.elem, t.lanes)
    if isinstance(t, Pointer):
        return replace(t, elem=_plain(t.elem))
    return replace(t, elem=_plain(t.elem)) if isinstance(t, Array) else t


@dataclass
class Spreader:
    """Rewrites one function's body."""

    taken: set[str]
    fields: Mapping[str, tuple[str, ...]]
    views: Views = field(default_factory=Views)

    # -- statements -------------------------------------------------------------------

    def body(self, body: s.Body) -> s.Body:
        return map_body(body, self.stmt)

    def stmt(self, st: s.Stmt) -> s.Body:
        if isinstance(st, s.Decl) and (t := register_of(st.var.type)):
            return self._declaration(st, t)
        if isinstance(st, s.Decl) and isinstance(st.var.type, Struct) and _lists_vectors(st.init):
            return self._fields(st)
        if isinstance(st, s.Assign) and isinstance(st.target.type, Vector):
            return self.move(st.target, st.value, st)
        if isinstance(st, s.Assign) and _lane_target(st.target):
            return self._store(st)
        new = map_children(st, lambda c: self.stmt(c) if isinstance(c, s.Stmt) else self.expr(c))
        if isinstance(new, s.Decl):
            new = replace(new, var=replace(new.var, type=_plain(new.var.type)))
        return (independent(new),) if isinstance(new, s.For) else (new,)

    def _declaration(self, st: s.Decl, t: Vector) -> s.Body:
        var = self.register(st.var)
        decl = replace(st, var=var, init=None, align=0, const=False)
        if st.init is None:
            return (decl,)
        if not isinstance(st.var.type, Vector):
            return (decl, *self._elements(st.var, st.init, replace(st, comments=())))
        return (decl, *self.move(st.var, st.init, replace(st, comments=())))

    def _elements(self, place: e.Expr, init: e.Expr, st: s.Stmt) -> s.Body:
        """The registers of an array, one by one."""
        assert isinstance(place.type, Array)
        assert isinstance(init, e.Aggregate)
        out: list[s.Stmt] = []
        for k in range(place.type.size or 0):
            item = e.Index(place, const(k, I32), place.type.elem)
            given = init.items[k] if k < len(init.items) else e.Aggregate((), place.type.elem)
            if isinstance(place.type.elem, Array):
                out += self._elements(item, given, st)
            else:
                out += self.move(item, given, st)
        return tuple(out)

    def _fields(self, st: s.Decl) -> s.Body:
        """A struct with registers in it, field by field."""
        assert isinstance(st.init, e.Aggregate)
        names = self.fields[st.var.type.name]  # type: ignore[attr-defined]
        out: list[s.Stmt] = [replace(st, init=None, const=False)]
        for name, item in zip(names, st.init.items, strict=False):
            place = e.Field(st.var, name, item.type)
            out += self.stmt(s.Assign(place, item, loc=st.loc))
        return tuple(out)

    def register(self, v: e.Var) -> e.Var:
        """The array of lanes of a register variable (or array of registers)."""
        t = register_of(v.type)
        if t is None or v.name not in self.views.own:
            return replace(v, type=_plain(v.type))
        elem = self.views.elem(v.name)
        lanes = t.elem.bits * t.lanes // elem.bits
        return replace(v, type=_rows(v.type, Array(elem, lanes)))

    def move(self, target: e.Expr, value: e.Expr, st: s.Stmt) -> s.Body:
        """`target = value` of whole registers."""
        assert isinstance(target.type, Vector)
        elem = self._elem(target)
        lanes = target.type.elem.bits * target.type.lanes // elem.bits
        value = _zero_or(value)
        if isinstance(value, e.Aggregate) and value.items:
            return self._listed(target, value, st)
        if _in_memory(target) and any(map(_in_memory, _places(value))):
            kept = e.Var(fresh_name("t", self.taken), target.type)
            self.views.own[kept.name] = elem
            first = self._declaration(s.Decl(kept, value, loc=st.loc), target.type)
            return (*first, *self.move(target, kept, st))
        var = e.Var(fresh_name("l", self.taken), I32)
        single = self.lane(value, var, elem)
        done = self._put(target, var, elem, single)
        loop = s.For(var, const(0, I32), const(lanes, I32), const(1, I32), done, loc=st.loc)
        loop = replace(loop, comments=st.comments)
        return (independent(loop),)

    def _listed(self, target: e.Expr, value: e.Aggregate, st: s.Stmt) -> s.Body:
        """`{a, b, ..}`: each lane for itself; missing ones are zero."""
        assert isinstance(target.type, Vector)
        t = target.type
        run = _progression(value, t.lanes)
        if run is not None and self._elem(target).bits == t.elem.bits:
            var = e.Var(fresh_name("l", self.taken), I32)
            first, step = run
            each = e.Binary("*", var, const(step, I32), I32) if step != 1 else var
            if first:
                each = e.Binary("+", each, const(first, I32), I32)
            done = self._put(target, var, t.elem, _converted(each, t.elem))
            loop = s.For(var, const(0, I32), const(t.lanes, I32), const(1, I32), done, loc=st.loc)
            return (independent(replace(loop, comments=st.comments)),)
        out: list[s.Stmt] = []
        for k in range(t.lanes):
            item = self.expr(value.items[k]) if k < len(value.items) else const(0, t.elem)
            out += self._put(target, const(k, I32), t.elem, item)
        return tuple(replace(x, loc=st.loc) for x in out)

    def _store(self, st: s.Assign) -> s.Body:
        base = st.target
        assert isinstance(base, e.Index)
        assert isinstance(base.base.type, Vector)
        elem, value = base.base.type.elem, self.expr(st.value)
        index = self.expr(base.index)
        if st.op:
            old = self.lane(base.base, index, elem)
            value = e.Binary(st.op, old, value, elem)
        done = self._put(base.base, index, elem, value)
        first = replace(done[0], comments=st.comments, loc=st.loc)
        return (first, *done[1:])

    def _put(self, register: e.Expr, index: e.Expr, elem: Scalar, value: e.Expr) -> s.Body:
        """Lane `index` of `register`, seen as lanes of `elem`, becomes `value`."""
        register = register.x if isinstance(register, e.Bits) else register
        own = self._elem(register)
        if own.bits == elem.bits:
            return (s.Assign(self._place(register, index, own), same_bits(value, own)),)
        parts = elem.bits // own.bits
        kept: tuple[s.Stmt, ...] = ()
        if root_name(register) in variables(value) and _made_of(value, own) is None:
            var = e.Var(fresh_name("t", self.taken), value.type)  # its first part is overwritten
            kept, value = (s.Decl(var, value),), var
        stores: tuple[s.Stmt, ...] = tuple(
            s.Assign(self._place(register, part_index(index, parts, b), own), part(value, b, own))
            for b in range(parts)
        )
        return (*kept, *stores)

    # -- expressions ------------------------------------------------------------------

    def expr(self, x: e.Expr) -> e.Expr:
        if isinstance(x, e.Index) and isinstance(x.base.type, Vector):
            return self.lane(x.base, self.expr(x.index), x.base.type.elem)
        if isinstance(x, e.Field) and isinstance(x.base.type, Vector):
            at = "xyzw".index(x.name) if x.name in "xyzw" else int(x.name[1:])
            return self.lane(x.base, const(at, I32), x.base.type.elem)
        if isinstance(x, e.Index) and isinstance(x.base.type, Pointer) and _register_behind(x):
            return self.lane(_behind(x), self.expr(x.index), x.type)  # type: ignore[arg-type]
        if isinstance(x, e.Index) and isinstance(x.base, e.Cast):
            return self._memory(x.base, self.expr(x.index), x.type)
        if isinstance(x, e.Var):
            return self.register(x) if _has_vector(x.type) else x
        new = map_children(x, self.expr)
        if isinstance(new, e.AddressOf) and isinstance(new.x.type, Array):
            first = e.Index(new.x, const(0, I32), new.x.type.elem)
            return e.AddressOf(first, Pointer(new.x.type.elem))
        if _has_vector(new.type):
            new = replace(new, type=_plain(new.type))  # type: ignore[type-var]
        return new

    def lane(self, x: e.Expr, i: e.Expr, t: Scalar) -> e.Expr:
        """Lane `i` of the register `x` seen as lanes of type `t`."""
        x = _zero_or(x)
        if isinstance(x, e.Bits):
            return self.lane(x.x, i, t)
        if isinstance(x, e.Select):
            return e.Select(self.expr(x.cond), self.lane(x.a, i, t), self.lane(x.b, i, t), t)
        if isinstance(x, e.Unary):
            return self._operated(x, [x.x], i, t, x.op == "~")
        if isinstance(x, e.Binary):
            return self._operated(x, [x.a, x.b], i, t, x.op in BITWISE)
        if isinstance(x, e.Aggregate) and not x.items:
            return const(0, t)
        if isinstance(x, (e.Cast, e.Call, e.Aggregate)):
            raise NotImplementedError(f"a lane of {type(x).__name__.lower()}")
        own = self._elem(x)
        if own == t or own.bits == t.bits:
            return same_bits(self._place(x, i, own), t)
        if own.bits > t.bits:
            ratio = const(own.bits // t.bits, I32)
            whole = self._place(x, e.Binary("/", i, ratio, I32), own)
            shift = e.Binary("*", e.Binary("%", i, ratio, I32), const(t.bits, I32), I32)
            bits = e.Binary(">>", _unsigned(whole), shift, _unsigned(whole).type)
            return same_bits(e.Cast(bits, _uint(t.bits)), t)
        parts = t.bits // own.bits
        return composed([self._place(x, part_index(i, parts, b), own) for b in range(parts)], t)

    def _operated(
        self, x: e.Unary | e.Binary, operands: list[e.Expr], i: e.Expr, t: Scalar, bitwise: bool
    ) -> e.Expr:
        """Lane `i` of an operation on whole registers."""
        assert isinstance(x.type, Vector)
        first = next(o.type for o in operands if isinstance(o.type, Vector))
        at = t if bitwise and t.is_integer else first.elem
        values = [
            self.lane(o, i, at) if isinstance(o.type, Vector) else _converted(self.expr(o), at)
            for o in operands
        ]
        if isinstance(x, e.Binary) and x.op in e.COMPARISONS:
            ones = x.type.elem
            made: e.Expr = e.Select(
                e.Binary(x.op, values[0], values[1], BOOL), const(-1, ones), const(0, ones), ones
            )
        else:
            made = computed(x, values, at)
        return same_bits(made, t)

    def _place(self, x: e.Expr, i: e.Expr, own: Scalar) -> e.Expr:
        """Lane `i` of a register in a variable, or of one in memory."""
        if _in_memory(x):
            assert isinstance(x, e.Index)
            assert isinstance(x.type, Vector)
            lanes = x.type.elem.bits * x.type.lanes // own.bits
            first = self.expr(x.index)
            at = i
            if not (isinstance(first, e.Const) and first.value == 0):
                step = e.Binary("*", _converted(first, I64), const(lanes, I64), I64)
                at = e.Binary("+", step, _converted(i, I64), I64)
            return self._memory(x.base, at, own)
        return e.Index(self._base(x), i, own)

    def _base(self, x: e.Expr) -> e.Expr:
        if isinstance(x, e.Var):
            return self.register(x)
        if isinstance(x, e.Field):
            return replace(x, base=self.expr(x.base), type=_plain(x.type))
        assert isinstance(x, e.Index), type(x)
        base = self._base(x.base)
        assert isinstance(base.type, Array)
        return e.Index(base, self.expr(x.index), base.type.elem)

    def _memory(self, pointer: e.Expr, i: e.Expr, t: Type) -> e.Expr:
        """`((t *)pointer)[i]`, without the conversion where the pointer is of that type."""
        inner = self.expr(uncast(pointer))
        found = inner.type
        assert isinstance(found, (Pointer, Array)), found
        scaled = _scaled(inner, t)
        if scaled is not None:
            base, index = scaled
            return self._memory(base, e.Binary("+", index, _converted(i, I64), I64), t)
        if found.elem != _plain(t):
            const_q = isinstance(pointer.type, Pointer) and pointer.type.const
            return e.Index(e.Cast(inner, Pointer(_plain(t), const_q)), i, _plain(t))
        if isinstance(inner, e.AddressOf) and isinstance(inner.x, e.Index):
            return self._sum(inner.x.base, inner.x.index, i, t)
        if isinstance(inner, e.Binary) and inner.op == "+" and _number(inner.b.type):
            return self._sum(inner.a, inner.b, i, t)
        return e.Index(inner, i, _plain(t))

    def _sum(self, base: e.Expr, a: e.Expr, b: e.Expr, t: Type) -> e.Expr:
        """`(base + a)[b]` as `base[a + b]`, in 64 bits: pointers don't wrap at 32."""
        wide = a.type if isinstance(a.type, Scalar) and a.type.bits == 64 else I64
        both = e.Binary("+", _converted(a, wide), _converted(b, wide), wide)
        return e.Index(base, both, _plain(t))

    def _elem(self, x: e.Expr) -> Scalar:
        """The type of the lanes in which the register place `x` is kept."""
        assert isinstance(x.type, Vector)
        if _in_memory(x):
            assert isinstance(x, e.Index)
            t = uncast(x.base).type
            inner = t.elem if isinstance(t, (Pointer, Array)) else t
            fits = isinstance(inner, Scalar) and inner.bits and inner.bits <= x.type.elem.bits
            same = isinstance(inner, Scalar) and (inner.is_integer or x.type.elem.is_float)
            return inner if fits and same else x.type.elem  # type: ignore[return-value]
        name = root_name(x)
        return self.views.elem(name) if name in self.views.own else x.type.elem


# -- helpers --------------------------------------------------------------------------


def _lists_vectors(x: e.Expr | None) -> bool:
    return isinstance(x, e.Aggregate) and any(isinstance(i.type, Vector) for i in x.items)


def _progression(value: e.Aggregate, lanes: int) -> tuple[int, int] | None:
    """(first, step) of integers that rise or fall evenly."""
    items = value.items
    if len(items) != lanes or lanes < 4:
        return None
    numbers = [
        i.value for i in items
        if isinstance(i, e.Const) and isinstance(i.value, int) and abs(i.value) < 1 << 20
    ]  # fmt: skip
    steps = {b - a for a, b in pairwise(numbers)}
    even = len(numbers) == lanes and len(steps) == 1 and steps != {0}
    return (int(numbers[0]), int(steps.pop())) if even else None


def _zero_or(x: e.Expr) -> e.Expr:
    """`x`, but nothing listed where all that is listed is zero."""
    inner = x.x if isinstance(x, e.Bits) else x
    if isinstance(inner, e.Aggregate) and all(
        isinstance(i, e.Const) and i.value == 0 and not str(i.value).startswith("-")
        for i in inner.items
    ):
        return replace(inner, items=())
    return x


def _rows(t: Type, row: Array) -> Type:
    return Array(_rows(t.elem, row), t.size) if isinstance(t, Array) else row


def _lane_target(x: e.Expr) -> bool:
    return isinstance(x, e.Index) and isinstance(x.base.type, Vector)


def _in_memory(x: e.Expr) -> bool:
    """Whether a register place lies behind a pointer."""
    while isinstance(x, e.Index):
        if isinstance(x.base.type, Pointer):
            return True
        x = x.base
    return False


def _places(x: e.Expr) -> list[e.Expr]:
    return [n for n in walk(x) if isinstance(n, e.Index)]


def _register_behind(x: e.Index) -> bool:
    """Whether `((float *)&v)[i]` names a lane of the register `v`."""
    inner = uncast(x.base)
    return (
        isinstance(inner, e.AddressOf)
        and isinstance(inner.x.type, Vector)
        and not _in_memory(inner.x)
        and isinstance(x.type, Scalar)
    )


def _behind(x: e.Index) -> e.Expr:
    inner = uncast(x.base)
    assert isinstance(inner, e.AddressOf)
    return inner.x


def _scaled(p: e.Expr, t: Type) -> tuple[e.Expr, e.Expr] | None:
    """(base, index) of `(char *)base + index * sizeof(t)`: what gathers compute."""
    if not (isinstance(p, e.Binary) and p.op == "+" and isinstance(p.b, e.Binary)):
        return None
    bytes_ = isinstance(p.type, Pointer) and p.type.elem == I8
    size = t.bits // 8 if isinstance(t, Scalar) else 0
    b = p.b
    if not (bytes_ and b.op == "*" and isinstance(b.b, e.Const) and b.b.value == size):
        return None
    return p.a, _converted(b.a, I64)


def _number(t: Type) -> bool:
    return isinstance(t, Scalar)


def _uint(bits: int) -> Scalar:
    return Scalar(f"u{bits}")  # type: ignore[arg-type]


def _unsigned(x: e.Expr) -> e.Expr:
    assert isinstance(x.type, Scalar)
    return same_bits(x, _uint(x.type.bits))


def _converted(x: e.Expr, t: Scalar) -> e.Expr:
    if isinstance(x, e.Const) and isinstance(x.type, Scalar) and x.text is None:
        return const(x.value, t)
    return x if x.type == t else e.Cast(x, t)


def same_bits(x: e.Expr, t: Scalar) -> e.Expr:
    """The value of `x` as the equally wide `t` with the same bits."""
    if x.type == t:
        return x
    assert isinstance(x.type, Scalar)
    if x.type.is_integer and t.is_integer:
        inner = x.x if isinstance(x, e.Cast) and x.x.type == t else None
        return inner if inner is not None and x.type.bits == t.bits else _converted(x, t)
    if isinstance(x, e.Const) and x.value == 0 and not str(x.value).startswith("-"):
        return const(0, t)
    return e.Bits(x, t)


def part_index(i: e.Expr, parts: int, b: int) -> e.Expr:
    """The number of part `b` of lane `i`."""
    if isinstance(i, e.Const):
        return const(int(i.value) * parts + b, i.type)
    whole = e.Binary("*", i, const(parts, i.type), i.type)
    return e.Binary("+", whole, const(b, i.type), i.type) if b else whole


def part(value: e.Expr, b: int, t: Scalar) -> e.Expr:
    """Bits `b * width` and following of `value`, as the narrower type `t`."""
    assert isinstance(value.type, Scalar)
    if isinstance(value, e.Select):
        return replace(value, a=part(value.a, b, t), b=part(value.b, b, t), type=t)
    made = _made_of(value, t)
    if made is not None:
        return made[b]
    if isinstance(value, e.Const) and value.type.is_integer and t.is_integer:
        return const(int(value.value) >> (b * t.bits), t)
    if isinstance(value, e.Index) and isinstance(value.base.type, Pointer):
        parts = value.type.bits // t.bits
        inner = uncast(value.base)
        found = inner.type
        same = isinstance(found, (Pointer, Array)) and found.elem == t
        base = inner if same else e.Cast(inner, Pointer(t, True))
        return e.Index(base, part_index(value.index, parts, b), t)
    bits = _unsigned(value)
    shifted = e.Binary(">>", bits, const(b * t.bits, I32), bits.type) if b else bits
    return e.Cast(shifted, t) if t.is_integer else e.Bits(e.Cast(shifted, _uint(t.bits)), t)


def _made_of(value: e.Expr, t: Scalar) -> list[e.Expr] | None:
    """The parts of which `composed` has made `value`, where they are as wide as `t`."""
    while isinstance(value, e.Bits):
        value = value.x
    terms = [value]
    while isinstance(terms[0], e.Binary) and terms[0].op == "|":
        terms[:1] = [terms[0].a, terms[0].b]
    out: list[e.Expr] = []
    for k, x in enumerate(terms):
        if k and not (isinstance(x, e.Binary) and x.op == "<<"):
            return None
        by = x.b if isinstance(x, e.Binary) and x.op == "<<" else None
        x = x.a if by is not None and isinstance(x, e.Binary) else x
        shift = by.value if isinstance(by, e.Const) else 0 if by is None else -1
        source = x.x if isinstance(x, e.Cast) else x
        if not isinstance(source.type, Scalar) or source.type.bits != t.bits or shift != k * t.bits:
            return None
        inner = source.x if isinstance(source, e.Bits) else source
        out.append(same_bits(inner, t))
    return out if len(out) > 1 else None


def composed(parts: list[e.Expr], t: Scalar) -> e.Expr:
    """A wide lane of its narrow parts, the lowest first."""
    wide = _uint(max(t.bits, 32))
    width = parts[0].type.bits if isinstance(parts[0].type, Scalar) else 0
    whole: e.Expr | None = None
    for b, p in enumerate(parts):
        bits = e.Cast(_unsigned(p), wide)
        moved = e.Binary("<<", bits, const(b * width, I32), wide) if b else bits
        whole = moved if whole is None else e.Binary("|", whole, moved, wide)
    assert whole is not None
    return same_bits(whole if t.bits >= 32 else e.Cast(whole, _uint(t.bits)), t)


def computed(x: e.Unary | e.Binary, values: list[e.Expr], t: Scalar) -> e.Expr:
    """The operation on lanes of type `t`; narrow integers compute in `int`, as C does."""
    narrow = t.is_integer and t.bits < 32
    at = I32 if narrow else _uint(t.bits) if _wraps(x.op, t) else t
    wide = [_converted(v, at) for v in values]
    if isinstance(x, e.Unary):
        made: e.Expr = e.Unary(x.op, wide[0], at)
    else:
        made = e.Binary(x.op, wide[0], wide[1], at)
    return _converted(made, t)


def _wraps(op: str, t: Scalar) -> bool:
    """Whether lanes wrap where C's signed integers may not."""
    return t.is_signed and op in ("+", "-", "*")


# -- independence ---------------------------------------------------------------------


def independent(loop: s.For) -> s.For:
    """`loop` marked parallel where its iterations plainly cannot meet."""
    if loop.kind != "serial" or not isinstance(loop.hi, e.Const) or loop.hi.value > 64:
        return loop
    assigns = _only_assigns(loop.body)
    if not assigns:
        return loop
    names = {root_name(a.target) for a in assigns}
    ok = all(_own_element(a.target, loop.var) and not a.op for a in assigns)
    if None in names:  # memory: nothing else may be read from there
        ok = ok and len(assigns) == 1 and not any(map(_in_memory, _reads(loop.body)))
    targets = {repr(a.target) for a in assigns}
    for place in _reads(loop.body):
        ok = ok and (root_name(place) not in names or repr(place) in targets)
    return replace(loop, kind="parallel") if ok else loop


def _only_assigns(body: s.Body) -> list[s.Assign]:
    """The assignments of a body of nothing else, also under a condition; [] otherwise."""
    out: list[s.Assign] = []
    for st in body:
        inner = st.then if isinstance(st, s.If) and not st.orelse else (st,)
        if not all(isinstance(x, s.Assign) and isinstance(x.target, e.Index) for x in inner):
            return []
        out += inner  # type: ignore[arg-type]
    return out


def _reads(body: s.Body) -> list[e.Expr]:
    """The places that a body of assignments reads."""
    seen: list[e.Expr] = []
    for st in body:
        if isinstance(st, s.If):
            seen += [*_places(st.cond), *_reads(st.then)]
        elif isinstance(st, s.Assign):
            target = [p for p in _places(st.target) if p is not st.target]
            rows = {id(x) for x in _rows_of(st.target)}
            seen += [*(p for p in target if id(p) not in rows), *_places(st.value)]
    inner = {id(p.base) for p in seen if isinstance(p, e.Index)}
    return [p for p in seen if id(p) not in inner]


def _rows_of(x: e.Expr) -> list[e.Expr]:
    out: list[e.Expr] = []
    while isinstance(x, e.Index):
        out.append(x)
        x = x.base
    return out


def _own_element(x: e.Expr, v: e.Var) -> bool:
    """Whether each iteration of `v` names an element of its own: a last index `c * v + rest`."""
    assert isinstance(x, e.Index)
    rest = [n for n in walk(x.base) if n == v]
    return not rest and _slope(x.index, v)


def _slope(x: e.Expr, v: e.Var) -> bool:
    if x == v:
        return True
    if isinstance(x, e.Cast) and _number(x.type):
        return _slope(x.x, v)
    if isinstance(x, e.Binary) and x.op == "+":
        with_v = [y for y in (x.a, x.b) if v in list(walk(y))]
        return len(with_v) == 1 and _slope(with_v[0], v)
    if isinstance(x, e.Binary) and x.op == "*":
        return isinstance(x.b, e.Const) and x.b.value != 0 and _slope(x.a, v)
    return False
