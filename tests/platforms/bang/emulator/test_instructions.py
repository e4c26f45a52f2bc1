"""What each family of instructions computes, against NumPy; each family is one compilation."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bang_running import Ran, normal, run, zeros

Array = np.ndarray


def vector(cases: dict[str, str], ctype: str, n: int, result: str = "") -> str:
    """Kernel `k(a, b, c, which)` that applies the chosen case to x, y (n elements) giving z."""
    arms = "".join(f"    case {i}: {{ {code}; break; }}\n" for i, code in enumerate(cases.values()))
    return (
        f"__mlu_entry__ void k(const {ctype}* a, const {ctype}* b, {result or ctype}* c, int which) {{\n"
        f"  __nram__ {ctype} x[{n}], y[{n}], t[{n}];\n  __nram__ {result or ctype} z[{n}];\n  const int n = {n};\n"
        f"  __memcpy(x, a, sizeof(x), GDRAM2NRAM);\n  __memcpy(y, b, sizeof(y), GDRAM2NRAM);\n"
        f"  __bang_write_zero(z, n);\n  switch (which) {{\n{arms}  }}\n  __memcpy(c, z, sizeof(z), NRAM2GDRAM);\n}}\n"
    )


def apply(cases: dict[str, str], what: str, ctype: str, x: Array, y: Array, out: Array) -> Array:
    text = vector(
        cases,
        ctype,
        x.size,
        {
            "float32": "float",
            "float16": "half",
            "int32": "int",
            "int8": "int8_t",
            "uint32": "uint32_t",
            "int16": "int16_t",
        }[str(out.dtype)],
    )
    return run(text, "k", x, y, out, list(cases).index(what))[2]


X, Y = normal(256), normal(256, seed=1)
W = 512 // 8
Case = tuple[str, Callable[[Array, Array], Array]]
FLOATS: dict[str, Case] = {
    "add": ("__bang_add(z, x, y, n)", lambda x, y: x + y),
    "sub": ("__bang_sub(z, x, y, n)", lambda x, y: x - y),
    "div": ("__bang_div(z, x, y, n)", lambda x, y: x / y),
    "old div": ("__bang_div(z, x, y, t, n)", lambda x, y: x / y),
    "mul_scalar": ("__bang_mul_scalar(z, x, 3, n)", lambda x, y: x * 3),
    "cycle_mul": ("__bang_cycle_mul(z, x, y, n, 64)", lambda x, y: x * np.tile(y[:64], 4)),
    "maxequal": ("__bang_maxequal(z, x, y, n)", lambda x, y: np.maximum(x, y)),
    "minimum": ("__bang_minimum(z, x, y, n)", lambda x, y: np.fmin(x, y)),
    "mineq_scalar": (
        "__bang_mineq_scalar(z, x, 0.5f, n)",
        lambda x, y: np.minimum(x, np.float32(0.5)),
    ),
    "lt": ("__bang_lt(z, x, y, n)", lambda x, y: (x < y).astype("f4")),
    "ge_scalar": ("__bang_ge_scalar(z, x, 0.25f, n)", lambda x, y: (x >= 0.25).astype("f4")),
    "cycle_gt": (
        "__bang_cycle_gt(z, x, y, n, 32)",
        lambda x, y: (x > np.tile(y[:32], 8)).astype("f4"),
    ),
    "and": (
        "__bang_gt_scalar(t, x, 0, n); __bang_and(z, t, y, n)",
        lambda x, y: ((x > 0) & (y != 0)).astype("f4"),
    ),
    "not": ("__bang_relu(t, x, n); __bang_not(z, t, n)", lambda x, y: (x <= 0).astype("f4")),
    "relun": ("__bang_relun(z, x, n, 0.75f)", lambda x, y: np.clip(x, 0, np.float32(0.75))),
    "fma": (
        "__bang_fusion(FUSION_FMA, z, x, y, 2.0f, n)",
        lambda x, y: (x.astype("f8") * y + 2).astype("f4"),
    ),
    "fsm": (
        "__bang_fusion(FUSION_FSM, z, x, 1.0f, y, n, 64)",
        lambda x, y: (x - 1) * np.tile(y[:64], 4),
    ),
    "recip": ("__bang_recip(z, x, n)", lambda x, y: 1 / x),
    "rsqrt": ("__bang_abs(t, x, n); __bang_rsqrt(z, t, n)", lambda x, y: 1 / np.sqrt(np.abs(x))),
    "log": ("__bang_abs(t, x, n); __bang_log(z, t, n)", lambda x, y: np.log2(np.abs(x))),
    "pow2": ("__bang_pow2(z, x, n)", lambda x, y: np.exp2(x)),
    "sign": ("__bang_active_sign(z, x, n)", lambda x, y: np.where(x >= 0, 1, -1).astype("f4")),
    "tanh": ("__bang_active_tanh(z, x, n)", lambda x, y: np.tanh(x)),
    "floor": ("__bang_floor(z, x, n)", lambda x, y: np.floor(x)),
    "transpose": ("__bang_transpose(z, x, 8, 32)", lambda x, y: x.reshape(8, 32).T.ravel()),
    "rotate90": (
        "__bang_rotate90(z, x, 8, 32)",
        lambda x, y: np.rot90(x.reshape(8, 32), -1).ravel(),
    ),
    "rotate270": ("__bang_rotate270(z, x, 8, 32)", lambda x, y: np.rot90(x.reshape(8, 32)).ravel()),
    "mirror": ("__bang_mirror(z, x, 8, 32)", lambda x, y: x.reshape(8, 32)[:, ::-1].ravel()),
    "pad": (
        "__bang_pad(z, x, 2, 6, 10, 1, 1, 2, 2)",
        lambda x, y: np.pad(
            np.pad(x[:120].reshape(6, 10, 2), ((1, 1), (2, 2), (0, 0))).ravel(), (0, 32)
        ),
    ),
    "maxpool": ("__bang_maxpool(z, x, 4, 8, 8, 2, 3, 2, 1)", lambda x, y: pooled(x, np.max)),
    "sumpool": ("__bang_sumpool(z, x, 4, 8, 8, 2, 3, 2, 1)", lambda x, y: pooled(x, np.sum)),
    "row sum": ("__bang_sumpool(z, x, 1, 1, n, 1, n, 1, 1)", lambda x, y: first(x.sum())),
    "reduce_sum": (
        "__bang_reduce_sum(z, x, n)",
        lambda x, y: np.pad(x.reshape(8, 32).sum(1)[:, None], ((0, 0), (0, 31))).ravel(),
    ),
    "argmax": (
        "__bang_argmax(z, x, n)",
        lambda x, y: first(x.max(), np.uint32(x.argmax()).view("f4")),
    ),
    "filter": (
        "__bang_gt_scalar(t, y, 0, n); unsigned m = __bang_filter(z, x, t, n); z[255] = m",
        lambda x, y: filtered(x, y),
    ),
    "count": (
        "__bang_gt_scalar(t, y, 0, n); z[0] = __bang_count(t, n); z[1] = __bang_findfirst1(t, n)",
        lambda x, y: first((y > 0).sum(), (y > 0).argmax()),
    ),
    "band": (
        "__bang_band((char*)z, (char*)x, (char*)y, n * 4)",
        lambda x, y: (x.view("u4") & y.view("u4")).view("f4"),
    ),
    "segments": (
        "__memcpy(z, x, 64, NRAM2NRAM, 128, -64, 3)".replace("x, 64", "x + 48, 64"),
        lambda x, y: (
            np.stack([x[:64].reshape(4, 16)[::-1], np.zeros((4, 16), "f4")], 1).ravel().repeat(1)
        ),
    ),
    "three dimensions": (
        "__memcpy(z, a, 16, GDRAM2NRAM, 16, 3, 64, 3, 64, 3, 16, 3)",
        lambda x, y: np.pad(x[:64].reshape(4, 4, 4).swapaxes(0, 1).ravel(), (0, 192)),
    ),
    "broadcast": ("__memcpy(z, x, 64, NRAM2NRAM, 64, 0, 15)", lambda x, y: np.tile(x[:16], 16)),
}


def first(*values: Any) -> Array:
    return np.array([*values, *([0] * (256 - len(values)))], "f4")


def pooled(x: Array, reduce: Callable[..., Array]) -> Array:
    """Windows of 2 x 3, stride 1 down and 2 across, on an image of 8 x 8 x 4."""
    image = x.reshape(8, 8, 4)
    found = [
        [reduce(image[i : i + 2, j : j + 3], axis=(0, 1)) for j in (0, 2, 4)] for i in range(7)
    ]
    return np.pad(np.array(found).ravel(), (0, 256 - 84))


def filtered(x: Array, y: Array) -> Array:
    kept = x[y > 0]
    out = np.pad(kept, (0, 256 - kept.size))
    out[255] = kept.size
    return out


@pytest.mark.parametrize("what", FLOATS)
def test_floats(what: str) -> None:
    codes = {k: v[0] for k, v in FLOATS.items()}
    got = apply(codes, what, "float", X, Y, zeros(256))
    want = FLOATS[what][1](X, Y).astype("f4").ravel()[:256]
    if what == "segments":
        want = np.pad(want, (0, 256 - want.size)) if want.size < 256 else want
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6)


HALVES: dict[str, Case] = {
    "add": ("__bang_add(z, x, y, n)", lambda x, y: x + y),
    "mul_scalar": ("__bang_mul_scalar(z, x, (half)1.5f, n)", lambda x, y: x * np.float16(1.5)),
    "sumpool": (
        "__bang_sumpool(z, x, 64, 2, 2, 2, 2)",
        lambda x, y: np.pad(x.astype("f4").reshape(4, 64).sum(0).astype("f2"), (0, 192)),
    ),
    "widen and back": (
        "__nram__ float f[256]; __bang_half2float(f, x, n); __bang_add_scalar(f, f, 0.1f, n); __bang_float2half_tz(z, f, n)",
        lambda x, y: toward_zero(x.astype("f4") + np.float32(0.1)),
    ),
}


def toward_zero(x: Array) -> Array:
    near = x.astype("f2")
    past = np.abs(near.astype("f4")) > np.abs(x)
    return np.where(past, (near.view("u2") - 1).astype("u2").view("f2"), near)


@pytest.mark.parametrize("what", HALVES)
def test_halves(what: str) -> None:
    codes = {k: v[0] for k, v in HALVES.items()}
    x, y = X.astype("f2"), Y.astype("f2")
    np.testing.assert_array_equal(
        apply(codes, what, "half", x, y, zeros(256, dtype="float16")), HALVES[what][1](x, y)
    )


ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "_tz": np.trunc, "_up": np.ceil, "_dn": np.floor, "_rn": np.rint,
    "_rd": lambda v: np.trunc(v + np.copysign(0.5, v)), "_oz": lambda v: np.copysign(np.ceil(np.abs(v)), v),
    "_rm": lambda v: np.floor(v + 0.5), "": np.trunc,
}  # fmt: skip


@pytest.mark.parametrize("mode", ROUNDINGS)
def test_roundings_to_integers(mode: str) -> None:
    codes = {m: f"__bang_float2int8{m}((int8_t*)z, x, n, 1)" for m in ROUNDINGS}
    x = np.concatenate(
        [np.arange(-64, 64) / 2, normal(96) * 300, np.array([0.5, -0.5, 1e9, -1e9] * 8)]
    )
    got = apply(codes, mode, "float", x.astype("f4"), Y, zeros(256))
    want = np.clip(ROUNDINGS[mode](x.astype("f4") / 2), -128, 127).astype("i1")
    np.testing.assert_array_equal(got.view("i1")[:256], want)


INTEGERS: dict[str, Case] = {
    "add": ("__bang_add(z, x, y, n)", lambda x, y: x + y),
    "rem": ("__bang_maxeq_scalar(t, y, 1, n); __bang_rem(z, x, t, n)", lambda x, y: np.fmod(x, np.maximum(y, 1))),
    "to float": ("__bang_int322float_rn((float*)z, x, n, -2)", lambda x, y: (x.astype("f4") / 4).view("i4")),
    "shift": ("__bang_sra(z, x, 3, n)", lambda x, y: x >> 3),
    "fill": ("__nramset(z, n, 7)", lambda x, y: np.full(256, 7)),
    "gather": ("__nram__ uint32_t o[8]; for (int i = 0; i < 8; i++) o[i] = 64 * (7 - i); __gather(z, a, o, 16, GDRAM2NRAM, 16, 8)", lambda x, y: np.pad(x[:128].reshape(8, 16)[::-1, :4].ravel(), (0, 224))),
}  # fmt: skip


@pytest.mark.parametrize("what", INTEGERS)
def test_integers(what: str) -> None:
    rng = np.random.default_rng(3)
    x, y = (rng.integers(-1000, 1000, 256, dtype="i4") for _ in range(2))
    codes = {k: v[0] for k, v in INTEGERS.items()}
    got = apply(codes, what, "int", x, y, zeros(256, dtype="int32"))
    np.testing.assert_array_equal(got, INTEGERS[what][1](x, y))


MATRIX = r"""
__nram__ float x[8 * 32], w[192 * 32], r[192 * 32], y[8 * 192];
__wram__ float weight[192 * 32];
__mlu_entry__ void k(const float* a, const float* b, float* c, int how) {
  __memcpy(x, a, sizeof(x), GDRAM2NRAM);
  __memcpy(w, b, sizeof(w), GDRAM2NRAM);
  if (how == 0) {
    __bang_reshape_filter(r, w, 192, 1, 1, 32);
    __memcpy(weight, r, sizeof(r), NRAM2WRAM);
  } else if (how == 1) {
    for (int i = 0; i < 3; i++) __memcpy(weight + i * 64 * 32, w + i * 64 * 32, 64 * 32 * 4, NRAM2WRAM);
  } else {
    __memcpy(weight, w, sizeof(w), NRAM2WRAM);
  }
  if (how == 3) __bang_conv(y, x, weight, 32, 4, 2, 1, 1, 1, 1, 192);
  else __bang_matmul(y, x, weight, 8, 32, 192);
  __memcpy(c, y, sizeof(y), NRAM2GDRAM);
}
"""


def matrix(how: int, arch: str = "mtp_592") -> tuple[Array, Array, Ran]:
    a, b = normal(8, 32), normal(192, 32, seed=1)
    ran = run(MATRIX, "k", a, b, zeros(8, 192), how, arch=arch)
    return ran[2], a @ b.T, ran


def test_weights_lie_in_banks() -> None:
    """More than 64 rows come right when they are reshaped, or copied 64 at a time; else not."""
    for how in (0, 1):
        got, want, ran = matrix(how)
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
        assert ran.counters["mac_f32"] == 8 * 32 * 192
    got, want, _ = matrix(2)
    assert not np.allclose(got, want, atol=1e-2)


def test_flat_weights_on_demand() -> None:
    a, b = normal(8, 32), normal(32, 192, seed=1)
    got = run(MATRIX, "k", a, b, zeros(8, 192), 2, arch="mtp_592:flat")[2]
    np.testing.assert_allclose(got, a @ b, rtol=1e-4, atol=1e-5)


def test_integer_products_are_scaled() -> None:
    text = r"""
