"""The main road end to end: text in, text and verdict out."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpiler.bench import expectation
from xpiler.pipeline import Options, Translation, translate
from xpiler.verify.execution import build
from xpiler.verify.invocation import Invocation
from xpiler.verify.spec import load_sidecar

HERE = Path(__file__).parent
SMOKE = (
    "gemm/tiled.cu", "softmax/warp_rows.cu", "layer_norm/half2_warp.cu", "scan/blelloch.cu",
    "gemm/mfma_f32.hip", "concat/fixed_select.hip", "embedding/token_position.cu",
    "self_attention/flash_wave.hip", "unsound/missing_sync_reduce.cu",
    "unsound/uninitialised_device.hip",
)  # fmt: skip


def run(text: str, file: str = "kernel.cu", **options: object) -> Translation:
    wanted: dict[str, object] = {"target": "c", "seed": 3} | options
    return translate(text, file, Options(**wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SMOKE)
def test_our_kernels_come_out_as_expected(name: str) -> None:
    path = HERE / "kernels" / name
    result = run(path.read_text(), str(path), spec=load_sidecar(path))
    assert result.verdict is not None, [d.render() for d in result.diagnostics]
    assert result.verdict.outcome == expectation(path, "c"), result.verdict.render()
    assert result.text is not None
    main = Invocation("main", "main", ())
    with_main = result.text + "\nint main(void) { return 0; }\n"
    built = build(with_main, "c", main, filename="translation")
    assert built.warnings == (), "clean under -Wall -Wextra"


def test_buffers_that_are_swapped_keep_their_own_memory() -> None:
    result = run("""
