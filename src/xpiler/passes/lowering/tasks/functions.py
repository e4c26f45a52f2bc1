"""Functions of numbers for all lanes of a piece at once, by instructions that are accurate."""

from __future__ import annotations

import math
from collections.abc import Sequence

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.types import BF16, F16, F32, I32, Pointer, Type
from xpiler.passes.lowering.tasks import ops
from xpiler.passes.lowering.tasks.build import (
    ZERO,
    as_bytes,
    byte_count,
    call,
    const,
    is_const,
    real,
)  # fmt: skip
from xpiler.passes.lowering.tasks.conversions import Converting
from xpiler.passes.lowering.tasks.lanes import Value, Vec

FLOATS = (F32, F16, BF16)
COMPOSED = ("exp", "log", "log10", "tanh", "rint", "erf")
LOG2E, LN2 = math.log2(math.e), math.log(2)

# erf(x) = x + x P(x x) up to 0.9, 1 - 2^Q(|x|) from there (our own fits, both within 1.4 units of
# 2^-24); at 4 it is 1 in float.
ERF_BORDER, ERF_END = 0.9, 4.0
ERF_NEAR = (0.12837915122509003, -0.376125305891037, 0.11282213032245636, -0.026781365275382996,
            0.005015374626964331, -0.0006107006338424981)  # fmt: skip
TANH_BORDER = 0.625
TANH_NEAR = (-0.333333283662796, 0.13332782685756683, -0.05385249853134155,
             0.021003643050789833, -0.006104948930442333)  # fmt: skip
ERF_FAR = (7.32272383174859e-05, -1.6287344694137573, -0.9152555465698242, -0.1546645313501358,
           0.03532715514302254, -0.005706182215362787, 0.0005697755259461701,
           -2.6112549676327035e-05)  # fmt: skip


