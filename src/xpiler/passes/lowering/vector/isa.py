"""What the platform's table says of its vector instructions: names by operation and lane type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir.types import I32, U8, U16, Pointer, Scalar, Type, Vector


class Unsuitable(Exception):
    """A statement or expression that has no vector form; says why."""


def scalar(name: str) -> Scalar:
    return Scalar(name)  # type: ignore[arg-type]


@dataclass
class Isa:
    """Instructions as calls. `lanes` of a register by element type; names come from `table`."""

    table: Mapping[str, Any]
    used: set[str] = field(default_factory=set)

    def lanes(self, t: Scalar) -> int:
        return int(self.table["lanes"].get(t.name, 0))

    def register(self, t: Scalar, lanes: int) -> Vector:
        return Vector(t, lanes)

    def mask_type(self, lanes: int) -> Scalar:
        return U8 if lanes <= 8 else U16

    def call(self, op: str, t: Scalar, args: tuple[e.Expr, ...], result: Type) -> e.Call:
        """The instruction for `op` on lanes of `t`; raises Unsuitable where there is none."""
        name = self.table.get(op, {}).get(t.name)
        if name is None:
            raise Unsuitable(f"{op} of {t} has no instruction")
        self.used.add(name)
        return e.Call(name, args, result)

    def has(self, op: str, t: Scalar) -> bool:
        return t.name in self.table.get(op, {})

    # -- masks --------------------------------------------------------------------------

    def both(self, a: e.Expr | None, b: e.Expr | None) -> e.Expr | None:
        """The lanes that are on in both masks; None stands for all lanes."""
        if a is None or b is None:
            return a if b is None else b
        return e.Cast(e.Binary("&", e.Cast(a, I32), e.Cast(b, I32), I32), a.type)

    def either(self, a: e.Expr, b: e.Expr) -> e.Expr:
        return e.Cast(e.Binary("|", e.Cast(a, I32), e.Cast(b, I32), I32), a.type)

    def inverse(self, a: e.Expr) -> e.Expr:
        return e.Cast(e.Unary("~", e.Cast(a, I32), I32), a.type)

    def uniform(self, cond: e.Expr, lanes: int) -> e.Expr:
        """The mask of a condition that is the same for all lanes."""
        t = self.mask_type(lanes)
        return e.Select(cond, e.Const((1 << lanes) - 1, t), e.Const(0, t), t)

    # -- memory -------------------------------------------------------------------------

    def load(self, place: e.Index, t: Scalar, lanes: int, mask: e.Expr | None) -> e.Expr:
        """Lanes from consecutive elements; lanes that are off are zero and not read."""
        at = e.AddressOf(place, Pointer(place.type, True))
        if t.name in self.table["widen"]:
            wide = scalar("f32" if t.name == "f16" else "i32")
            on = mask if mask is not None else e.Const((1 << lanes) - 1, self.mask_type(lanes))
            return self.call("widen", t, (on, at), self.register(wide, lanes))
        into = self.register(t, lanes)
        if mask is None:
            return self.call("load", t, (at,), into)
        return self.call("load_masked", t, (mask, at), into)

    def store(self, place: e.Index, t: Scalar, value: e.Expr, mask: e.Expr | None) -> e.Call:
        at = e.AddressOf(place, Pointer(place.type))
        void = scalar("void")
        if mask is None and self.has("store", t):
            return self.call("store", t, (at, value), void)
        lanes = value.type.lanes  # type: ignore[attr-defined]
        on = mask if mask is not None else e.Const((1 << lanes) - 1, self.mask_type(lanes))
        return self.call("store_masked", t, (at, on, value), void)
