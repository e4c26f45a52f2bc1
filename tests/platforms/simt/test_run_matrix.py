"""Matrix instructions: every wmma shape and type, mma.sync, ldmatrix, every MFMA form."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

from itertools import product

import numpy as np
import pytest
from running import normal, run, zeros

WMMA = r"""
#include <mma.h>
using namespace nvcuda;
template <class T, class D, class LA, class LB, int M, int N, int K, class E = T>
__device__ void one(const E* a, const E* b, D* d, bool column) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, LA> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LB> fb;
  wmma::fragment<wmma::accumulator, M, N, K, D> fc;
  wmma::fill_fragment(fc, D(1));
  const bool ra = __is_same(LA, wmma::row_major), rb = __is_same(LB, wmma::row_major);
  wmma::load_matrix_sync(fa, a, ra ? K : M);
  wmma::load_matrix_sync(fb, b, rb ? N : K);
  wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; ++i) fc.x[i] = fc.x[i] + fc.x[i];
  wmma::store_matrix_sync(d, fc, column ? M : N, column ? wmma::mem_col_major : wmma::mem_row_major);
}
#define ALL(T, D, M, N, K, E)                                                                     \
  extern "C" __global__ void k(const E* a, const E* b, D* d) {                                    \
    one<T, D, wmma::row_major, wmma::row_major, M, N, K, E>(a, b, d, false);                      \
    one<T, D, wmma::row_major, wmma::col_major, M, N, K, E>(a, b, d + M * N, true);               \
    one<T, D, wmma::col_major, wmma::row_major, M, N, K, E>(a, b, d + 2 * M * N, false);          \
    one<T, D, wmma::col_major, wmma::col_major, M, N, K, E>(a, b, d + 3 * M * N, true);           \
  }
"""
_SHAPES = [(16, 16, 16), (32, 8, 16), (8, 32, 16)]
_FORMS = [
    *(("half", "float", s, "half") for s in _SHAPES), ("half", "half", (16, 16, 16), "half"),
    ("__nv_bfloat16", "float", (16, 16, 16), "__nv_bfloat16"), ("signed char", "int", (32, 8, 16), "signed char"),
    ("unsigned char", "int", (8, 32, 16), "unsigned char"), ("double", "double", (8, 8, 4), "double"),
    ("wmma::precision::tf32", "float", (16, 16, 8), "float"),
]  # fmt: skip
_STORED = {"half": "float16", "__nv_bfloat16": "uint16", "signed char": "int8", "unsigned char": "uint8",
           "double": "float64", "float": "float32", "int": "int32"}  # fmt: skip


def _small(count: int, element: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Small whole numbers (products and sums are exact) as stored, and as float64."""
    low = 0 if element == "unsigned char" else -4
    v = np.random.default_rng(seed).integers(low, 5, count)
    if element == "__nv_bfloat16":
        return (v.astype("float32").view("uint32") >> 16).astype("uint16"), v.astype("float64")
    return v.astype(_STORED[element]), v.astype("float64")


@pytest.mark.parametrize(("kind", "result", "shape", "element"), _FORMS)
def test_wmma(kind: str, result: str, shape: tuple[int, int, int], element: str) -> None:
    m, n, k = shape
    a, wide_a = _small(m * k, element, 1)
    b, wide_b = _small(k * n, element, 2)
    text = WMMA + f"ALL({kind}, {result}, {m}, {n}, {k}, {element})\n"
    d = run(text, "k", a, b, zeros(4, m * n, dtype=_STORED[result]), grid=(1, 1, 1))[2]
    for i, (row_a, row_b) in enumerate(product((True, False), repeat=2)):
        matrix_a = wide_a.reshape(m, k) if row_a else wide_a.reshape(k, m).T
        matrix_b = wide_b.reshape(k, n) if row_b else wide_b.reshape(n, k).T
        got = d[i].reshape(n, m).T if i % 2 else d[i].reshape(m, n)
        np.testing.assert_array_equal(got.astype("float64"), 2 * (matrix_a @ matrix_b + 1))