class Functions(Converting):
    """Operations on values that are there: plain ones, choices by bits, functions of floats."""

    # -- plain operations -----------------------------------------------------------------------

    def filled(self, x: e.Expr, want: Vec | None = None) -> Vec:
        out = want or self.temp(x.type)
        if getattr(x.type, "bits", 64) == 64:
            lane = self.counter()
            self.per_lane(lane, s.Assign(self.element(out, lane), x))
        elif is_const(x, 0):
            self.emit(call("__bang_write_zero", self.operand(out), self.size))
        else:
            self.emit(call("__bang_write_value", self.operand(out), self.size, x))
        return out

    def filled_or(self, v: Value) -> Vec:
        return v if isinstance(v, Vec) else self.filled(v)

    def _target(self, want: Vec | None, used: tuple[Value, ...], t: Type) -> Vec:
        if want is not None:
            return want
        for v in used:
            if isinstance(v, Vec) and v.temp and v.elem == t:
                return v
        return self.temp(t)

    def _result(
        self, want: Vec | None, used: tuple[Value, ...], t: Type, name: str, *args: Value
    ) -> Vec:
        """name(out, args..., n), in place where an operand is not needed any more."""
        out = self._target(want, used, t)
        given = [self.plain(a) if isinstance(a, Vec) else a for a in args]
        self.emit(call(name, self.plain(out), *given, self.size))
        self.drop(*(v for v in used if v != out))
        return out

    # -- bits -----------------------------------------------------------------------------------

    def as_flags(self, bits: Vec, want: Vec) -> Vec:
        """Bits as what C takes for true and false, which no instruction writes."""
        lane = self.counter()
        held = e.compare("!=", self.element(bits, lane), ZERO)
        self.per_lane(lane, s.Assign(self.element(want, lane), held))
        self.drop(bits)
        return want

    def bitwise(self, name: str, out: Vec, *used: Vec) -> Vec:
        """An instruction on bits, of elements of 32."""
        operands = map(as_bytes, map(self.operand, (out, *used)))
        self.emit(call(name, *operands, byte_count(self.size, F32)))
        return out

    def mixed(self, bits: Vec, a: Value, b: Value, t: Type, want: Vec | None = None) -> Vec:
        """a where the bits are set, else b."""
        va = self.filled_or(a)
        if not isinstance(b, Vec) and is_const(b, 0):
            out = self._target(want, (va,), t)
            self.bitwise("__bang_band", out, va, bits)
        else:
            vb = self.filled_or(b)
            differ = self.temp(t)
            self.bitwise("__bang_bxor", differ, va, vb)
            self.bitwise("__bang_band", differ, differ, bits)
            out = want or differ
            self.bitwise("__bang_bxor", out, vb, differ)
            self.drop(*(v for v in (vb, differ) if v != out))
        self.drop(*(v for v in (va,) if v != out))
        return out

    # -- functions of floats --------------------------------------------------------------------

    def of_float(self, name: str, a: Vec) -> Vec:
        """A function of `UNARY` or `COMPOSED`."""
        if name in ops.UNARY:
            return self._result(self.temp(F32), (a,), F32, ops.UNARY[name], a)
        out: Vec = getattr(self, f"_{name}")(a)
        return out

    def _steps(self, out: Vec, *steps: tuple[str, float]) -> Vec:
        """A chain of `op scalar` on `out`, in place."""
        for op, value in steps:
            self._result(out, (), F32, ops.SCALAR[op], out, real(value, F32))
        return out

    def _exp(self, a: Vec) -> Vec:
        out = self._result(None, (a,), F32, "__bang_mul_scalar", a, real(LOG2E, F32))
        return self._result(out, (), F32, "__bang_pow2", out)

    def _log(self, a: Vec) -> Vec:
        out = self._result(None, (a,), F32, "__bang_log2", a)
        return self._steps(out, ("*", LN2))

    def _log10(self, a: Vec) -> Vec:
        out = self._result(None, (a,), F32, "__bang_log2", a)
        return self._steps(out, ("*", math.log10(2)))

    def _tanh(self, a: Vec) -> Vec:
        """1 - 2 / (exp(2 x) + 1), in which all digits cancel near zero: a polynomial there."""
        ones = self._result(self.temp(F32), (), F32, "__bang_abs", a)
        self._result(ones, (), F32, "__bang_lt_scalar", ones, real(TANH_BORDER, F32))
        near_by = self._all_bits(ones)
        scale = real(2 * LOG2E, F32)
        far = self._result(self.temp(F32), (), F32, "__bang_mul_scalar", a, scale)
        self._result(far, (), F32, "__bang_pow2", far)
        self._steps(far, ("+", 1.0))
        self._result(far, (), F32, "__bang_recip", far)
        self._steps(far, ("*", -2.0), ("+", 1.0))
        square = self._result(self.temp(F32), (), F32, "__bang_mul", a, a)
        near = self._polynomial(square, TANH_NEAR)
        self._result(near, (square,), F32, "__bang_mul", near, square)
        self._result(near, (), F32, "__bang_mul", near, a)
        self._result(near, (), F32, "__bang_add", near, a)
        out = self.mixed(near_by, near, far, F32)
        self.drop(near_by, a)
        return out

    def one_and_tanh(self, a: Vec) -> Vec:
        """1 + tanh(x) = 2 / (exp(-2 x) + 1), in which nothing cancels."""
        out = self._result(None, (a,), F32, "__bang_mul_scalar", a, real(-2 * LOG2E, F32))
        self._result(out, (), F32, "__bang_pow2", out)
        self._steps(out, ("+", 1.0))
        self._result(out, (), F32, "__bang_recip", out)
        return self._steps(out, ("*", 2.0))

    def _rint(self, a: Vec) -> Vec:
        """By way of integers, where a float can have a fraction at all."""
        whole = self.temp(I32)
        self.emit(
            call("__bang_float2int32_rn", self.operand(whole), self.operand(a), self.size, ZERO)
        )
        small = self._result(None, (), F32, "__bang_abs", a)
        name, limit = "__bang_lt_scalar", real(2147483648, F32)
        small = self._result(small, (), F32, name, small, limit)
        bits = self._all_bits(small)
        out = self.mixed(bits, self.converted(whole, F32), a, F32)
        self.drop(bits)
        return out

    def _erf(self, a: Vec) -> Vec:
        """By polynomials, one near zero and one for the logarithm of what is missing to 1."""
        far = self._result(self.temp(F32), (), F32, "__bang_abs", a)
        ones = self._result(None, (), F32, "__bang_lt_scalar", far, real(ERF_BORDER, F32))
        near_by = self._all_bits(ones)
        self._result(far, (), F32, "__bang_mineq_scalar", far, real(ERF_END, F32))
        tail = self._polynomial(far, ERF_FAR)
        self.drop(far)
        self._result(tail, (), F32, "__bang_pow2", tail)
        self._steps(tail, ("*", -1.0), ("+", 1.0))
        self._signed(tail, a)
        square = self._result(self.temp(F32), (), F32, "__bang_mul", a, a)
        near = self._polynomial(square, ERF_NEAR)
        self._result(near, (), F32, "__bang_mul", near, a)
        self._result(near, (square,), F32, "__bang_add", near, a)
        out = self.mixed(near_by, near, tail, F32)
        self.drop(near_by, a)
        return out

    def _all_bits(self, ones: Vec) -> Vec:
        """All bits set where there is 1."""
        whole = self.converted(ones, I32)
        return self._result(whole, (), I32, "__bang_mul_scalar", whole, const(-1))

    def _polynomial(self, x: Vec, parts: Sequence[float]) -> Vec:
        """parts[0] + parts[1] x + ..., by Horner's scheme."""
        *rest, last = parts
        out = self._result(self.temp(F32), (), F32, "__bang_mul_scalar", x, real(last, F32))
        for k, part in enumerate(reversed(rest)):
            self._steps(out, ("+", part))
            if k + 1 < len(rest):
                self._result(out, (), F32, "__bang_mul", out, x)
        return out

    def _signed(self, out: Vec, a: Vec) -> None:
        """The sign of `a` for numbers that have none."""
        sign = self.temp(I32)
        mask = const(-(1 << 31))
        self.emit(call("__bang_band_scalar", self.operand(sign), self._whole(a), mask, self.size))
        self.bitwise("__bang_bor", out, out, sign)
        self.drop(sign)

    def _whole(self, a: Vec) -> e.Expr:
        return e.Cast(self.operand(a), Pointer(I32))


__all__ = ["COMPOSED", "FLOATS", "Functions"]
