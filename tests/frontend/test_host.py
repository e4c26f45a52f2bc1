"""Host code: memory calls, launches, error checks, and what is left out."""

from __future__ import annotations

from front_texts import function, lines, program, result

from xpiler.ir.stmt import Instr
from xpiler.ir.types import I8, Pointer

KERNEL = "__global__ void k(float* a, int n) { a[0] = n; }\n"


def test_error_checks_fold_away() -> None:
    text = (
        """
        #include <cstdio>
        #include <cstdlib>
        #define CHECK(call) do { cudaError_t e = (call); if (e != cudaSuccess) { \\
            fprintf(stderr, "%s\\n", cudaGetErrorString(e)); exit(1); } } while (0)
        inline void ok(cudaError_t code, const char* file, int line) {
          if (code != cudaSuccess) { fprintf(stderr, "%s %d", file, line); exit(1); }
        }
        """
        + KERNEL
        + """
        int run(float* h, int n) {
          float* d;
          CHECK(cudaMalloc((void**)&d, n * sizeof(float)));
          ok(cudaMemcpy(d, h, n * sizeof(float), cudaMemcpyHostToDevice), __FILE__, __LINE__);
          dim3 block(128), grid((n + block.x - 1) / block.x, 2);
          k<<<grid, block, 64, 0>>>(d, n);
          if (cudaGetLastError() != cudaSuccess) return 1;
          CHECK(cudaDeviceSynchronize());
          cudaError_t status = cudaFree(d);
          return status == cudaSuccess ? 0 : 2;
        }
        """
    )
    assert function(text, "run") == lines("""
        host run(h: f32*, n: i32) -> i32
          d: f32*
          d <- host.alloc((u64(n) * sizeof(float)))
          host.copy(d, h, (u64(n) * sizeof(float))) kind=h2d
          block: u32x3 = u32x3{128, 1, 1}
          grid: u32x3 = u32x3{(((u32(n) + block.x) - 1) / block.x), 2, 1}
          launch k<grid.x, grid.y, grid.z | block.x, block.y, block.z, 64 B>(d, n)
          host.none() call=cudaGetLastError
          host.sync()
          host.free(d)
          return 0
    """)


def test_launch_by_function_call() -> None:
    text = (
        KERNEL
        + """
        void run(float* d, int n) {
          void* args[] = {&d, &n};
          cudaLaunchKernel((void*)k, dim3(n), dim3(32), args, 0, 0);
        }
    """
    )
    assert "launch k<u32(n), 1, 1 | 32, 1, 1>(d, n)" in function(text, "run")


def test_hip_launch_macro_and_template() -> None:
    text = """
        template <typename T> __global__ void k(T* a, T v) { a[0] = v; }
        void run(double* d, hipStream_t s) {
          hipLaunchKernelGGL((k<double>), dim3(2), dim3(64), 0, s, d, 1.0);
        }
    """
    assert "launch k_double<2, 1, 1 | 64, 1, 1>(d, 1.0)" in function(text, "run", "hip")


def test_symbols_streams_events_and_properties() -> None:
    text = """
        __constant__ float c[4];
        __global__ void k(float* a) { a[0] = c[1]; }
        float run(float* d, const float* h) {
          cudaMemcpyToSymbol(c, h, sizeof(c));
          cudaStream_t s; cudaStreamCreate(&s);
          cudaEvent_t b, e; cudaEventCreate(&b); cudaEventRecord(b, s);
          cudaDeviceProp p; cudaGetDeviceProperties(&p, 0);
          k<<<p.warpSize, 32, 0, s>>>(d);
          float ms; cudaEventElapsedTime(&ms, b, e);
          return ms;
        }
    """
    got = function(text, "run")
    assert "host.to_symbol(&c, h, 16, 0)" in got
    assert "launch k<32, 1, 1 | 32, 1, 1>(d)" in got
    assert "return ms" in got


