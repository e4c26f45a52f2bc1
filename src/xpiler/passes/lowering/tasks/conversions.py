"""Another type of numbers for all lanes of a piece at once."""

from __future__ import annotations

from dataclasses import replace

from xpiler.ir import expr as e
from xpiler.ir.types import F32, I32, U32, Array, Pointer, Type
from xpiler.passes.lowering.tasks import ops
from xpiler.passes.lowering.tasks.build import ONE, ZERO, call, const, size_of, strided
from xpiler.passes.lowering.tasks.lanes import Lanes, Vec

NUMBERS = {t for pair in ops.CONVERT for t in pair} | set(ops.SIGNED)
"""The types that lanes can be converted between."""

WRAPS = "32-bit integer instructions wrap around"


class Converting(Lanes):
    """Conversions by instructions; unsigned numbers pass as signed ones of the same width."""

    def plain(self, v: Vec) -> e.Expr:
        """The operand as arithmetic wants it: 32-bit integers are signed."""
        p = self.operand(v)
        assert isinstance(p.type, (Pointer, Array))
        whole = p.type.elem == U32 or (v.elem == I32 and p.type.elem != I32)
        return e.Cast(p, Pointer(I32)) if whole else p

    def converted(self, a: Vec, t: Type, want: Vec | None = None) -> Vec:
        """Another type of numbers; what has no instruction of its own goes through another."""
        if a.elem == t:
            return a
        if {a.elem, t} == {I32, U32}:
            return replace(a, elem=t)
        if t in ops.SIGNED or (t != F32 and a.elem in (I32, U32) and t != I32 and _whole(t)):
            return self._low(self.converted(a, I32), t, want)
        if a.elem in ops.SIGNED and a.elem != U32:
            return self._from_unsigned(a, t, want)
        if a.elem == U32:
            return self.converted(replace(a, elem=I32), t, want)
        if (a.elem, t) not in ops.CONVERT:
            return self.converted(self.converted(a, self._between(a.elem, t)), t, want)
        name, positions = ops.CONVERT[a.elem, t]
        out = want or self.temp(t)
        last = (ZERO,) * positions
        self.emit(call(name, self.operand(out), self.plain(a), self.size, *last))
        self.drop(a)
        return out

    def _between(self, source: Type, t: Type) -> Type:
        return I32 if _whole(source) and _whole(t) else F32

    def _from_unsigned(self, a: Vec, t: Type, want: Vec | None) -> Vec:
        """u8 and u16: as signed numbers, less the copies of the sign."""
        signed = ops.SIGNED[a.elem]
        name, positions = ops.CONVERT[signed, I32]
        out = want if want is not None and t == I32 else self.temp(I32)
        source = e.Cast(self.operand(a), Pointer(signed))
        self.emit(call(name, self.plain(out), source, self.size, *(ZERO,) * positions))
        bits = const((1 << 8 * size_of(a.elem)) - 1)
        self.emit(call("__bang_band_scalar", self.plain(out), self.plain(out), bits, self.size))
        self.drop(a)
        return self.converted(out, t, want)

    def _low(self, a: Vec, t: Type, want: Vec | None) -> Vec:
        """The low bytes of 32-bit integers, as C converts them."""
        if t == U32:
            return replace(a, elem=U32)
        out = want or self.temp(t)
        by = const(4 // size_of(t))
        to, source = self.operand(out), e.Cast(self.operand(a), Pointer(t))
        self.emit(strided(to, source, self.size, t, "NRAM2NRAM", ONE, by))
        self.drop(a)
        return out


def _whole(t: Type) -> bool:
    return bool(getattr(t, "is_integer", False))


__all__ = ["NUMBERS", "WRAPS", "Converting"]
