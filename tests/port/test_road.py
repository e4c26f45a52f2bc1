"""Port mode on the main road: what is verified, and when the ordinary road takes over."""

from pathlib import Path

from xpiler.pipeline import Options, translate

KERNELS = Path(__file__).parents[1] / "kernels"


def test_a_port_is_verified_and_keeps_the_text() -> None:
    text = (KERNELS / "softmax" / "warp_rows.cu").read_text(encoding="utf-8")
    done = translate(text, "warp_rows.cu", Options(target="hip", seed=1))
    assert done.verified, done.diagnostics
    assert [s.name for s in done.trace.steps if s.name in {"port", "loop recovery"}] == ["port"]
    assert done.text is not None
    same = set(text.splitlines()) & set(done.text.splitlines())
    assert len(same) > 0.7 * len(set(text.splitlines()))


def test_a_bare_kernel_runs_with_its_own_launch() -> None:
    path = KERNELS / "scan" / "compact_ballot.hip"
    from xpiler.verify.spec import load_sidecar

    options = Options(target="cuda", seed=1, spec=load_sidecar(path))
    done = translate(path.read_text(encoding="utf-8"), str(path), options)
    assert done.verified, done.diagnostics


def test_what_port_mode_cannot_carry_takes_the_ordinary_road() -> None:
    text = (
        "__device__ unsigned bits(unsigned v) {\n"
        '  unsigned r; asm("popc.b32 %0, %1;" : "=r"(r) : "r"(v)); return r;\n}\n'
        "__global__ void count(const unsigned* x, unsigned* y, int n) {\n"
        "  int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) y[i] = bits(x[i]);\n}\n"
        'extern "C" void run(const unsigned* x, unsigned* y, int n) {\n'
        "  unsigned *a, *b; cudaMalloc(&a, 4 * n); cudaMalloc(&b, 4 * n);\n"
        "  cudaMemcpy(a, x, 4 * n, cudaMemcpyHostToDevice);\n"
        "  count<<<(n + 63) / 64, 64>>>(a, b, n);\n"
        "  cudaMemcpy(y, b, 4 * n, cudaMemcpyDeviceToHost); cudaFree(a); cudaFree(b);\n}\n"
    )
    done = translate(text, "count.cu", Options(target="hip", seed=1))
    names = [s.name for s in done.trace.steps]
    assert names.index("port") < names.index("loop recovery")
    codes = {d.code for d in done.diagnostics}
    assert ("XP1007" in codes and done.verified) or "XP1004" in codes


def test_a_text_that_cannot_be_read_is_ported_and_not_verified() -> None:
    text = "#include <cuda_runtime.h>\n#include <odd.h>\nint f(Odd o) { return cudaSuccess; }\n"
    done = translate(text, "a.cu", Options(target="hip", seed=1))
    assert done.text == text.replace("cuda_runtime.h", "hip/hip_runtime.h").replace(
        "cudaSuccess", "hipSuccess"
    )
    assert not done.verified