__mlu_entry__ void k(const int8_t* a, const int8_t* b, half* c) {
  __nram__ int8_t x[4 * 64]; __wram__ int8_t w[64 * 64]; __nram__ half y[4 * 64];
  __memcpy(x, a, sizeof(x), GDRAM2NRAM);
  __memcpy(w, b, sizeof(w), GDRAM2WRAM);
  __bang_matmul(y, x, w, 4, 64, 64, -3);
  __memcpy(c, y, sizeof(y), NRAM2GDRAM);
}
"""
    rng = np.random.default_rng(5)
    a, b = (rng.integers(-128, 128, (m, 64), dtype="i1") for m in (4, 64))
    got = run(text, "k", a, b, zeros(4, 64, dtype="float16"))[2]
    np.testing.assert_array_equal(got, (a.astype("f8") @ b.T.astype("f8") / 8).astype("f2"))


def test_convolution_takes_width_before_height_in_strides() -> None:
    text = r"""
__mlu_entry__ void k(const float* a, const float* b, const float* bias, float* c) {
  __nram__ float x[7 * 9 * 16], y[3 * 7 * 64], v[64]; __wram__ float w[64 * 3 * 3 * 16];
  __memcpy(x, a, sizeof(x), GDRAM2NRAM); __memcpy(v, bias, sizeof(v), GDRAM2NRAM);
  __memcpy(w, b, sizeof(w), GDRAM2WRAM);
  __bang_conv(y, x, w, v, 16, 7, 9, 3, 3, 1, 2, 64);
  __memcpy(c, y, sizeof(y), NRAM2GDRAM);
}
"""
    x, w, v = normal(7, 9, 16), normal(64, 3, 3, 16, seed=1), normal(64, seed=2)
    got = run(text, "k", x, w, v, zeros(3, 7, 64))[3]
    want = [
        [np.einsum("hwc,ohwc->o", x[2 * i : 2 * i + 3, j : j + 3], w) + v for j in range(7)]
        for i in range(3)
    ]
    np.testing.assert_allclose(got, np.array(want), rtol=1e-4, atol=1e-4)


def test_half_products_give_float_only() -> None:
    from xpiler.verify.execution import BuildError

    text = "__mlu_entry__ void k(half* a) { __nram__ half x[64], y[64]; __wram__ half w[4096]; __bang_matmul(y, x, w, 1, 64, 64); }"
    with pytest.raises(BuildError, match="no matching function"):
        run(text, "k", zeros(1, dtype="float16"))
