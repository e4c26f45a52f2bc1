"""Unmodified CUDA texts run: indices, shared memory, templates, launches, symbols, host code."""

# Kernels and tables of results read better on long lines.
# ruff: noqa: E501

import numpy as np
import pytest
from running import normal, run, zeros

from xpiler.verify.execution import BufferArg, BuildError, Invocation, build, execute

SOFTMAX = r"""
#include <cuda_runtime.h>
#include <cmath>
#include <vector>
#include <algorithm>
#define BLOCK 128
template <typename T, int N> __device__ T block_sum(T v) {
  __shared__ T part[N / 32];
  for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffff, v, o);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  T total = 0;
  for (int i = 0; i < N / 32; ++i) total += part[i];
  __syncthreads();
  return total;
}
__global__ void __launch_bounds__(BLOCK) softmax(const float* __restrict__ x, float* y, int n) {
  __shared__ alignas(16) float best[BLOCK], unused;
  const float* row = x + blockIdx.x * n;
  float m = -INFINITY;
  for (int i = threadIdx.x; i < n; i += blockDim.x) m = fmaxf(m, row[i]);
  best[threadIdx.x] = m;
  __syncthreads();
  for (int s = BLOCK / 2; s > 0; s >>= 1) {
    if (threadIdx.x < s) best[threadIdx.x] = max(best[threadIdx.x], best[threadIdx.x + s]);
    __syncthreads();
  }
  float sum = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) sum += __expf(row[i] - best[0]);
  sum = block_sum<float, BLOCK>(sum);
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[blockIdx.x * n + i] = std::exp(row[i] - best[0]) / sum;
}
extern "C" void run_softmax(const float* x, float* y, int rows, int n) {
  std::vector<float*> device(2);
  size_t bytes = rows * n * sizeof(float);
  for (auto& p : device) cudaMalloc(&p, bytes);
  cudaMemcpy(device[0], x, bytes, cudaMemcpyHostToDevice);
  dim3 grid(rows), block(std::min(BLOCK, 1024));
  softmax<<<grid, block>>>(device[0], device[1], n);
  if (cudaGetLastError() != cudaSuccess) return;
  cudaMemcpy(y, device[1], bytes, cudaMemcpyDeviceToHost);
  for (auto p : device) cudaFree(p);
}
"""


@pytest.mark.parametrize(
    ("kind", "sound"), [("HostToDevice", 1), ("DeviceToHost", 0), ("Default", 1)]
)
def test_the_direction_of_a_copy_must_agree_with_its_ends(kind: str, sound: int) -> None:
    text = SOFTMAX.replace("x, bytes, cudaMemcpyHostToDevice", f"x, bytes, cudaMemcpy{kind}")
    made = run(text, "run_softmax", normal(5, 200), zeros(5, 200), 5, 200)
    assert made.errors[:1] == ([] if sound else ["wrong_space"])


def test_softmax_through_its_wrapper() -> None:
    x = normal(5, 200)
    exact = np.exp(x - x.max(1, keepdims=True))
    for checks in (True, False):
        ran = run(SOFTMAX, "run_softmax", x, zeros(5, 200), 5, 200, checks=checks)
        np.testing.assert_allclose(ran[1], exact / exact.sum(1, keepdims=True), rtol=1e-5)


NAMES = r"""
struct Scale { float by, plus[2]; };
__constant__ float coefficients[4];
__device__ int counter, other[3];
extern __shared__ float dynamic[];
__shared__ int tally[8];
template <class T, int N> __global__ void scaled(T* y, T v, const T* none) { y[threadIdx.x] = none ? 0 : v * N; }
__global__ void with_struct(Scale s, float* y) {
  int gDim = gridDim.x, bIdx = blockIdx.x, T = 1, N = 2, min = 3;      // names that the headers must not use
  y[bIdx * blockDim.x + threadIdx.x] = s.by * threadIdx.x + s.plus[1] + gDim + 0 * (T + N + min);
}
__global__ void uses_file_scope(float* y) {
  if (threadIdx.x < 8) tally[threadIdx.x] = threadIdx.x;
  dynamic[threadIdx.x] = coefficients[threadIdx.x % 4];
  __syncthreads();
  y[threadIdx.x] = dynamic[31 - threadIdx.x] + tally[threadIdx.x % 8];
  atomicAdd(&counter, 1);
}
#define RUN(K, GRID, ...) K<<<GRID, \
                             32>>>(__VA_ARGS__)
static int calls = 0;
static int next() { return ++calls; }
__global__ void count(float* y, int n) { y[threadIdx.x] = n; }
extern "C" void main_entry(float* y, int* n) {
  float host[4] = {1, 2, 3, 4};
  cudaMemcpyToSymbol(coefficients, host, sizeof host);
  uses_file_scope<<<1, 32, 32 * sizeof(float)>>>(y);
  scaled<float, 3><<<dim3(1, 1), 32>>>(y + 32, 2.0f, NULL);
  RUN((scaled<float, 4>), 1, y + 64, 2.0f, (const float*)0);
  Scale s = {2.0f, {1.0f, 10.0f}};
  with_struct<<<2, 16>>>(s, y + 96);
  count<<<1, 32>>>(y + 128, next());
  float* q = y + 160;
  void* arguments[] = {&s, &q};
  cudaLaunchKernel((const void*)with_struct, dim3(2), dim3(16), arguments, 0, 0);
  cudaMemcpyFromSymbol(n, counter, sizeof(int));
  n[1] = calls;
}
"""