def test_a_fragments_layout_depends_on_the_seed() -> None:
    text = """
    #include <mma.h>
    __global__ void k(const half* a, float* y) {
      nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 16, half, nvcuda::wmma::row_major> f;
      nvcuda::wmma::load_matrix_sync(f, a, 16);
      for (int i = 0; i < f.num_elements; ++i) y[threadIdx.x * 8 + i] = f.x[i];
    }"""
    a = np.arange(256, dtype="float16")
    first, second = (run(text, "k", a, zeros(256), grid=(1, 1, 1), seed=s)[1] for s in (1, 2))
    np.testing.assert_array_equal(np.sort(first), a)
    assert (first != second).any()


def test_wmma_rules() -> None:
    head = (
        "#include <mma.h>\nusing namespace nvcuda;\n__global__ void k(const half* a, float* y) {\n"
    )
    fragment = "wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> f;\n"
    load = (
        head + fragment + "wmma::load_matrix_sync(f, a + {at}, {ldm}); y[threadIdx.x] = f.x[0]; }}"
    )
    a = normal(512, dtype="float16")
    at = {(4, 16): ["misaligned"], (8, 16): [], (16, 20): ["misaligned"], (256, 24): ["oob_read"]}
    for (offset, ldm), want in at.items():
        found = run(
            load.replace("{at}", str(offset)).replace("{ldm}", str(ldm)).replace("}}", "}"),
            "k",
            a,
            zeros(32),
            grid=(1, 1, 1),
        )
        assert sorted(set(found.errors)) == want, (offset, ldm)


MMA = r"""
extern "C" __global__ void k(const unsigned* a, const unsigned* b, const unsigned* c, unsigned* d) {
  unsigned A[4], B[2], C[4], D[4]; int l = threadIdx.x;
  for (int i = 0; i < NA; ++i) A[i] = a[l * NA + i];
  for (int i = 0; i < NB; ++i) B[i] = b[l * NB + i];
  for (int i = 0; i < NC; ++i) C[i] = c[l * NC + i];
  CALL
  for (int i = 0; i < NC; ++i) d[l * NC + i] = D[i];
}
"""
_MMA = [
    ("m16n8k16", "f32.f16.f16.f32", "float16", "float32"), ("m16n8k8", "f32.f16.f16.f32", "float16", "float32"),
    ("m16n8k16", "f16.f16.f16.f16", "float16", "float16"), ("m16n8k8", "f32.tf32.tf32.f32", "float32", "float32"),
    ("m16n8k4", "f32.tf32.tf32.f32", "float32", "float32"), ("m16n8k32", "s32.s8.s8.s32", "int8", "int32"),
    ("m16n8k16", "s32.u8.u8.s32", "uint8", "int32"), ("m8n8k16", "s32.s8.s8.s32", "int8", "int32"),
]  # fmt: skip


def _pack(matrix: np.ndarray, places: list[list[tuple[int, int]]], dtype: str) -> np.ndarray:
    """Registers of 32 lanes from a matrix, given each lane's elements in order."""
    return (
        np.array([[matrix[p] for p in lane] for lane in places], dtype).view("uint32").reshape(-1)
    )


