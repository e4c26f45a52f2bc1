"""No source is called unsound because of sizes or launch shapes that were guessed."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, Translation, translate
from xpiler.verify.spec import Spec, parse_spec


def run(text: str, spec: Spec | None = None) -> Translation:
    options = Options(target="c", seed=5, spec=spec or Spec())
    return translate(text, "k.cu", options)


def outcome(text: str, spec: Spec | None = None) -> str:
    result = run(text, spec)
    assert result.verdict is not None, [d.render() for d in result.diagnostics]
    return result.verdict.outcome


RACE = """
__global__ void turned(const float* x, float* y) {
    __shared__ float s[96];
    s[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = s[95 - threadIdx.x];
}
"""


def test_a_lone_kernel_that_fails_under_every_guess_is_not_unsound() -> None:
    result = run(RACE)
    assert result.verdict is not None
    assert (result.verdict.outcome, result.verdict.code) == ("unverified", "XP0709")
    assert "race" in result.verdict.reason
    (told,) = {d.help for d in result.diagnostics if d.code == "XP0709" and d.help}
    assert "--block" in told


def test_with_its_launch_given_the_same_kernel_is_unsound() -> None:
    spec = parse_spec({"launch": {"grid": [1, 1, 1], "block": [96, 1, 1]}})
    assert outcome(RACE, spec) == "unsound_source"


def test_a_race_that_shows_whatever_the_block_is_the_sources_own() -> None:
    text = """
    __global__ void total(const float* x, float* out, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) out[0] += x[i];
    }"""
    assert outcome(text) == "unsound_source"


def test_another_block_is_taken_where_the_first_guess_races() -> None:
    result = run("""
    __global__ void pairs(const float* x, float* y, int n) {
        __shared__ float s[128];
        int t = threadIdx.x & 63, i = blockIdx.x * blockDim.x + threadIdx.x;
        s[t * 2] = i < n ? x[i] : 0;
        s[t * 2 + 1] = i < n ? 2 * x[i] : 0;
        __syncthreads();
        if (i < n) y[i] = s[127 - t * 2];
    }""")
    assert result.verified, result.verdict and result.verdict.render()


RAGGED = """
__global__ void scaled(float* x, const int* first, const float* by) {
    int lo = first[blockIdx.x], hi = END;
    for (int i = lo + threadIdx.x; i < hi; i += blockDim.x)
        x[i] = 1.5f * x[i] + by[blockIdx.x];
}
void run(float* x, const int* first, const float* by, int rows) {
    scaled<<<rows, 64>>>(x, first, by);
}
"""


def test_rows_that_lie_between_neighbouring_offsets_do_not_overlap() -> None:
    result = run(RAGGED.replace("END", "first[blockIdx.x + 1]"))
    assert result.verdict is not None
    assert result.verdict.ok, result.verdict.render()
    assert any("first are taken to rise" in d.message for d in result.diagnostics)
    fixed = RAGGED.replace("END", "first[blockIdx.x] + 64")
    assert outcome(fixed) in ("verified", "unverified")
    assert not any("taken to rise" in d.message for d in run(fixed).diagnostics)


def test_no_small_size_hides_a_race_between_blocks() -> None:
    text = """
    __global__ void total(const float* x, float* out, int n) {
        if (threadIdx.x) return;
        float s = 0;
        for (int i = 0; i < 64; ++i) if (blockIdx.x * 64 + i < n) s += x[blockIdx.x * 64 + i];
        *out += s;
    }
    extern "C" void sum(const float* x, float* out, int n) {
        total<<<(n + 63) / 64, 64>>>(x, out, n);
    }"""
    assert outcome(text) == "unsound_source"


def test_sizes_under_which_outputs_depend_on_inputs_are_found() -> None:
    result = run("""
    struct Shape { int width, taps, stride, pad, length; };
    __global__ void k(const float* x, const float* w, float* y, Shape s) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= s.length) return;
        float sum = 0;
        for (int t = 0; t < s.taps; ++t) {
            int at = i * s.stride - s.pad * s.stride * 3 + t;
            if (at >= 0 && at < s.width) sum += x[at] * w[t];
        }
        y[i] = sum;
    }""")
    assert result.verified, result.verdict and result.verdict.render()


@pytest.mark.parametrize("code", ["exit(3)", "abort()"])
def test_a_host_function_that_ends_with_all_sizes_is_not_unsound(code: str) -> None:
    text = f"""#include <stdlib.h>
    __global__ void k(const float* x, float* y, int n) {{
        if (threadIdx.x < n) y[threadIdx.x] = x[threadIdx.x];
    }}
    extern "C" void op(const float* x, float* y, int n, int m) {{
        if (n * n + m * m * m != 1234567) {code};
        k<<<1, 64>>>(x, y, n);
    }}"""
    assert outcome(text) == "unverified"


def test_weights_that_nothing_fills_are_named() -> None:
    result = run("""
    __constant__ float taps[5];
    __constant__ float scales[2] = {1.0f, 2.0f};
    __global__ void k(const float* x, float* y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = x[i] * taps[i % 5] * scales[i & 1];
    }""")
    assert result.verdict is not None
    assert result.verdict.outcome == "unverified"
    assert result.verdict.reason.endswith("fills taps")


def test_that_terms_are_zeros_is_part_of_the_verdict() -> None:
    result = run("""
    __constant__ float taps[5];
    __device__ int calls;
    __global__ void k(const float* x, float* y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i == 0) atomicAdd(&calls, 1);
        if (i < n) y[i] = x[i] + taps[i % 5];
    }""")
    assert result.verdict is not None
    assert result.verified
    assert next(a for a in result.verdict.assumptions if "zeros" in a).startswith("taps: ")


def test_windows_that_lie_beside_the_image_say_nothing() -> None:
    text = """
    __global__ void least(const float* x, float* y, int n, int m, int k) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= m) return;
        float best = 1.0f / 0.0f;
        int from = i * k, to = from + k;
        for (int j = from; j < (to > n ? n : to); j++)
            best = x[j] < best ? x[j] : best;
        y[i] = best;
    }
    """
    assert outcome(text) == "verified"


def test_structs_of_numbers_of_one_type_make_a_buffer() -> None:
    text = """
    struct Pair { float value, weight; };
    __global__ void weigh(const Pair* p, float* y, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = p[i].value * p[i].weight;
    }
    """
    assert outcome(text) == "verified"
    assert outcome(text.replace("float value", "double value; float")) == "unverified"


ELEMENTS = """void op(const int* x, const int* a, const int* b, int* y, int n) {
    for (int i = 0; i < n; i++) y[i] = %s;
}"""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("x[i] / a[i]", "no zeros in a"),
        ("b[i] != 0 ? x[i] % a[i] : a[i]", "no zeros in a"),
        ("x[i] / (2 * a[i])", "taken from [1, 100]"),
        ("(int)((long long)x[i] * a[i] / (1LL << 31))", "are large"),
        ("(int)((long long)(x[i] + a[i]) * m / (1LL << 31))", "m is 1518500250"),
    ],
)
def test_integers_in_buffers_are_such_as_the_source_runs_with(value: str, told: str) -> None:
    more = "int n, int m)" if "* m" in value else "int n)"
    result = of_c((ELEMENTS % value).replace("int n)", more))
    assert result.verdict is not None
    assert result.verdict.outcome == "verified", result.verdict.reason
    said = [d.message for d in result.diagnostics if d.code == "XP0308"]
    assert any(told in text for text in (*said, *result.verdict.assumptions))


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("x[i] >> (a[i] * 3 + b[i] * 5 - 997)", ("unverified", "XP0709")),
        ("x[i] >> (32 + (i & 3))", ("unsound_source", "XP0702")),
        ("x[i] / (n - n)", ("unsound_source", "XP0702")),
    ],
)
def test_only_what_no_integers_help_against_is_the_sources_own_fault(
    value: str, outcome: tuple[str, str]
) -> None:
    verdict = of_c(ELEMENTS % value).verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.code) == outcome


def of_c(text: str) -> Translation:
    return translate(text, "k.c", Options(target="cuda", seed=5))