def test_symbols_structs_templates_and_forms_of_launch() -> None:
    y, n = run(NAMES, "main_entry", zeros(192), zeros(2, dtype="int32")).buffers
    lane = np.arange(32)
    np.testing.assert_array_equal(y[:32], np.array([1, 2, 3, 4])[(31 - lane) % 4] + lane % 8)
    assert (y[32:64] == 6).all()
    assert (y[64:96] == 8).all()
    np.testing.assert_array_equal(y[96:128], 2 * (lane % 16) + 10 + 2)
    assert (y[128:160] == 1).all()  # arguments are evaluated once
    np.testing.assert_array_equal(y[160:192], y[96:128])
    assert n.tolist() == [32, 1]


def test_three_dimensions_and_early_return() -> None:
    text = """
    __global__ void k(int* y, int n) {
      int i = ((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * (blockDim.x * blockDim.y * blockDim.z)
            + (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
      if (i >= n) return;
      y[i] = i;
    }"""
    y = run(text, "k", zeros(300, dtype="int32"), 300, grid=(2, 3, 2), block=(4, 3, 3))[0]
    np.testing.assert_array_equal(y, np.arange(300))


HOST = r"""
#include <cstdio>
#define CHECK(x) do { cudaError_t e = (x); if (e != cudaSuccess) { printf("%s\n", cudaGetErrorString(e)); return; } } while (0)
__global__ void k(float* p) { p[threadIdx.x] += 1; if (threadIdx.x == 0) printf("in block %d\n", blockIdx.x); }
extern "C" void host(float* y, int threads) {
  cudaStream_t s; cudaEvent_t a, b; float ms = -1, *m = nullptr, *h, *pitched; size_t pitch;
  CHECK(cudaStreamCreate(&s)); CHECK(cudaEventCreate(&a)); CHECK(cudaEventCreate(&b));
  CHECK(cudaMallocManaged(&m, 32 * sizeof(float))); CHECK(cudaMallocHost((void**)&h, 128));
  CHECK(cudaMemsetAsync(m, 0, 128, s));
  cudaEventRecord(a, s); k<<<1, threads, 0, s>>>(m); cudaEventRecord(b, s);
  cudaEventSynchronize(b); cudaEventElapsedTime(&ms, a, b);
  CHECK(cudaGetLastError());
  CHECK(cudaMemcpyAsync(h, m, 128, cudaMemcpyDefault, s)); CHECK(cudaStreamSynchronize(s));
  CHECK(cudaMallocPitch(&pitched, &pitch, 4 * sizeof(float), 3));
  CHECK(cudaMemcpy2D(pitched, pitch, h, 16, 16, 2, cudaMemcpyHostToDevice));
  CHECK(cudaMemcpy2D(y + 32, 16, pitched, pitch, 16, 2, cudaMemcpyDeviceToHost));
  for (int i = 0; i < 32; ++i) y[i] = h[i];
  cudaDeviceProp p; int v, n; cudaGetDeviceProperties(&p, 0); cudaGetDeviceCount(&n);
  cudaDeviceGetAttribute(&v, cudaDevAttrMultiProcessorCount, 0);
  y[40] = p.warpSize; y[41] = v == p.multiProcessorCount; y[42] = n; y[43] = ms >= 0;
  cudaFree(m); cudaFreeHost(h); cudaFree(pitched); cudaEventDestroy(a); cudaEventDestroy(b); cudaStreamDestroy(s);
}
"""


def test_host_api() -> None:
    ran = run(HOST, "host", zeros(44), 32)
    assert ran[0].tolist() == [1.0] * 40 + [32, 1, 1, 1]
    assert "in block 0" in ran.stdout


def test_a_launch_that_the_device_refuses_is_found_and_reported_by_the_api() -> None:
    ran = run(HOST, "host", zeros(44), 2048)
    assert ran.errors == ["launch"]
    assert "invalid configuration argument" in ran.stdout


