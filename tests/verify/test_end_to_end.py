"""The whole verifier on real texts: CUDA on its emulator against C, right and wrong."""

from __future__ import annotations

import pytest

from xpiler.host.sandbox import capabilities
from xpiler.verify.executor import EmulatorExecutor
from xpiler.verify.inputs import BufferSpec
from xpiler.verify.invocation import ScalarArg
from xpiler.verify.runner import Unit
from xpiler.verify.verdict import Verdict
from xpiler.verify.verifier import Entry, Options, VerifyCase, verify

pytestmark = pytest.mark.skipif(not capabilities().isolated, reason=capabilities().reason)

ROWS, WIDTH = 6, 70
SOURCE = Unit(
    """__global__ void scaled_sums(const float* x, float* y, float scale, int width) {
    __shared__ float part[32];
    float sum = 0.0f;
    for (int i = threadIdx.x; i < width; i += 32) sum += x[blockIdx.x * width + i];
    part[threadIdx.x] = sum;
    __syncthreads();
    for (int step = 16; step > 0; step /= 2) {
        if (threadIdx.x < step) part[threadIdx.x] += part[threadIdx.x + step];
        __syncthreads();
    }
    if (threadIdx.x == 0) y[blockIdx.x] = scale * part[0];
}
""",
    "cuda",
    filename="sums.cu",
)
TARGET = """void scaled_sums(const float *x, float *y, float scale, int width) {
    for (int row = 0; row < 6; row++) {
        float sum = 0.0f;
        for (int i = 0; i < width; i++) sum += x[row * width + i];
        y[row] = scale * sum;
    }
}
"""
CASE = VerifyCase(
    (
        BufferSpec("x", "f32", "float32", ROWS * WIDTH),
        BufferSpec("y", "f32", "float32", ROWS, "out"),
        ScalarArg("f32", 0.5),
        ScalarArg("i32", WIDTH),
    ),
    Entry("scaled_sums", "kernel", (ROWS, 1, 1), (32, 1, 1)),
    Entry("scaled_sums"),
)


def verdict(target: str, source: Unit = SOURCE) -> Verdict:
    with EmulatorExecutor() as executor:
        unit = Unit(target, "c", filename="sums.c")
        return verify(source, unit, [CASE], executor=executor, options=Options(seed=11))


def test_a_right_translation() -> None:
    found = verdict(TARGET)
    assert found.ok, found.render()
    assert found.runs == 7
    assert found.exact_runs == 2


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("i < width", "i < width - 1"),
        ("i < width", "i <= width"),
        ("row < 6", "row < 5"),
        ("row * width + i", "i * 6 + row"),
        ("float sum", "_Float16 sum"),
        ("scale * sum", "scale * sum + 1e-5f"),
        ("float sum = 0.0f", "float sum"),
        ("y[row] = ", "y[row + 1] = "),
        ("i++) sum", "i += i == 63 ? 7 : 1) sum"),
    ],
)
def test_wrong_translations(right: str, wrong: str) -> None:
    assert right in TARGET
    found = verdict(TARGET.replace(right, wrong, 1))
    assert found.outcome == "wrong", found.render()


def test_a_source_with_a_race() -> None:
    text = SOURCE.text.replace("__syncthreads();\n    }", "}")
    found = verdict(TARGET, Unit(text, "cuda", filename="sums.cu"))
    assert found.outcome == "unsound_source", found.render()
    assert found.findings


def test_a_translation_that_does_not_build() -> None:
    found = verdict(TARGET.replace("sum", "missing", 1).replace("float missing", "float sum_"))
    assert (found.outcome, found.code) == ("unverified", "XP0708")
    assert "sum" in found.reason


GELU = Unit(
    """__global__ void gelu(const float* x, float* y, int n) {
    int i = blockIdx.x * 64 + threadIdx.x;
    if (i < n) y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678f));
}
""",
    "cuda",
    filename="gelu.cu",
)
GELU_CASE = VerifyCase(
    (
        BufferSpec("x", "f32", "float32", 4000, bounds=(-7.0, 3.0)),
        BufferSpec("y", "f32", "float32", 4000, "out"),
        ScalarArg("i32", 4000),
    ),
    Entry("gelu", "kernel", (63, 1, 1), (64, 1, 1)),
    Entry("gelu"),
)


@pytest.mark.parametrize(
    ("formula", "right"),
    [
        ("0.5f * x[i] * erfcf(x[i] * -0.70710678f)", True),  # keeps what the source loses
        ("0.5f * x[i] * (1.0f + erff(x[i] * 0.7071f))", False),
        ("0.5f * x[i] * erfcf(x[i] * -0.70710678f) - 1e-4f", False),
    ],
)
def test_what_the_source_loses_to_rounding_may_differ(formula: str, right: bool) -> None:
    text = f"""#include <math.h>
void gelu(const float *x, float *y, int n) {{ for (int i = 0; i < n; i++) y[i] = {formula}; }}
"""
    with EmulatorExecutor() as executor:
        unit = Unit(text, "c", filename="gelu.c")
        found = verify(GELU, unit, [GELU_CASE], executor=executor, options=Options(seed=11))
    assert found.ok == right, found.render()
    assert any("loses digits" in note for note in found.notes) == right


LARGEST = Unit(
    """__global__ void largest(const float* x, float* y, int n) {
    __shared__ float part[32];
    float best = -INFINITY;
    for (int i = threadIdx.x; i < n; i += 32) best = fmaxf(best, x[i]);
    part[threadIdx.x] = best;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int k = 1; k < 32; k++) best = fmaxf(best, part[k]);
        y[0] = best;
    }
}
""",
    "cuda",
    filename="largest.cu",
)
LARGEST_CASE = VerifyCase(
    (
        BufferSpec("x", "f32", "float32", 900),
        BufferSpec("y", "f32", "float32", 1, "out"),
        ScalarArg("i32", 900),
    ),
    Entry("largest", "kernel", (1, 1, 1), (32, 1, 1)),
    Entry("largest"),
)


