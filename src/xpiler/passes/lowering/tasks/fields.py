"""Local structs become their fields: a variable, or an array, for each one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from xpiler.analysis.effects import assigned, declared, names_in, stored
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import StructDef
from xpiler.ir.rewrite import fresh_name, map_children, walk
from xpiler.ir.types import Array, Scalar, Struct, Type, Vector

Fields = tuple[tuple[str, Type], ...]


class Whole(Exception):
    """The variable of this name is used as a whole; it stays one."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def in_fields(
    body: s.Body,
    structs: Sequence[StructDef],
    taken: set[str],
    only: Collection[str] | None = None,
) -> s.Body:
    """`body` without local structs (or those of them that are among `only`); those that are used
    as a whole stay."""
    known = {d.name: d.fields for d in structs if all(_plain(t) for _, t in d.fields)}
    split = {}
    for name, d in declared(body).items():
        own = _innermost(d.var.type)
        if only is not None and name not in only:
            continue
        if isinstance(own, Struct) and own.name in known and d.space in ("local", "", "shared"):
            split[name] = d.var
    while split:
        names = set(taken)
        try:
            out = _Fields(known, split, names).body(body)
        except Whole as why:
            split.pop(why.name)
            continue
        taken |= names
        return out
    return body


def _plain(t: Type) -> bool:
    return isinstance(t, (Scalar, Vector))


def _innermost(t: Type) -> Type:
    while isinstance(t, Array):
        t = t.elem
    return t


def _with(t: Type, elem: Type) -> Type:
    return Array(_with(t.elem, elem), t.size) if isinstance(t, Array) else elem


