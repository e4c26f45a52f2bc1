"""What the emulator costs: a thread, a barrier, a shuffle, a matrix instruction; checks off and on.

Prints nanoseconds and ratios to one iteration of a plain C loop, unchecked, from the same run.
Usage: python benchmarks/emulator.py [--compiler g++|clang++|zig] [--repeat N]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from xpiler.host.compiler import toolchain
from xpiler.verify.execution import BufferArg, Invocation, Limits, ScalarArg, build, execute

N = 1 << 18
LOOP = """
void loop(const float *x, float *y, int n) {
    for (int turn = 0; turn < 1000; turn++)
        for (int i = 0; i < n; i++)
            y[i] = x[i] * 3.0f + (float)turn;
}
"""
KERNELS = """
#include <mma.h>
__global__ void thread(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] * 3.0f + 1.0f;
}
void threads(const float* x, float* y, int n) {
  for (int turn = 0; turn < 40; turn++) thread<<<n / 256, 256>>>(x, y, n);
}
__global__ void barrier(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++) __syncthreads();
  y[threadIdx.x] = x[threadIdx.x];
}
__global__ void shuffle(const float* x, float* y, int n) {
  float v = x[threadIdx.x];
  for (int i = 0; i < n; i++) v = __shfl_xor_sync(0xffffffffu, v, 1) + 1.0f;
  y[threadIdx.x] = v;
}
__global__ void matrix(const float* x, float* y, int n) {
  using namespace nvcuda;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
  wmma::fill_fragment(a, __float2half(x[0]));
  wmma::fill_fragment(b, __float2half(0.5f));
  wmma::fill_fragment(c, 0.0f);
  for (int i = 0; i < n; i++) wmma::mma_sync(c, a, b, c);
  wmma::store_matrix_sync(y, c, 16, wmma::mem_row_major);
}
"""


@dataclass(frozen=True)
class Case:
    """One line of the table: an entry, its shape, and how many of the thing it does."""

    label: str
    platform: str
    text: str
    invocation: Invocation
    count: int


def _invocation(entry: str, kind: str, n: int, grid: int, block: int) -> Invocation:
    x = np.ones(N, np.float32)
    args = (
        BufferArg("x", "const float", "float32", N, x),
        BufferArg("y", "float", "float32", N, None),
        ScalarArg("int", n),
    )
    return Invocation(entry, kind, args, (grid, 1, 1), (block, 1, 1))  # type: ignore[arg-type]


def _kernel(label: str, entry: str, n: int, grid: int, block: int, count: int) -> Case:
    return Case(label, "cuda", KERNELS, _invocation(entry, "kernel", n, grid, block), count)


LOOP_CASE = Case(
    "plain loop, an iteration", "c", LOOP, _invocation("loop", "function", N, 1, 1), N * 1000
)
THREADS = Case(
    "thread (create, run, end)", "cuda", KERNELS,
    _invocation("threads", "function", N, 1, 1), N * 40,
)  # fmt: skip
CASES = (
    THREADS,
    _kernel("barrier, 32 threads: a thread", "barrier", 400_000, 1, 32, 400_000 * 32),
    _kernel("barrier, 256 threads: a thread", "barrier", 50_000, 1, 256, 50_000 * 256),
    _kernel("barrier, 1024 threads: a thread", "barrier", 10_000, 1, 1024, 10_000 * 1024),
    _kernel("shuffle: a lane", "shuffle", 400_000, 1, 32, 400_000 * 32),
    _kernel("16x16x16 matrix instruction: a warp", "matrix", 20_000, 1, 32, 20_000),
)


def nanoseconds(case: Case, checks: bool, compiler: str | None, repeat: int) -> float:
    """The least processor time of `repeat` runs (some tenths of a second: the clock is coarse),
    for one of what the case counts."""
    program = build(
        case.text,
        case.platform,
        case.invocation,
        checks=checks,
        filename="bench",
        compiler=compiler,
    )
    best = float("inf")
    for _ in range(repeat):
        result = execute(program, case.invocation, limits=Limits(seconds=60))
        if result.errors or result.exit_status:
            raise SystemExit(f"{case.label}: {result.errors or result.stderr}")
        best = min(best, result.cpu_seconds)
    return best * 1e9 / case.count


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--compiler")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    unit = nanoseconds(LOOP_CASE, False, options.compiler, options.repeat)
    print(f"compiler: {toolchain(options.compiler).name}")
    print(f"{'':36}{'checks off':>24}{'checks on':>24}")
    print(f"{LOOP_CASE.label:36}{unit:13.2f} ns {1:7.1f} x")
    for case in CASES:
        cells = [nanoseconds(case, on, options.compiler, options.repeat) for on in (False, True)]
        print(f"{case.label:36}" + "".join(f"{t:13.2f} ns {t / unit:7.1f} x" for t in cells))


if __name__ == "__main__":
    main()
