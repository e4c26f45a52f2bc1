"""wmma on AMD and mfma on NVIDIA: registers against the documented tables, lane by lane."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from xpiler.platforms.hip import toolchain
from xpiler.platforms.registry import platform
from xpiler.port import port
from xpiler.port.prologue import END
from xpiler.verify.execution import BufferArg, Invocation, build, execute

KERNELS = Path(__file__).parents[1] / "kernels"
CUDA, HIP = platform("cuda"), platform("hip")
SHAPES = [(16, 16, 16), (32, 8, 16), (8, 32, 16)]

LAYOUT = """
#include <mma.h>
#include <cuda_fp16.h>
using namespace nvcuda;
extern "C" __global__ void layout(const half* a, const half* b, const float* c, float* out) {
  const int lane = threadIdx.x;
  wmma::fragment<wmma::matrix_a, M, N, K, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, M, N, K, float> fc;
  wmma::load_matrix_sync(fa, a, K);
  wmma::load_matrix_sync(fb, b, N);
  wmma::load_matrix_sync(fc, c, N, wmma::mem_row_major);
  for (int i = 0; i < fa.num_elements; ++i) out[lane * 16 + i] = __half2float(fa.x[i]);
  for (int i = 0; i < fb.num_elements; ++i) out[512 + lane * 16 + i] = __half2float(fb.x[i]);
  for (int i = 0; i < fc.num_elements; ++i) out[1024 + lane * 16 + i] = fc.x[i];
}
"""


def run(text: str, entry: str, arch: str, block: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """The buffers after a launch of one block on the HIP emulator; no finding is let pass."""
    kinds = {"float16": "", "float32": "float", "int8": "signed char", "int32": "int"}
    args = tuple(
        BufferArg(f"a{i}", kinds[str(v.dtype)], str(v.dtype), v.size, v.reshape(-1))
        for i, v in enumerate(arrays)
    )
    call = Invocation(entry, "kernel", args, (1, 1, 1), (block, 1, 1), 0)
    done = execute(build(text, "hip", call, arch=arch, checks=True, filename="unit.hip"), call)
    assert not [f for f in done.findings if f.severity == "error"], done.findings
    return [done.outputs[f"a{i}"].reshape(v.shape) for i, v in enumerate(arrays)]


def ported(text: str, shape: tuple[int, int, int]) -> str:
    for name, size in zip("MNK", shape, strict=True):
        text = text.replace(f"{name},", f"{size},").replace(f" {name})", f" {size})")
    made = port(text.replace("b, N)", f"b, {shape[1]})"), "a.cu", CUDA, HIP)
    assert made.complete
    return made.text.replace("c, N,", f"c, {shape[1]},")


@cache
def registers(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[lane, register] -> place in the matrix (row times columns plus column), for A, B and C."""
    m, n, k = shape
    a = np.arange(m * k).reshape(m, k).astype(np.float16)
    b = np.arange(k * n).reshape(k, n).astype(np.float16)
    c = np.arange(m * n).reshape(m, n).astype(np.float32)
    out = np.full(1536, -1, np.float32)
    dumped = run(ported(LAYOUT, shape), "layout", "gfx90a", 32, a, b, c, out)[3]
    parts = dumped.reshape(3, 32, 16).astype(int)
    return parts[0], parts[1], parts[2]