@dataclass
class _Fields:
    known: dict[str, Fields]
    split: dict[str, e.Var]
    taken: set[str]
    made: dict[str, dict[str, e.Var]] = field(default_factory=dict)
    copies: dict[str, e.Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, var in self.split.items():
            stem = name.split(".")[0]
            self.made[name] = {
                f: e.Var(fresh_name(f"{stem}_{f}", self.taken), _with(var.type, t))
                for f, t in self.fields(_innermost(var.type))
            }

    def fields(self, t: Type) -> Fields:
        assert isinstance(t, Struct)
        return self.known[t.name]

    # -- statements -----------------------------------------------------------------------------

    def body(self, body: s.Body) -> s.Body:
        outer = dict(self.copies)
        out: list[s.Stmt] = []
        for st in body:
            out += self.statement(st)
            changed = assigned((st,)) | stored((st,))
            kept = {k: v for k, v in self.copies.items() if not ({k} | names_in(v)) & changed}
            self.copies = kept
            if isinstance(st, s.Decl) and isinstance(st.init, (e.Var, e.Index)):
                self.copies[st.var.name] = st.init
        self.copies = {k: v for k, v in outer.items() if k in self.copies}
        return tuple(out)

    def statement(self, st: s.Stmt) -> s.Body:
        if isinstance(st, s.Decl) and st.var.name in self.split:
            return self._decl(st)
        if isinstance(st, s.Assign) and self._concerned(st):
            return self._assign(st)
        new = map_children(st, lambda n: self.expr(n) if isinstance(n, e.Expr) else n)
        for name in ("body", "then", "orelse", "step"):
            own = getattr(new, name, None)
            if isinstance(own, tuple) and own:
                new = replace(new, **{name: self.body(own)})  # type: ignore[arg-type]
        if isinstance(new, s.Switch):
            new = replace(new, cases=tuple(replace(c, body=self.body(c.body)) for c in new.cases))
        return (new,)

    def _decl(self, st: s.Decl) -> s.Body:
        name = st.var.name
        if st.init is not None and isinstance(st.var.type, Array):
            raise Whole(name)
        out = []
        for f, var in self.made[name].items():
            init = None if st.init is None else self.part(st.init, f, name)
            out.append(s.Decl(var, init, space=st.space, const=st.const, loc=st.loc))
        if out:
            out[0] = replace(out[0], comments=st.comments)
        return tuple(out)

    def _concerned(self, st: s.Assign) -> bool:
        whole = isinstance(st.target.type, Struct) and st.target.type.name in self.known
        return whole and bool((names_in(st.target) | names_in(st.value)) & set(self.split))

    def _assign(self, st: s.Assign) -> s.Body:
        """Field by field; all values are computed before one changes, where that matters."""
        if isinstance(st.value, e.Select):
            x = st.value
            then, other = (self._either(st.target, arm) for arm in (x.a, x.b))
            return (s.If(self.expr(x.cond), then, other, loc=st.loc, comments=st.comments),)
        fields = [f for f, _ in self.fields(st.target.type)]
        name = next(iter((names_in(st.target) | names_in(st.value)) & set(self.split)))
        targets = [self.part(st.target, f, name) for f in fields]
        values = [self.part(st.value, f, name) for f in fields]
        written = {_name_of(t) for t in targets}
        if not any(names_in(v) & written for v in values[1:]) or st.target == st.value:
            return tuple(s.Assign(t, v) for t, v in zip(targets, values, strict=True))
        held = [e.Var(fresh_name("held", self.taken), v.type) for v in values]
        first = tuple(s.Decl(h, v, const=True) for h, v in zip(held, values, strict=True))
        return (*first, *(s.Assign(t, h) for t, h in zip(targets, held, strict=True)))

    def _either(self, target: e.Expr, value: e.Expr) -> s.Body:
        known = self.copies.get(value.name) if isinstance(value, e.Var) else None
        return () if target in (value, known) else self._assign(s.Assign(target, value))

    # -- expressions ----------------------------------------------------------------------------

    def expr(self, x: e.Expr) -> e.Expr:
        """An expression that is no struct itself, with variables for the fields in it."""
        if isinstance(x, e.Field) and isinstance(x.base.type, Struct):
            name = self._root(x.base)
            if name is not None:
                return self.part(x.base, x.name, name)
        if isinstance(x, e.Var) and x.name in self.split:
            raise Whole(x.name)
        return map_children(x, self.expr)

    def _root(self, x: e.Expr) -> str | None:
        """The struct to be split that a place lies in."""
        while isinstance(x, e.Index):
            x = x.base
        if isinstance(x, (e.Select, e.Aggregate)):
            found = [n.name for n in walk(x) if isinstance(n, e.Var) and n.name in self.split]
            return found[0] if found else None
        return x.name if isinstance(x, e.Var) and x.name in self.split else None

    def part(self, x: e.Expr, f: str, name: str) -> e.Expr:
        """Field `f` of a struct; raises Whole(name) where that is not a variable's."""
        fields = dict(self.fields(x.type))
        if isinstance(x, e.Aggregate):
            k = list(fields).index(f)
            if k < len(x.items):
                return self.expr(x.items[k])
            t = fields[f]
            if not isinstance(t, Scalar):
                raise Whole(name)
            return e.Const(0.0 if t.is_float else 0, t)
        if isinstance(x, e.Select):
            a, b = self.part(x.a, f, name), self.part(x.b, f, name)
            return a if a == b else e.Select(self.expr(x.cond), a, b, a.type)
        if isinstance(x, (e.Var, e.Index)) and self._root(x) is not None:
            return self._place(x, f)
        if isinstance(x, (e.Var, e.Index, e.Field)):
            return e.Field(map_children(x, self.expr), f, fields[f])
        raise Whole(name)

    def _place(self, x: e.Expr, f: str) -> e.Expr:
        if isinstance(x, e.Var):
            return self.made[x.name][f]
        assert isinstance(x, e.Index)
        base = self._place(x.base, f)
        assert isinstance(base.type, Array)
        return e.Index(base, self.expr(x.index), base.type.elem)


def _name_of(place: e.Expr) -> str:
    while isinstance(place, (e.Index, e.Field)):
        place = place.base
    return place.name if isinstance(place, e.Var) else ""


__all__ = ["in_fields"]