__global__ void step(const float* u, float* v, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) v[i] = 0.5f * (u[i] + u[n - 1 - i]);
}
extern "C" void iterate(float* x, int n, int steps) {
    float *a, *b;
    cudaMalloc(&a, n * sizeof(float));
    cudaMalloc(&b, n * sizeof(float));
    cudaMemcpy(a, x, n * sizeof(float), cudaMemcpyHostToDevice);
    for (int s = 0; s < steps; ++s) {
        step<<<(n + 63) / 64, 64>>>(a, b, n);
        float* t = a; a = b; b = t;
    }
    cudaMemcpy(x, a, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
}""")
    assert result.verified, [d.render() for d in result.diagnostics]


def test_a_sum_that_a_loop_changes_is_not_forwarded_as_its_first_value() -> None:
    result = run("""
__global__ void partial(const double* in, double* out, size_t n) {
    __shared__ double s[64];
    double v = 0.0;
    for (size_t i = blockIdx.x * 64 + threadIdx.x; i < n; i += gridDim.x * 64) v += in[i];
    s[threadIdx.x] = v;
    __syncthreads();
    if (threadIdx.x < 8) {
        double t = 0.0;
        for (int k = 0; k < 8; ++k) t += s[threadIdx.x * 8 + k];
        out[blockIdx.x * 8 + threadIdx.x] = t;
    }
}""")
    assert result.verified, [d.render() for d in result.diagnostics]
    assert "grid_x" in (result.text or ""), "a grid that nothing decides is the caller's"


def test_what_is_not_understood_is_left_out_and_the_rest_translated() -> None:
    result = run("""
#include <cuda_runtime.h>
texture<float, 1> weights;
__global__ void good(float* x, int n) { int i = threadIdx.x; if (i < n) x[i] *= 2.0f; }
__global__ void bad(float* x) { x[threadIdx.x] = tex1Dfetch(weights, threadIdx.x); }
""")
    assert result.text is not None
    assert "void good(" in result.text
    assert result.partial
    assert all(d.loc is not None for d in result.errors[:1])


def test_trace_holds_every_step_and_replays() -> None:
    text = (HERE.parent / "examples" / "vector_add.cu").read_text()
    first, again = run(text, verify=False), run(text, verify=False)
    assert first.text == again.text
    names = [s.name for s in first.trace.steps]
    assert names[:2] == ["read", "plan"]
    assert {"loop recovery", "clean-up", "write"} <= set(names)
    assert first.trace.steps[-1].after == first.text


def test_a_pass_that_gives_up_is_in_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LookupError("no such loop")

    monkeypatch.setattr("xpiler.passes.cleanup.guards.Guards.apply", fail)
    result = run(
        """
__global__ void twice(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * x[i];
}
void run(const float* x, float* y, int n) { twice<<<(n + 63) / 64, 64>>>(x, y, n); }""",
        verify=False,
    )
    step = next(st for st in result.trace.steps if st.name == "clean-up")
    assert "guards gave up: LookupError: no such loop" in step.checks["left as it was"]
    assert result.text is not None
    assert not result.errors


def test_a_struct_of_pointers_and_sizes_by_value() -> None:
    result = run("""
struct Job { const float* x; float* y; int rows, cols, mean; };
__global__ void sums(Job job) {
    int row = blockIdx.x * 64 + threadIdx.x;
    if (row >= job.rows) return;
    float sum = 0;
    for (int i = 0; i < job.cols; i++) sum += job.x[row * job.cols + i];
    job.y[row] = job.mean == 1 ? sum / job.cols : sum;
}""")
    assert result.verified, [d.render() for d in result.diagnostics]
    assert result.verdict is not None
    assert any("job.mean=1" in a for a in result.verdict.assumptions), "both ways were tried"


def test_what_the_target_cannot_hold_is_told_as_not_translated() -> None:
    """Of two overloads the one computes in double, which the cores do not have."""
    kernel = "template <class T> __global__ void k(T* x, T s) { x[threadIdx.x] *= s; }\n"
    wrapper = "void scale({0}* x, {0} s) {{ k<<<1, 64>>>(x, s); }}\n"
    made = run(kernel + wrapper.format("float") + wrapper.format("double"), target="bang")
    assert made.verdict is not None
    assert made.verdict.outcome == "unverified"
    assert made.verdict.reason == "scale_2 could not be translated"
    assert "XP1202" in {d.code for d in made.diagnostics}


LEAST = """
#include <bang.h>
__nram__ float image[16384], pooled[4096];
__mlu_entry__ void least(const float* x, float* y, int n, int h, int w, int c) {
  const int out = (h / 2) * (w / 2) * c;
  for (int i = taskId; i < n; i += taskDim) {
    __memcpy(image, x + i * h * w * c, h * w * c * sizeof(float), GDRAM2NRAM);
    __bang_minpool(pooled, image, c, h, w, 2, 2, 2, 2);
    __memcpy(y + i * out, pooled, out * sizeof(float), NRAM2GDRAM);
  }
}
"""


def test_buffers_have_extents_that_fit_all_sizes_that_are_tried() -> None:
    done = translate(LEAST, "k.mlu", Options("hip", seed=5))
    assert done.verified, [d.render() for d in done.diagnostics]


def test_functions_that_are_called_as_neutral_ones_are_the_users() -> None:
    result = run(
        """
static int max(int a, int b) { return a < b ? a : b - 1; }
static void rotate(float *a, float by) { *a = by - *a; }
void saturate(const int *x, const float *z, int *y, float *w, int n)
{
    for (int i = 0; i < n; i++) {
        y[i] = max(x[i], 3);
        for (int k = 0; k < 4; k++) {
            if (w[i] < z[i]) break;
            rotate(&w[i], z[i]);
        }
    }
}
""",
        "own.c", target="cuda",
    )  # fmt: skip
    assert result.verdict is not None
    assert result.verdict.outcome == "verified", result.verdict.render()
    assert result.text is not None
    assert 'extern "C" void saturate(' in result.text


def test_a_function_that_had_to_be_renamed_is_run_by_its_new_name() -> None:
    result = run("void class(float *y, int n) { for (int i = 0; i < n; i++) y[i] *= 2.0f; }",
                 "renamed.c", target="cuda")  # fmt: skip
    assert [d.code for d in result.diagnostics if d.code == "XP0611"] == ["XP0611"]
    assert result.verdict is not None
    assert result.verdict.outcome == "verified", result.verdict.render()
