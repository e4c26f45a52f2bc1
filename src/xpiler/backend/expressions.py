"""Expressions as C text: as few parentheses and casts as exactness allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import singledispatchmethod

from xpiler.backend import literals, types
from xpiler.backend.conversions import holds_all, implicit_pointer, same_low_bits, scalar
from xpiler.backend.operators import Operators
from xpiler.backend.pieces import ARGUMENT, LANE, POSTFIX, PRIMARY, STRENGTH, UNARY, Piece
from xpiler.backend.spelling import Template
from xpiler.backend.survey import alias
from xpiler.backend.unit import Unit, cannot_print
from xpiler.ir import expr as e
from xpiler.ir.intrinsics import math_functions
from xpiler.ir.types import BOOL, F32, I32, Array, Pointer, Scalar, Struct, Type, Vector


class ExpressionPrinter(Operators):
    """Prints the expressions of one function; `names` maps IR variables to C names."""

    def __init__(
        self,
        unit: Unit,
        names: Mapping[str, str],
        aliased: frozenset[Type] = frozenset(),
        host: bool = False,
    ) -> None:
        self.unit, self.names, self.aliased, self.host = unit, names, aliased, host
        self.spelling = unit.spelling
        self.inlined: dict[str, Piece] = {}

    # What a context asks for ------------------------------------------------------------

    def assigned(self, n: e.Expr, t: Type) -> str:
        """The text where C itself converts to `t`: assignment, initialiser, argument, return."""
        if isinstance(n, e.Text) and isinstance(t, Array):
            return f'"{n.value}"'
        if isinstance(n, e.Text) and t != n.type:
            return f'({self.type(t)})"{n.value}"'
        return self.implicit(self.piece(n), t).within(ARGUMENT)

    def implicit(self, p: Piece, t: Type) -> Piece:
        """A piece that C converts to `t` exactly and without a warning."""
        if isinstance(t, (Pointer, Array)) or isinstance(p.type, (Pointer, Array)):
            return self._pointer_value(p, t)
        if p.ctype == t or (p.exact and not self.needs_call(p.ctype, t)):
            return p
        if p.type != t:
            p = self.convert(p, t)
        if self.needs_call(p.ctype, t) or self._worth_showing(p, t):
            return self.settle(p)
        return p

    def _worth_showing(self, p: Piece, t: Type) -> bool:
        """Conversions that a reader should see: float to integer, constants that change."""
        if not (isinstance(p.ctype, Scalar) and isinstance(t, Scalar)):
            return False
        if t.is_float:
            return isinstance(p.value, int) and not p.exact
        return p.ctype.is_float or (p.value is not None and t.bits < p.ctype.bits)

    def _pointer_value(self, p: Piece, t: Type) -> Piece:
        cpp = self.spelling.syntax.cpp
        if p.text == self.spelling.syntax.null or implicit_pointer(t, p.ctype, cpp):
            return p
        if p.ctype == t:
            return p
        target = t if isinstance(t, Pointer) else p.type
        return Piece(
            f"({self.type(self.accessed(target))}){p.within(UNARY)}", UNARY, target, target
        )

    def accessed(self, t: Type) -> Type:
        """A pointer type as it is printed: its memory may hold elements of another type."""
        if isinstance(t, Pointer) and isinstance(t.elem, Scalar) and t.elem in self.aliased:
            return replace(t, elem=alias(t.elem, self.spelling))
        return t

    def exactly(self, n: e.Expr) -> Piece:
        """The piece of `n` with exactly its C type."""
        return self.settle(self.piece(n))

    def settle(self, p: Piece) -> Piece:
        """`p` with what is due done by a cast, a literal's suffix or a conversion function."""
        if p.settled:
            return p
        if p.literal is not None:
            return replace(p, text=p.literal, ctype=p.type, exact=True)
        if template := self._conversion(p.ctype, p.type):
            text = template.replace("{0}", p.within(ARGUMENT))
            return Piece(text, POSTFIX, p.type, p.type)
        if p.type == BOOL:
            return p if p.exact else self._nonzero(replace(p, type=p.ctype))
        if not isinstance(p.type, (Scalar, Pointer)):
            return replace(p, ctype=p.type)
        return Piece(
            f"({self.type(p.type)}){p.within(UNARY)}", UNARY, p.type, p.type, value=p.value
        )

    def _conversion(self, source: Type, to: Type) -> str | None:
        """The conversion function between two types that C does not convert itself."""
        table, classes = self.spelling.convert, self.spelling.classes
        if to == source or not {str(to), str(source)} & classes:
            return None
        if f"{to} {source}" in table:
            return table[f"{to} {source}"]
        for key, template in table.items():
            to_name, from_name = key.split()
            if str(to) == to_name and to_name in classes:
                return template
            if str(source) == from_name and from_name in classes:
                return template
        return None

    def needs_call(self, source: Type, to: Type) -> bool:
        return source != to and self._conversion(source, to) is not None

    def convert(self, p: Piece, t: Type) -> Piece:
        """`p` with a further conversion to `t` due; an earlier one goes where it has no part."""
        if p.type == t:
            return p
        if p.value is not None and self.computing(p.type) == t:
            return replace(p, type=t)
        if p.settled or p.exact or holds_all(p.type, p.ctype) or same_low_bits(p.type, t, p.ctype):
            exact = holds_all(t, p.type) if p.exact else holds_all(t, p.ctype)
            literal = literals.converted(p.value, t) if p.literal is not None and exact else None
            exact = exact and t != BOOL and not self.needs_call(p.ctype, t)
            moved = replace(p, type=t, exact=exact, literal=literal)
        else:
            moved = self.convert(self.settle(p), t)
        return self._through(moved, t)

    def _through(self, p: Piece, t: Type) -> Piece:
        """bf16 to anything but float goes through float, settled on the way."""
        via = "f32" if str(p.ctype) in self.spelling.classes else None
        if f"{t} {p.ctype}" in self.spelling.convert:
            return p
        if via is not None and str(t) != via and t != p.ctype:
            inner = self.settle(replace(p, type=scalar(via), exact=False))
            return replace(inner, type=t)
        return p

    def _nonzero(self, p: Piece) -> Piece:
        p = self.settle(self.convert(p, self.computing(p.type)))
        null, zero = self.spelling.syntax.null, "0"
        if isinstance(p.ctype, Pointer):
            zero = null
        elif str(p.ctype) in self.spelling.classes:
            zero = self.exactly(e.Const(0.0, p.ctype)).text
        return Piece(
            f"{p.within(STRENGTH['!='] + 1)} != {zero}",
            STRENGTH["!="],
            I32,
            BOOL,
            exact=True,
            op="!=",
        )

    def condition(self, n: e.Expr) -> Piece:
        """The text where only zero or not zero matters."""
        if isinstance(n, e.Cast) and n.type == BOOL:
            p = self.piece(n.x)
            simple = isinstance(n.x, (e.Var, e.Field, e.Index, e.Call)) and not _is_float(n.x.type)
            if (
                simple or p.op in ("==", "!=", "<", ">", "<=", ">=", "&&", "||")
            ) and p.settled | p.exact:
                return p
        p = self.piece(n)
        truth = p.type == BOOL and p.ctype == I32
        return p if p.exact or p.settled or truth else self.settle(p)

    def type(self, t: Type) -> str:
        """A type as text; vectors that occur get their typedef."""
        self.unit.generated.note_type(t, self.spelling)
        return self.host_word(t) or types.declare(t, "", self.spelling)

    def host_word(self, t: Type) -> str | None:
        """What host code calls a scalar type, where that is another word (`size_t`)."""
        return self.spelling.host_types.get(str(t)) if self.host else None

    # The kinds of expression ------------------------------------------------------------

    @singledispatchmethod
    def piece(self, n: e.Expr) -> Piece:
        """The piece of an expression; raises XpilerError for what has no text here."""
        raise cannot_print(
            type(n).__name__, "only sequential programs are written in this language"
        )

    @piece.register
    def _(self, n: e.Axis) -> Piece:
        template = self.spelling.axes.get(n.level)
        if template is None:
            raise cannot_print(f"the axis {n.level}", "the platform's table has no spelling for it")
        text, *kind = (part.strip() for part in template.split(" | "))
        ctype = scalar(kind[0]) if kind else n.type
        exact = ctype == n.type or ctype == I32
        return Piece(text.replace("{dim}", n.dim), POSTFIX, ctype, n.type, exact=exact)

    @piece.register
    def _(self, n: e.Const) -> Piece:
        return literals.constant(n, self.unit.macros, self.spelling.syntax.null)

    @piece.register
    def _(self, n: e.Text) -> Piece:
        text, strength = f'"{n.value}"', PRIMARY
        if self.spelling.syntax.cpp:  # there characters are of a type of their own
            text, strength = f"({self.type(n.type)}){text}", UNARY
        return Piece(text, strength, n.type, n.type)

    @piece.register
    def _(self, n: e.Var) -> Piece:
        if n.name.startswith("lane "):  # a parameter of a vector helper
            return Piece(f"{n.name[5:]}{LANE}", POSTFIX, n.type, n.type)
        if n.name in self.inlined:
            return self.inlined[n.name]
        return Piece(self.names[n.name], PRIMARY, n.type, n.type)

    @piece.register
    def _(self, n: e.Unary) -> Piece:
        return self.unary(n)

    @piece.register
    def _(self, n: e.Binary) -> Piece:
        return self.binary(n)

    @piece.register
    def _(self, n: e.Select) -> Piece:
        return self.select(n)

    @piece.register
    def _(self, n: e.Cast) -> Piece:
        if isinstance(n.type, Pointer) or isinstance(n.x.type, (Pointer, Array)):
            return self._pointer_cast(n)
        p = self.piece(n.x)
        if n.type != BOOL:
            return self.convert(p, n.type)
        return p if p.exact and p.type == BOOL else self._nonzero(self.settle(p))

    def _pointer_cast(self, n: e.Cast) -> Piece:
        p = self.exactly(n.x)
        if n.type == BOOL:
            return self._nonzero(p)
        if isinstance(n.type, Pointer) and implicit_pointer(
            n.type, p.ctype, self.spelling.syntax.cpp
        ):
            return replace(p, type=n.type)
        target: Type = n.type
        if isinstance(target, Pointer):
            target = replace(target, restrict=False)
        inner = p.within(UNARY)
        target = self.accessed(target)
        if isinstance(target, Scalar) and target.bits != 64:
            inner = f"(uintptr_t){inner}"
        return Piece(f"({self.type(target)}){inner}", UNARY, n.type, n.type)

    @piece.register
    def _(self, n: e.Bits) -> Piece:
        p = self.exactly(n.x)
        t, source = n.type, n.x.type
        if t == source:
            return p
        if (
            isinstance(t, Scalar)
            and isinstance(source, Scalar)
            and t.is_integer
            and source.is_integer
        ):
            return self.convert(p, t)
        if template := self.spelling.bits.get(f"{t} {source}"):
            return Piece(template.replace("{0}", p.within(ARGUMENT)), POSTFIX, t, t)
        name = self.unit.generated.bits(source, t, self.spelling)
        return Piece(f"{name}({p.within(ARGUMENT)})", POSTFIX, t, t)

    @piece.register
    def _(self, n: e.Call) -> Piece:
        if n.func in self.unit.functions:
            name, function = self.unit.functions[n.func]
            args = [self.assigned(a, p.type) for a, p in zip(n.args, function.params, strict=True)]
            return Piece(f"{name}({', '.join(args)})", POSTFIX, n.type, n.type)
        if (own := self.spelling.dialect.call(n, self)) is not None:
            return own
        if n.func in self.unit.program.externals:
            given = ", ".join(self.exactly(a).within(ARGUMENT) for a in n.args)
            return Piece(f"{n.func}({given})", POSTFIX, n.type, n.type)
        if n.func not in math_functions():
            raise cannot_print(f"a call of {n.func}", "no such function is known")
        return self.math(n)

    @piece.register
    def _(self, n: e.Index) -> Piece:
        if isinstance(n.base, e.AddressOf) and _is_zero(n.index):
            return self.piece(n.base.x)
        if isinstance(n.base.type, Vector):
            return self._lane(n.base, n.index, n.type)
        base = self.piece(n.base)
        text = f"{base.within(POSTFIX)}[{self._subscript(n.index)}]"
        return Piece(text, POSTFIX, n.type, n.type)

    def _lane(self, base: e.Expr, index: e.Expr, t: Type) -> Piece:
        vector = base.type
        assert isinstance(vector, Vector)
        if isinstance(index, e.Const):
            return self._lane_member(base, vector, int(index.value), t)
        inner = self.piece(base).within(POSTFIX)
        at = f"[{self._subscript(index)}]"
        if vector in self.spelling.native:
            return Piece(f"{inner}{at}", POSTFIX, t, t)
        if str(vector) in self.spelling.vectors:
            return Piece(f"(&{inner}.x){at}", POSTFIX, t, t)
        return Piece(f"{inner}.s{at}", POSTFIX, t, t)

    def _subscript(self, n: e.Expr) -> str:
        return self.offset(n).text

    def offset(self, n: e.Expr) -> Piece:
        """An index: a widening conversion of an integer is C's own affair."""
        while isinstance(n, e.Cast) and _widens(n):
            n = n.x
        p = self.piece(n)
        return p if p.settled or p.exact else self.settle(p)

    @piece.register
    def _(self, n: e.Field) -> Piece:
        if isinstance(n.base.type, Vector):
            number = types.lane_number(n.base.type, n.name)
            return self._lane_member(n.base, n.base.type, number, n.type)
        return self._member(n.base, n.name, n.type)

    def _lane_member(self, base: e.Expr, vector: Vector, number: int, t: Type) -> Piece:
        name = types.lane(vector, number, vector in self.spelling.native)
        if name.startswith("["):
            return Piece(f"{self.exactly(base).within(POSTFIX)}{name}", POSTFIX, t, t)
        return self._member(base, name[1:], t)

    def _member(self, base: e.Expr, name: str, t: Type) -> Piece:
        if (
            isinstance(base, e.Index)
            and _is_zero(base.index)
            and isinstance(base.base.type, Pointer)
            and not isinstance(base.base, e.AddressOf)
        ):
            return Piece(f"{self.piece(base.base).within(POSTFIX)}->{name}", POSTFIX, t, t)
        return Piece(f"{self.exactly(base).within(POSTFIX)}.{name}", POSTFIX, t, t)

    @piece.register
    def _(self, n: e.AddressOf) -> Piece:
        x = n.x
        if isinstance(x, e.Index) and not isinstance(x.base.type, Vector):
            base = self.piece(x.base)
            if _is_zero(x.index) and not isinstance(x.base.type, Array):
                return replace(base, type=n.type)
        if isinstance(x.type, Array) and isinstance(n.type, Pointer) and n.type.elem != x.type:
            return replace(self.piece(x), ctype=n.type, type=n.type)
        return Piece(f"&{self.piece(x).within(UNARY)}", UNARY, n.type, n.type)

    @piece.register
    def _(self, n: e.Aggregate) -> Piece:
        own = n.type in self.spelling.native
        if isinstance(n.type, Vector) and n.type.lanes <= 4 and not own:
            name = self.unit.generated.maker(n.type, self.spelling)
            items = [self.assigned(i, n.type.elem) for i in self._filled(n.items, n.type)]
            return Piece(f"{name}({', '.join(items)})", POSTFIX, n.type, n.type)
        braces = self.braces(n)
        inside = f"{{{braces}}}" if isinstance(n.type, Vector) and not own else braces
        text = f"({self.type(n.type)}){inside}"
        if self.spelling.syntax.cpp and not isinstance(n.type, Array):
            text = f"{self.type(n.type)}{inside}"
        return Piece(text, POSTFIX, n.type, n.type)

    def _filled(self, items: tuple[e.Expr, ...], t: Vector) -> tuple[e.Expr, ...]:
        zero = e.Const(0.0 if t.elem.is_float else 0, t.elem)
        return items + (zero,) * (t.lanes - len(items))

    def braces(self, n: e.Aggregate) -> str:
        """`{a, b}` for an initialiser; missing members of a struct are written out."""
        wanted = self._member_types(n)
        parts = [self._element(i, t) for i, t in zip(n.items, wanted, strict=False)]
        if not parts or all(isinstance(i, e.Const) and i.value == 0 for i in n.items):
            return "{}" if self.spelling.syntax.cpp else "{0}"
        if isinstance(n.type, Struct) and not self.spelling.syntax.cpp:
            parts += [
                "{0}" if isinstance(t, (Array, Struct, Vector)) else "0"
                for t in wanted[len(parts) :]
            ]
        return "{" + ", ".join(parts) + "}"

    def _element(self, n: e.Expr, t: Type) -> str:
        if isinstance(n, e.Aggregate) and not (
            isinstance(t, Vector) and str(t) in self.spelling.vectors
        ):
            return self.braces(n)
        if not self.spelling.syntax.cpp or not isinstance(t, Scalar):
            return self.assigned(n, t)
        p = self.implicit(self.piece(n), t)  # braces do not narrow
        constant = p.value is not None and p.exact
        return (p if constant or p.ctype == t else self.settle(replace(p, type=t))).within(ARGUMENT)

    def _member_types(self, n: e.Aggregate) -> list[Type]:
        if isinstance(n.type, Struct):
            return list(self.unit.structs[n.type.name].values())
        assert isinstance(n.type, (Vector, Array))
        return [n.type.elem] * len(n.items)

    # Mathematical functions -------------------------------------------------------------

    def math(self, n: e.Call) -> Piece:
        """A function of the neutral vocabulary in this platform's spelling."""
        if isinstance(n.type, Vector):
            return self.lanewise(n.func, n.args, n.type)
        if known := self.spelling.conversions.get(f"{n.func} {n.type} {n.args[0].type}"):
            inner = self.exactly(n.args[0]).within(ARGUMENT)
            return Piece(known.replace("{0}", inner), POSTFIX, n.type, n.type)
        if n.func in self.spelling.rounding:
            return self._rounding(n)
        kind = n.args[0].type if n.func in _BY_ARGUMENT else n.type
        if n.func in ("isnan", "isinf", "isfinite", "signbit"):
            x = self.convert(self.piece(n.args[0]), F32 if str(kind) in ("f16", "bf16") else kind)
            return Piece(
                f"{n.func}({self.settle(x).within(ARGUMENT)})", POSTFIX, I32, BOOL, op="!="
            )
        found = self.spelling.template(n.func, str(kind), n.fast)
        if found is None:
            raise cannot_print(f"{n.func} of {kind}", "the platform's table has no spelling for it")
        template, compute = found
        return self._templated(n, template, scalar(compute))

    def _templated(self, n: e.Call, template: Template, compute: Scalar) -> Piece:
        args = [self._argument(a, compute, template) for a in n.args]
        text = template.text.replace("{args}", ", ".join(args))
        for k, a in enumerate(args):
            text = text.replace(f"{{{k}}}", a)
        strength = STRENGTH.get(template.op, POSTFIX)
        if n.func in _GIVES_INT:
            return Piece(text, strength, I32, n.type)
        own = n.args[0].type if n.func in _BY_ARGUMENT else n.type
        computed = Piece(text, strength, compute, compute)
        rounded = self.convert(computed, own) if own != compute else computed
        return replace(rounded, exact=True) if n.func in _CHOOSES else rounded

    def _argument(self, a: e.Expr, compute: Scalar, template: Template) -> str:
        t = (
            a.type
            if isinstance(a.type, Scalar) and a.type.is_integer != compute.is_integer
            else compute
        )
        p = self.convert(self.piece(a), t)
        if template.operand == "exact":
            return self.settle(p).within(ARGUMENT)
        if template.operand == "argument":
            return self.implicit(p, t).within(ARGUMENT)
        return self.settle(p).within(UNARY if template.operand == "unary" else PRIMARY)

    def _rounding(self, n: e.Call) -> Piece:
        x = n.args[0]
        compute = "f64" if str(x.type) == "f64" else "f32"
        inner = self.implicit(self.convert(self.piece(x), scalar(compute)), scalar(compute)).within(
            ARGUMENT
        )
        if word := self.spelling.rounding[n.func]:
            inner = f"{word}{'f' if compute == 'f32' else ''}({inner})"
        text = self.spelling.saturating[str(n.type)].replace("{0}", inner)
        return Piece(text, POSTFIX, n.type, n.type)


_CHOOSES = frozenset(("abs", "min", "max"))
_GIVES_INT = frozenset(("popcount", "clz", "ffs"))
_BY_ARGUMENT = frozenset(
    (*_GIVES_INT, "isnan", "isinf", "isfinite", "signbit", "mulhi", "brev", "sad")
)


def _is_float(t: Type) -> bool:
    return isinstance(t, Scalar) and t.is_float


def _is_zero(n: e.Expr) -> bool:
    return isinstance(n, e.Const) and n.value == 0 and n.text in (None, "0")


def _widens(n: e.Cast) -> bool:
    t, source = n.type, n.x.type
    if not (isinstance(t, Scalar) and isinstance(source, Scalar)):
        return False
    if not (t.is_integer and source.is_integer and source.name != "bool"):
        return False
    return holds_all(t, source) or (t.bits == 64 and source.bits < 64)