def test_launch_bounds_are_kept() -> None:
    text = """
    #define MOST 64
    __global__ void __launch_bounds__(MOST, 2) k(float* y) { y[threadIdx.x] = 1; }
    extern "C" void entry(float* y, int n) { k<<<1, n>>>(y); }"""
    assert run(text, "entry", zeros(128), 64).errors == []
    assert run(text, "entry", zeros(128), 65).errors == ["launch"]


def test_a_shared_declaration_that_is_not_understood_does_not_build() -> None:
    text = "#define S(T) T __shared__\n#define D S(float) x[4]\n__global__ void k(float* y) { D; y[0] = x[0]; }"
    with pytest.raises(BuildError, match="__shared__"):
        run(text, "k", zeros(1), grid=(1, 1, 1), block=1)


def test_kernels_named_like_library_functions() -> None:
    text = """
    #include <cmath>
    __global__ void sin(const float* x, float* y, int n) { if (threadIdx.x < n) y[threadIdx.x] = std::sin(x[threadIdx.x]); }
    __global__ void max(float* y, float v) { y[threadIdx.x] = max(y[threadIdx.x], v); }
    extern "C" void entry(const float* x, float* y, int n) { sin<<<1, 32>>>(x, y, n); max<<<1, 32>>>(y, 0.5f); }"""
    x = normal(32)
    np.testing.assert_allclose(
        run(text, "entry", x, zeros(32), 32)[1], np.maximum(np.sin(x), 0.5), rtol=1e-6
    )


def test_the_c_librarys_headers_agree_with_ours() -> None:
    heads = "math.h stdlib.h string.h stdio.h stdint.h float.h limits.h time.h assert.h cmath cstdio cstdlib cstring "
    heads += "vector algorithm iostream limits utility string array functional chrono"
    text = "".join(f"#include <{h}>\n" for h in heads.split())
    text += "using namespace std;\n__global__ void k(float* y) { y[0] = fmaxf(M_PI, FLT_MAX) + min(1, 2) + exp(0.0f); }"
    for before in ("", "#include <cuda_runtime.h>\n#include <cuda_fp16.h>\n#include <mma.h>\n"):
        assert run(before + text, "k", zeros(1), grid=(1, 1, 1), block=1).errors == []


ROUND_TRIP = """
__global__ void k(float* y) { y[threadIdx.x * 2] = 1.f; }
extern "C" void f(float* y, float* z) {
  float* d;
  cudaMalloc(&d, 32);
  IN
  k<<<1, 4>>>(d);
  cudaMemcpy(TO, d, 32, cudaMemcpyDeviceToHost);
  cudaFree(d);
}
"""


@pytest.mark.parametrize(
    ("arrives", "leaves", "written"),
    [
        ("cudaMemcpy(d, y, 32, cudaMemcpyHostToDevice);", "y", [1, 0] * 4),
        ("cudaMemcpy(d, y, 32, cudaMemcpyHostToDevice);", "z", [1, 1] * 4),
        ("", "y", [1, 1] * 4),  # what was in the device's memory before
    ],
)
def test_what_comes_back_as_it_went_is_not_written(
    arrives: str, leaves: str, written: list[int]
) -> None:
    buffers = tuple(BufferArg(n, "float", "float32", 8, None) for n in "yz")
    call = Invocation("f", "function", buffers, (1, 1, 1), (1, 1, 1), 0)
    text = ROUND_TRIP.replace("IN", arrives).replace("TO", leaves)
    program = build(text, "cuda", call, checks=True, filename="unit.cu")
    made = execute(program, call)
    assert [int(x) for x in made.written[leaves]] == written


@pytest.mark.parametrize(
    ("copy", "kinds"),
    [
        ("cudaMemcpyToSymbol(table, x, 16);", []),
        (
            "void* p; cudaGetSymbolAddress(&p, table); cudaMemcpy(p, x, 16, cudaMemcpyHostToDevice);",
            [],
        ),
        ("cudaMemcpy(table, x, 16, cudaMemcpyHostToDevice);", ["wrong_space"]),
        (
            "cudaMemcpy(shared, x, 16, cudaMemcpyHostToDevice); cudaMemcpyToSymbol(table, shared, 16);",
            [],
        ),
    ],
)
def test_a_device_variable_has_no_address_in_host_code(copy: str, kinds: list[str]) -> None:
    text = """__constant__ float table[4];
    __managed__ float shared[4];
    __global__ void k(float* y) { y[threadIdx.x] = table[threadIdx.x]; }
    extern "C" void entry(const float* x, float* y) { COPY k<<<1, 4>>>(y); }"""
    found = run(text.replace("COPY", copy), "entry", normal(4), zeros(4))
    assert found.errors == kinds