def test_host_functions_that_cannot_be_expressed_are_left_out_whole() -> None:
    found = result(
        """
        #include <vector>
        #include <iostream>
        """
        + KERNEL
        + """
        void run(float* d, int n) { k<<<1, 1>>>(d, n); std::cout << "done" << std::endl; }
        int main() { std::vector<float> v; v.push_back(1.0f); k<<<1, 1>>>(v.data(), 3); }
        """
    )
    assert [f.name for f in found.program.functions] == ["k", "run"]
    assert [(d.code, d.severity) for d in found.diagnostics] == [
        ("XP0211", "note"), ("XP0205", "warning"),
    ]  # fmt: skip
    left = found.program.function("run").body[-1]
    assert getattr(left, "essential", True) is False


def test_vectors_are_a_pointer_and_a_size_and_are_freed() -> None:
    text = """
        #include <vector>
        #include <numeric>
        float run(const float* x, size_t n) {
          std::vector<float> part(n);
          if (n == 0) return 0.0f;
          for (auto& p : part) p = x[0];
          return std::accumulate(part.begin(), part.end(), 0.0f) + part[0];
        }
    """
    got = function(text, "run")
    assert "host.alloc((n * 4)) kind=host" in got
    assert got.count("host.free(") == 2
    assert got.endswith("host.free(part) kind=host\n  return result\n")


def test_host_memory() -> None:
    text = """
        void run(float* out, int n) {
          float* h = (float*)malloc(n * sizeof(float));
          float* g = new float[n];
          for (int i = 0; i < n; i++) h[i] = g[i] = 0.0f;
          memcpy(out, h, n * sizeof(float));
          free(h);
          delete[] g;
        }
    """
    got = function(text, "run")
    assert "host.alloc((u64(n) * sizeof(float))) kind=host" in got
    assert "host.free(g) kind=host" in got


def test_program_is_well_formed_without_the_left_out_kernel() -> None:
    assert program(KERNEL).function("k").role == "kernel"


def test_a_launch_with_too_few_arguments_is_left_out() -> None:
    found = result("""
        __global__ void k(float* a, unknown b) { a[0] = 1; }
        void run(float* d) { k<<<1, 1>>>(d); }
    """)
    assert "run" not in [f.name for f in found.program.functions]
    assert any("takes 2 arguments, but this launch gives 1" in d.message for d in found.diagnostics)


def test_a_left_out_host_function_still_instantiates_its_kernels() -> None:
    found = result("""
        #include <vector>
        template <int N> __global__ void k(float* a) { a[0] = N; }
        void run(const std::vector<float>& v, float* d) { k<3><<<1, 1>>>(d); }
    """)
    assert [f.name for f in found.program.functions] == ["k_3"]
    assert [d.code for d in found.diagnostics] == ["XP0205"]


def test_one_of_two_strings_of_one_length_is_a_pointer() -> None:
    text = '#include <cstdio>\nvoid say(int n) { puts(n ? "bad" : "fit"); }\n'
    found = program(KERNEL + "void go(float* a) { k<<<1, 1>>>(a, 1); }\n" + text)
    (said,) = found.function("say").body
    assert isinstance(said, Instr)
    assert said.ins[0].type == Pointer(I8, True)


def test_calls_that_prepare_the_device_do_nothing() -> None:
    text = """void go(float* a, int n) {
      int least, greatest;
      cudaSetDeviceFlags(cudaDeviceScheduleBlockingSync);
      cudaDeviceSetSharedMemConfig(cudaSharedMemBankSizeEightByte);
      cudaDeviceGetStreamPriorityRange(&least, &greatest);
      if (cudaHostRegister(a, n, cudaHostRegisterPortable) == cudaErrorHostMemoryAlreadyRegistered)
        return;
      k<<<1, 1>>>(a, n);
      if (cudaGetLastError() == cudaErrorMisalignedAddress) return;
      cudaHostUnregister(a);
    }
    """
    told = [line.strip() for line in function(KERNEL + text, "go").splitlines()[1:]]
    left = [x for x in told if not x.startswith(("host.none()", "least", "greatest"))]
    assert left == ["launch k<1, 1, 1 | 1, 1, 1>(a, n)"]