# The tables of the PTX manual, one formula a figure (group g = lane / 4, member t = lane % 4).
def _place_a(shape: str, lane: int, i: int, bits: int) -> tuple[int, int]:
    g, t = lane // 4, lane % 4
    if shape == "m8n8k16":
        return g, t * 4 + i
    if bits == 16:
        return g + (8 if i % 4 >= 2 else 0), t * 2 + i % 2 + (8 if i >= 4 else 0)
    if bits == 32:
        return g + (8 if i % 2 else 0), t + (4 if i >= 2 else 0)
    return g + (8 if i // 4 % 2 else 0), t * 4 + i % 4 + (16 if i >= 8 else 0)


def _place_b(lane: int, i: int, bits: int) -> tuple[int, int]:
    g, t = lane // 4, lane % 4
    if bits == 16:
        return t * 2 + i % 2 + (8 if i >= 2 else 0), g
    if bits == 32:
        return t + 4 * i, g
    return t * 4 + i % 4 + (16 if i >= 4 else 0), g


@pytest.mark.parametrize(("shape", "types", "element", "result"), _MMA)
def test_mma_sync(shape: str, types: str, element: str, result: str) -> None:
    m, n, k = (int(x) for x in shape.replace("m", "").replace("n", " ").replace("k", " ").split())
    bits = np.dtype(element).itemsize * 8
    rng = np.random.default_rng(5)
    low = 0 if element == "uint8" else -4
    a, b, c = (rng.integers(low, 5, s).astype("float64") for s in ((m, k), (k, n), (m, n)))
    cells = [
        [(lane // 4 + 8 * (i // 2), lane % 4 * 2 + i % 2) for i in range(m * n // 32)]
        for lane in range(32)
    ]
    regs = {
        "a": _pack(
            a,
            [[_place_a(shape, x, i, bits) for i in range(m * k // 32)] for x in range(32)],
            element,
        ),
        "b": _pack(
            b, [[_place_b(x, i, bits) for i in range(k * n // 32)] for x in range(32)], element
        ),
        "c": _pack(c, cells, result),
    }
    counts = {key: v.size // 32 for key, v in regs.items()}
    at, lists = 0, []
    for register in "cabc":
        lists.append("{" + ", ".join(f"%{at + i}" for i in range(counts[register])) + "}")
        at += counts[register]
    operand = lambda v, r, kind: ", ".join(f'"{kind}"({v}[{i}])' for i in range(counts[r]))  # noqa: E731
    call = (
        f'asm volatile("mma.sync.aligned.{shape}.row.col.{types} {lists[0]}, {lists[1]}, {lists[2]}, {lists[3]};"'
        f" : {operand('D', 'c', '=r')} : {operand('A', 'a', 'r')}, {operand('B', 'b', 'r')}, {operand('C', 'c', 'r')});"
    )
    text = MMA.replace("CALL", call)
    for register in "abc":
        text = text.replace(f"N{register.upper()}", str(counts[register]))
    d = run(
        text,
        "k",
        regs["a"],
        regs["b"],
        regs["c"],
        zeros(regs["c"].size, dtype="uint32"),
        grid=(1, 1, 1),
    )[3]
    np.testing.assert_array_equal(d, _pack(a @ b + c, cells, result))


LDMATRIX = r"""
__global__ void k(const unsigned short* x, unsigned* y) {
  __shared__ __align__(16) unsigned short s[32 * 8];
  for (int i = threadIdx.x; i < 256; i += 32) s[i] = x[i];
  __syncwarp();
  unsigned p = (unsigned)__cvta_generic_to_shared(s + threadIdx.x * 8), r[4], t[4], one, two[2];
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(p));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(t[0]), "=r"(t[1]), "=r"(t[2]), "=r"(t[3]) : "r"(p));
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared::cta.b16 {%0}, [%1 + 16];" : "=r"(one) : "r"(p));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];" : "=r"(two[0]), "=r"(two[1]) : "r"(p));
  for (int i = 0; i < 4; ++i) { y[i * 32 + threadIdx.x] = r[i]; y[(4 + i) * 32 + threadIdx.x] = t[i]; }
  y[256 + threadIdx.x] = one; y[288 + threadIdx.x] = two[1];
}
"""


def test_ldmatrix() -> None:
    x = np.arange(256, dtype="uint16")
    y = (
        run(LDMATRIX, "k", x, zeros(10, 32, dtype="uint32"), grid=(1, 1, 1))[1]
        .view("uint16")
        .reshape(10, 32, 2)
    )
    lane, e = np.arange(32)[:, None], np.arange(2)[None, :]
    matrices = x.reshape(4, 8, 8)
    for j in range(4):
        np.testing.assert_array_equal(y[j], matrices[j][lane // 4, lane % 4 * 2 + e])
        np.testing.assert_array_equal(y[4 + j], matrices[j][lane % 4 * 2 + e, lane // 4])
    np.testing.assert_array_equal(y[8], x.reshape(32, 8)[1:9][lane // 4, lane % 4 * 2 + e])
    np.testing.assert_array_equal(y[9], matrices[1][lane // 4, lane % 4 * 2 + e])


_MFMA = [
    # name, m, n, k, blocks, element, result, vectors of an operand and of the accumulator
    ("f32_32x32x1f32", 32, 32, 1, 2, "float32", "float32"), ("f32_16x16x1f32", 16, 16, 1, 4, "float32", "float32"),
    ("f32_4x4x1f32", 4, 4, 1, 16, "float32", "float32"), ("f32_32x32x2f32", 32, 32, 2, 1, "float32", "float32"),
    ("f32_16x16x4f32", 16, 16, 4, 1, "float32", "float32"), ("f32_32x32x4f16", 32, 32, 4, 2, "float16", "float32"),
    ("f32_16x16x4f16", 16, 16, 4, 4, "float16", "float32"), ("f32_4x4x4f16", 4, 4, 4, 16, "float16", "float32"),
    ("f32_32x32x8f16", 32, 32, 8, 1, "float16", "float32"), ("f32_16x16x16f16", 16, 16, 16, 1, "float16", "float32"),
    ("f32_32x32x4bf16", 32, 32, 4, 1, "bf16", "float32"), ("f32_16x16x16bf16_1k", 16, 16, 16, 1, "bf16", "float32"),
    ("f32_4x4x4bf16_1k", 4, 4, 4, 16, "bf16", "float32"), ("i32_16x16x16i8", 16, 16, 16, 1, "int8", "int32"),
    ("i32_32x32x8i8", 32, 32, 8, 1, "int8", "int32"), ("i32_4x4x4i8", 4, 4, 4, 16, "int8", "int32"),
    ("f64_16x16x4f64", 16, 16, 4, 1, "float64", "float64"),
]  # fmt: skip
_MFMA_942 = [
    ("i32_16x16x32_i8", 16, 16, 32, 1, "int8", "int32"),
    ("i32_32x32x16_i8", 32, 32, 16, 1, "int8", "int32"),
]


def _vector(name: str, dtype: str, count: int) -> str:
    """The declaration of an operand type as kernels write it."""
    c = {
        "float32": "float",
        "float16": "_Float16",
        "bf16": "short",
        "float64": "double",
        "int32": "int",
    }
    if dtype == "int8":
        return f"typedef {'int' if count == 4 else 'long'} {name};\n"
    if count == 1:
        return f"typedef {c[dtype]} {name};\n"
    return f"typedef {c[dtype]} {name} __attribute__((ext_vector_type({count})));\n"


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942"])
def test_mfma_forms(arch: str) -> None:
    """All forms in one program: each multiplies by its documented layout (checked against matrices)."""
    forms = [f for f in _MFMA if arch == "gfx90a" or "i8" not in f[0]] + (
        _MFMA_942 if arch == "gfx942" else []
    )
    text, inputs, wants, calls = "#include <hip/hip_runtime.h>\n", [], [], []
    for i, (name, m, n, k, blocks, element, result) in enumerate(forms):
        a, b, c, want = _mfma_case(m, n, k, blocks, element, result, i)
        inputs += [a, b, c]
        wants.append(want)
        per_lane = m * k * blocks // 64
        text += _vector(f"I{i}", element, per_lane) + _vector(f"O{i}", result, m * n * blocks // 64)
        text += (
            f"__device__ void f{i}(const void* a, const void* b, void* c) {{ int l = threadIdx.x;\n"
            f"((O{i}*)c)[l] = __builtin_amdgcn_mfma_{name}(((I{i}*)a)[l], ((I{i}*)b)[l], ((O{i}*)c)[l], 0, 0, 0); }}\n"
        )
        calls.append(f"f{i}(a{i}, b{i}, c{i});")
    parameters = ", ".join(
        f"const void* a{i}, const void* b{i}, void* c{i}" for i in range(len(forms))
    )
    text += f'extern "C" __global__ void k({parameters}) {{ {" ".join(calls)} }}'
    ran = run(text, "k", *inputs, platform="hip", arch=arch, grid=(1, 1, 1), block=64)
    for i, (form, want) in enumerate(zip(forms, wants, strict=True)):
        np.testing.assert_array_equal(ran[3 * i + 2], want, err_msg=form[0])


def _mfma_case(
    m: int, n: int, k: int, blocks: int, element: str, result: str, seed: int
) -> tuple[np.ndarray, ...]:
    """Registers of A, B, C and of the result, from random matrices and the manual's layout."""
    rng = np.random.default_rng(seed)
    a, b, c = (
        rng.integers(-4, 5, s).astype("float64")
        for s in ((blocks, m, k), (blocks, k, n), (blocks, m, n))
    )
    d = a @ b + c
    per_lane, registers = m * k * blocks // 64, m * n * blocks // 64
    packed_a = [
        a[x // m % blocks, x % m, x // (m * blocks) * per_lane + i]
        for x in range(64)
        for i in range(per_lane)
    ]
    packed_b = [
        b[x // n % blocks, x // (n * blocks) * per_lane + i, x % n]
        for x in range(64)
        for i in range(per_lane)
    ]

    def cell(x: int, v: int) -> tuple[int, int, int]:
        if m == 4:
            return x // 4, v, x % 4
        block, v = v // (registers // blocks), v % (registers // blocks)
        row = 4 * v + x // 16 if result == "float64" else v // 4 * (256 // n) + x // n * 4 + v % 4
        return block, row, x % n

    def stored(values: list[float], dtype: str) -> np.ndarray:
        if dtype == "bf16":
            return (np.array(values, "float32").view("uint32") >> 16).astype("uint16")
        return np.array(values, dtype)

    def pack(full: np.ndarray) -> np.ndarray:
        return stored([full[cell(x, v)] for x in range(64) for v in range(registers)], result)

    return stored(packed_a, element), stored(packed_b, element), pack(c), pack(d)


def test_mma_sync_of_doubles_and_bfloat16() -> None:
    text = """
    extern "C" __global__ void k(const double* a, const double* b, double* d, const unsigned short* h, float* f) {
      int l = threadIdx.x, g = l / 4, t = l % 4; double x, y;
      asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%4, %4};"
          : "=d"(x), "=d"(y) : "d"(a[g * 4 + t]), "d"(b[t * 8 + g]), "d"(1.0));
      d[g * 8 + t * 2] = x; d[g * 8 + t * 2 + 1] = y;
      const unsigned* p = (const unsigned*)h; float o[4];      // A is h (16 x 8), B its first 8 rows, transposed
      asm("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %7, %7, %7};"
          : "=f"(o[0]), "=f"(o[1]), "=f"(o[2]), "=f"(o[3]) : "r"(p[g * 4 + t]), "r"(p[(g + 8) * 4 + t]), "r"(p[g * 4 + t]), "f"(0.5f));
      for (int i = 0; i < 4; ++i) f[(g + i / 2 * 8) * 8 + t * 2 + i % 2] = o[i];
    }"""
    a, b = normal(8, 4, dtype="float64"), normal(4, 8, dtype="float64", seed=1)
    bits, wide = _small(128, "__nv_bfloat16", 4)
    ran = run(text, "k", a, b, zeros(8, 8, dtype="float64"), bits, zeros(16, 8), grid=(1, 1, 1))
    np.testing.assert_allclose(ran[2], a @ b + 1, rtol=1e-12)
    np.testing.assert_array_equal(ran[4], wide.reshape(16, 8) @ wide.reshape(16, 8)[:8].T + 0.5)