@pytest.mark.parametrize(
    ("step", "right"), [("i++", True), ("i += i < 600 && i % 5 == 3 ? 2 : 1", False)]
)
def test_a_maximum_over_too_little(step: str, right: bool) -> None:
    text = f"""#include <math.h>
void largest(const float *x, float *y, int n) {{
    float best = -INFINITY;
    for (int i = 0; i < n; {step}) best = fmaxf(best, x[i]);
    y[0] = best;
}}
"""
    with EmulatorExecutor() as executor:
        unit = Unit(text, "c", filename="largest.c")
        found = verify(LARGEST, unit, [LARGEST_CASE], executor=executor, options=Options(seed=11))
    assert found.ok == right, found.render()


ANY_LARGEST = Unit(
    """#include <cuda_runtime.h>
__global__ void largest(const TYPE* x, TYPE* y, int n) {
    __shared__ TYPE part[32];
    TYPE best = x[0];
    for (int i = threadIdx.x; i < n; i += 32) best = x[i] > best ? x[i] : best;
    part[threadIdx.x] = best;
    __syncthreads();
    for (int t = 0; t < 32; t++) best = part[t] > best ? part[t] : best;
    if (threadIdx.x == 0) *y = best;
}
void run(const TYPE* x, TYPE* y, int n) {
    TYPE *dx, *dy;
    cudaMalloc(&dx, n * sizeof(TYPE));
    cudaMalloc(&dy, sizeof(TYPE));
    cudaMemcpy(dx, x, n * sizeof(TYPE), cudaMemcpyHostToDevice);
    largest<<<1, 32>>>(dx, dy, n);
    cudaMemcpy(y, dy, sizeof(TYPE), cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dy);
}
""",
    "cuda",
    filename="largest.cu",
)
ONE_LARGEST = """void run(const TYPE *x, TYPE *y, int n) {
    TYPE best = x[0];
    for (int i = 1; i < n; i++)
        if (i != LEFT_OUT && x[i] > best)
            best = x[i];
    *y = best;
}
"""


@pytest.mark.parametrize("kind", ["float", "int", "unsigned char"])
@pytest.mark.parametrize("left_out", [-1, 1777])
def test_a_maximum_that_never_looks_at_one_input_is_wrong(kind: str, left_out: int) -> None:
    dtype = {"float": "float32", "int": "int32", "unsigned char": "uint8"}[kind]
    source = Unit(ANY_LARGEST.text.replace("TYPE", kind), "cuda", filename="largest.cu")
    text = ONE_LARGEST.replace("TYPE", kind).replace("LEFT_OUT", str(left_out))
    args = (
        BufferSpec("x", kind, dtype, 3001),
        BufferSpec("y", kind, dtype, 1, "out"),
        ScalarArg("int", 3001),
    )
    case = VerifyCase(args, Entry("run"), Entry("run"))
    with EmulatorExecutor() as executor:
        units = source, Unit(text, "c", filename="largest.c")
        found = verify(*units, [case], executor=executor, options=Options(seed=5))
    assert found.ok == (left_out < 0), found.render()


@pytest.mark.parametrize("guessed", [True, False])
def test_what_lies_behind_the_reach_of_the_source_is_not_there_by_a_guess(guessed: bool) -> None:
    copy = "void copy(const float *x, float *y, int n) { LOOP y[i] = x[i]; }"
    loop = "for (int i = 0; i < n; i++)"
    source = Unit(copy.replace("LOOP", loop), "c", filename="copy.c")
    reads_on = copy.replace(
        "LOOP", "float rest = 0; for (int i = 0; i < 4; i++) rest += x[n + i];" + loop
    )
    target = Unit(reads_on.replace("= x[i];", "= x[i] + 0 * rest;"), "c", filename="on.c")
    args = (
        BufferSpec("x", "f32", "float32", 96, bounds=(-2, 2), guessed=guessed),
        BufferSpec("y", "f32", "float32", 64, "out", guessed=guessed),
        ScalarArg("i32", 64),
    )
    case = VerifyCase(args, Entry("copy"), Entry("copy"))
    with EmulatorExecutor() as executor:
        found = verify(source, target, [case], executor=executor, options=Options(seed=5))
    assert found.ok == (not guessed), found.render()


def test_where_data_decides_how_far_the_source_reaches_it_may_reach_all_of_a_buffer() -> None:
    text = "void keep(const float *x, const float *g, float *y, int n) { LOOP }"
    loop = "for (int i = 0; i < n; i++)"
    some = text.replace("LOOP", f"{loop} y[i] = x[i] > 0 && i % 8 == 0 ? g[i] : 0;")
    whole = text.replace(
        "LOOP", f"{loop} {{ float v = g[i]; y[i] = x[i] > 0 && i % 8 == 0 ? v : 0 * v; }}"
    )
    args = (
        BufferSpec("x", "f32", "float32", 64, bounds=(-2, 2), guessed=True),
        BufferSpec("g", "f32", "float32", 64, bounds=(-2, 2), guessed=True),
        BufferSpec("y", "f32", "float32", 64, "out", guessed=True),
        ScalarArg("i32", 64),
    )
    case = VerifyCase(args, Entry("keep"), Entry("keep"))
    units = Unit(some, "c", filename="some.c"), Unit(whole, "c", filename="whole.c")
    with EmulatorExecutor() as executor:
        found = verify(*units, [case], executor=executor, options=Options(seed=5))
    assert found.ok, found.render()