@pytest.mark.parametrize("shape", SHAPES)
def test_registers_fit_the_instruction(shape: tuple[int, int, int]) -> None:
    """V_MFMA_F32_4X4X4_16B_F16 as the CDNA3 manual has it: lane 4 b + i holds row i of A and column
    i of B of block b, four k each; register r of lane 4 b + j is row r, column j of D. With CBSZ
    and ABID block b takes A from block (b with the low CBSZ bits cleared) + ABID.
    """
    _m, n, k = shape
    a, b, c = registers(shape)
    group = n // 4
    per_height = 4 * max(1, 4 // group)
    for lane in range(32):
        block, j = divmod(lane, 4)
        for height in range(2):
            for step in range(k // 4):
                giver = (block // group * group + step % group) * 4
                for r in range(4):
                    row, column = divmod(int(c[lane, 4 * height + r]), n)
                    for e in range(4):
                        register = height * per_height + step // group * 4 + e
                        row_a, k_a = divmod(int(a[giver + r, register]), k)
                        k_b, column_b = divmod(int(b[lane, 4 * step + e]), n)
                        assert (row_a, column_b) == (row, column)
                        assert k_a == k_b == 4 * step + e
        assert j == int(c[lane, 0]) % 4


@pytest.mark.parametrize("shape", SHAPES)
def test_every_element_has_a_place(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    a, b, c = registers(shape)
    for part, count in ((a, m * k), (b, k * n), (c, m * n)):
        assert set(part[part >= 0].tolist()) == set(range(count))


PRODUCT = """
#include <mma.h>
#include <cuda_fp16.h>
using namespace nvcuda;
extern "C" __global__ void product(const half* a, const half* b, float* c) {
  const int warp = threadIdx.x / 32;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc;
  wmma::fill_fragment(acc, 1.0f);
  for (int k = 0; k <= warp * DIVERGE; ++k) {
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> fb;
    wmma::load_matrix_sync(fa, a + 256 * warp, 16);
    wmma::load_matrix_sync(fb, b + 256 * warp, 16);
    wmma::mma_sync(acc, fa, fb, acc);
  }
  wmma::store_matrix_sync(c + 256 * warp, acc, 16, wmma::mem_row_major);
}
"""


@pytest.mark.parametrize("arch", ["gfx90a", "gfx942", "gfx1100"])
@pytest.mark.parametrize(("warps", "diverge"), [(1, 0), (2, 0), (3, 0), (2, 1)])
def test_products(arch: str, warps: int, diverge: int) -> None:
    """Half a wave, a whole one, one and a half, and halves that part: all compute the same."""
    text = port(PRODUCT.replace("DIVERGE", str(diverge)), "a.cu", CUDA, HIP).text
    rng = np.random.default_rng(3)
    a = rng.integers(-4, 5, (warps, 16, 16)).astype(np.float16)
    b = rng.integers(-4, 5, (warps, 16, 16)).astype(np.float16)
    c = np.zeros((warps, 16, 16), np.float32)
    got = run(text, "product", arch, 32 * warps, a, b, c)[2]
    once = np.einsum("wik,wjk->wij", a.astype(np.float32), b.astype(np.float32))
    times = (np.arange(warps) * diverge + 1)[:, None, None]
    np.testing.assert_array_equal(got, 1 + times * once)


@pytest.mark.skipif(not toolchain.tool(), reason="no compiler for AMD GPUs here")
@pytest.mark.parametrize("name", ["gemm/wmma_half", "gemm/wmma_int8", "batched_gemm/wmma_bf16"])
def test_the_assembly_holds_matrix_instructions(name: str) -> None:
    path = KERNELS / f"{name}.cu"
    made = port(path.read_text(encoding="utf-8"), str(path), CUDA, HIP)
    for report in toolchain.compile_text(made.text, ("gfx90a", "gfx942"), "a.hip"):
        assert report.ok, report.messages
        assert all(use.matrix >= 8 for use in report.kernels.values())


def test_a_text_without_includes_gets_the_names_too() -> None:
    bare = PRODUCT.replace("DIVERGE", "0").split("using namespace nvcuda;\n")
    port_of = port(bare[1], "a.cu", CUDA, HIP).text
    assert port_of.count("using namespace nvcuda;") == 1
    assert "using namespace nvcuda;" in port(PRODUCT, "a.cu", CUDA, HIP).text.split(END)[1]
    assert "using namespace nvcuda;" not in port(PRODUCT, "a.cu", CUDA, HIP).text.split(END)[0]
