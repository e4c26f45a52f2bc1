"""Which instruction does an operation on all lanes: by operator, function and type."""

from __future__ import annotations

from xpiler.ir.types import BF16, F16, F32, I8, I16, I32, U8, U16, U32, Type

VECTOR = {"+": "__bang_add", "-": "__bang_sub", "*": "__bang_mul", "/": "__bang_div"}
SCALAR = {
    "+": "__bang_add_scalar", "-": "__bang_sub_scalar", "*": "__bang_mul_scalar", "/": "__bang_div",
}  # fmt: skip
COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
SWAPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
EXTREME = {"max": "maxequal", "min": "minequal"}
EXTREME_SCALAR = {"max": "__bang_maxeq_scalar", "min": "__bang_mineq_scalar"}
POOL = {"+": "__bang_sumpool", "max": "__bang_maxpool", "min": "__bang_minpool"}

# functions with an accurate instruction on floats (the reference tells them from table look-ups)
UNARY = {
    "sqrt": "__bang_sqrt", "rsqrt": "__bang_rsqrt", "rcp": "__bang_recip", "sin": "__bang_sin",
    "cos": "__bang_cos", "exp2": "__bang_pow2", "log2": "__bang_log2", "abs": "__bang_abs",
    "floor": "__bang_floor", "ceil": "__bang_ceil", "trunc": "__bang_trunc",
    "round": "__bang_round",
}  # fmt: skip

CONVERT: dict[tuple[Type, Type], tuple[str, int]] = {
    (F16, F32): ("__bang_half2float", 0),
    (F32, F16): ("__bang_float2half_rn", 0),
    (BF16, F32): ("__bang_bfloat162float", 0),
    (F32, BF16): ("__bang_float2bfloat16_rn", 0),
    (I32, F32): ("__bang_int322float_rn", 1),
    (F32, I32): ("__bang_float2int32_tz", 1),
    (I16, F32): ("__bang_int162float_rn", 1),
    (I8, F32): ("__bang_int82float_rn", 1),
    (F32, I16): ("__bang_float2int16_tz", 1),
    (F32, I8): ("__bang_float2int8_tz", 1),
    (I8, I32): ("__bang_int82int32", 2),
    (I16, I32): ("__bang_int162int32", 2),
}
"""(from, to): the instruction, and how many positions of the last bit it takes as well."""

SIGNED: dict[Type, Type] = {U8: I8, U16: I16, U32: I32}
"""The signed type that instructions know unsigned numbers of the same width by."""
