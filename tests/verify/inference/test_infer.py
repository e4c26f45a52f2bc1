"""Sizes, extents and launch shapes that the text does not say."""

from __future__ import annotations

import pytest

from xpiler.analysis import fit
from xpiler.diagnostics import XpilerError
from xpiler.frontend import read
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.text import show
from xpiler.passes.lowering.simt.elements import quotients
from xpiler.platforms.registry import platform
from xpiler.verify.inference import statements
from xpiler.verify.inference.infer import further_for, infer
from xpiler.verify.inference.machine import Machine
from xpiler.verify.inference.measured import Measured
from xpiler.verify.inference.plan import Case, EntryPlan
from xpiler.verify.spec import Spec, parse_spec

WRAPPER = """
extern "C" void op(const float* a, float* b, int m, int n) {
    float *da, *db;
    cudaMalloc(&da, m * n * sizeof(float));
    cudaMalloc(&db, m * n * sizeof(float));
    cudaMemcpy(da, a, m * n * sizeof(float), cudaMemcpyHostToDevice);
    k<<<%s>>>(da, db%s);
    cudaMemcpy(b, db, m * n * sizeof(float), cudaMemcpyDeviceToHost);
}
"""


def plans(text: str, spec: Spec | None = None) -> tuple[EntryPlan, ...]:
    program = read(text, "k.cu", platform("cuda").words).program
    return infer(program, spec or Spec())


def counts(plan: EntryPlan, case: int = 0) -> dict[str, int]:
    return {b.name: b.count for b in plan.cases[case].buffers}


def roles(plan: EntryPlan) -> dict[str, str]:
    return {b.name: b.role for b in plan.cases[0].buffers}


def test_extents_of_a_wrapper_follow_from_its_copies() -> None:
    kernel = """__global__ void k(const float* a, float* b, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) b[i] = a[i] * 2;
    }"""
    (plan,) = plans(kernel + WRAPPER % ("(m * n + 63) / 64, 64", ", m * n"))
    first, second = plan.cases
    assert counts(plan) == {"a": first.scalars["m"] * first.scalars["n"]} | {
        "b": first.scalars["m"] * first.scalars["n"]
    }
    assert first.scalars["m"] != first.scalars["n"], "swapped sizes must show"
    assert first.scalars != second.scalars
    assert roles(plan) == {"a": "in", "b": "out"}


def test_sizes_that_a_kernel_hard_codes_are_solved_for() -> None:
    kernel = """__global__ void k(const float* a, float* b) {
        int i = blockIdx.x * 32 + threadIdx.x;
        if (i < 21 * 37) b[i] = a[i] + 1;
    }"""
    (plan,) = plans(kernel + WRAPPER % ("25, 32", ""))
    sizes = plan.cases[0].scalars
    assert sizes["m"] * sizes["n"] == 21 * 37
    assert len(plan.cases) == 1, "other sizes would not cover the buffers"


def test_grid_of_a_lone_kernel_is_an_expression_of_its_guard() -> None:
    (plan,) = plans("""__global__ void k(float* x, int rows, int cols) {
        int c = blockIdx.x * 16 + threadIdx.x, r = blockIdx.y * 4 + threadIdx.y;
        if (r >= rows || c >= cols) return;
        x[r * cols + c] = r;
    }""")
    assert plan.shape is not None
    case = plan.cases[0]
    rows, cols = case.scalars["rows"], case.scalars["cols"]
    assert case.block == (16, 4, 1)
    assert case.grid == (-(-cols // 16), -(-rows // 4), 1)
    assert "cols" in show(plan.shape.grid[0])
    assert "rows" in show(plan.shape.grid[1])
    assert counts(plan) == {"x": rows * cols}


def test_block_follows_from_shared_arrays() -> None:
    (plan,) = plans("""__global__ void k(const float* x, float* y) {
        __shared__ float part[96];
        part[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
        __syncthreads();
        y[blockIdx.x * blockDim.x + threadIdx.x] = part[blockDim.x - 1 - threadIdx.x];
    }""")
    assert plan.cases[0].block == (96, 1, 1)
    assert plan.shape is not None
    assert plan.shape.grid[0] is None, "nothing bounds the grid: the caller says it"


def test_hard_coded_guard_gives_a_constant_grid() -> None:
    (plan,) = plans("""__global__ void __launch_bounds__(128) k(float* x) {
        if (blockIdx.x * 128 + threadIdx.x < 1000) x[blockIdx.x * 128 + threadIdx.x] = 1;
    }""")
    assert plan.cases[0].grid == (8, 1, 1)
    assert counts(plan) == {"x": 1000}


def test_index_arrays_get_a_range_that_keeps_accesses_inside() -> None:
    text = """__global__ void k(const float* t, const int* at, float* y, int n) {
        int i = blockIdx.x * 64 + threadIdx.x;
        if (i < n) y[i] = t[at[i]];
    }
    extern "C" void gather(const float* t, const int* at, float* y, int vocab, int n) {
        float *dt, *dy; int* da;
        cudaMalloc(&dt, vocab * 4); cudaMalloc(&da, n * 4); cudaMalloc(&dy, n * 4);
        cudaMemcpy(dt, t, vocab * 4, cudaMemcpyHostToDevice);
        cudaMemcpy(da, at, n * 4, cudaMemcpyHostToDevice);
        k<<<(n + 63) / 64, 64>>>(dt, da, dy, n);
        cudaMemcpy(y, dy, n * 4, cudaMemcpyDeviceToHost);
    }"""
    (plan,) = plans(text)
    at = next(b for b in plan.cases[0].buffers if b.name == "at")
    assert at.is_index
    assert at.bounds == (0, plan.cases[0].scalars["vocab"] - 1)
    assert not at.distinct
    assert [d.code for d in plan.diagnostics] == ["XP0308"]


def test_indices_into_a_buffer_that_the_host_fills_first() -> None:
    """What `cudaMemset` and copies touch does not hide what the kernel does."""
    (plan,) = plans("""__global__ void k(const int* at, unsigned* bins, int n) {
        int i = blockIdx.x * 32 + threadIdx.x;
        if (i < n && at[i] >= 0) atomicAdd(&bins[at[i]], 1u);
    }
    void count(const int* at, unsigned* bins, int n, int kinds) {
        int* da; unsigned* db;
        cudaMalloc(&da, n * 4); cudaMalloc(&db, kinds * 4);
        cudaMemcpy(da, at, n * 4, cudaMemcpyHostToDevice);
        cudaMemset(db, 0, kinds * 4);
        k<<<(n + 31) / 32, 32>>>(da, db, n);
        cudaMemcpy(bins, db, kinds * 4, cudaMemcpyDeviceToHost);
    }""")
    at = next(b for b in plan.cases[0].buffers if b.name == "at")
    assert at.is_index
    assert at.bounds == (0, plan.cases[0].scalars["kinds"] - 1)


def test_indices_that_only_together_bound_an_access() -> None:
    (plan,) = plans("""__global__ void k(const float* x, const int* row, const int* col, float* y) {
        y[threadIdx.x] = x[row[threadIdx.x] * 8 + col[threadIdx.x]];
    }
    void pick(const float* x, const int* row, const int* col, float* y) { k<<<1, 32>>>(x, row, col, y); }
    """)  # noqa: E501
    assert {b.name for b in plan.cases[0].buffers if b.is_index} == {"row", "col"}


def test_sizes_are_sought_although_an_index_could_be_anything() -> None:
    """The odd ones would leave a half row of y, in which only pairs are written."""
    (plan,) = plans("""__global__ void k(const float2* x, const int* at, float2* y, int w) {
        for (int i = threadIdx.x; i < w; i += 32) y[blockIdx.x * w + i] = x[at[blockIdx.x] * w + i];
    }
    void pick(const float* x, const int* at, float* y, int all, int some, int w) {
        float *dx, *dy; int* da;
        cudaMalloc(&dx, all * w * 4); cudaMalloc(&da, some * 4); cudaMalloc(&dy, some * w * 4);
        cudaMemcpy(dx, x, all * w * 4, cudaMemcpyHostToDevice);
        cudaMemcpy(da, at, some * 4, cudaMemcpyHostToDevice);
        k<<<some, 32>>>((float2*)dx, da, (float2*)dy, w / 2);
        cudaMemcpy(y, dy, some * w * 4, cudaMemcpyDeviceToHost);
    }""")
    (case,) = plan.cases
    sizes = case.scalars
    assert sizes["w"] % 2 == 0
    assert len({sizes[n] for n in ("all", "some", "w")}) == 3, "which is which must show"
    at = next(b for b in case.buffers if b.name == "at")
    assert at.bounds == (0, sizes["all"] - 1)


def test_places_from_rounded_numbers_are_bounded_by_their_guards() -> None:
    (plan,) = plans("""__global__ void k(const float* x, const float* at, float* y, int n) {
        float p = at[threadIdx.x] * n - 0.5f;
        int low = floorf(p);
        y[threadIdx.x] = p > -1 && p < n ? (low >= 0 ? x[low] : 0) + x[low + 1] : 0;
    }
    void pick(const float* x, const float* at, float* y, int n) { k<<<1, 32>>>(x, at, y, n); }""")
    assert counts(plan)["x"] == plan.cases[0].scalars["n"] + 1


def test_sizes_that_host_code_accepts_are_drawn() -> None:
    (plan,) = (
        plans("""__global__ void k(const float* x, float* y, int n, int w, int step, int out) {
        int i = threadIdx.x;
        for (int j = 0; i < out && j < w; j++) y[i] += x[i * step + j];
    }
    int op(const float* x, float* y, int n, int w, int step, int parts) {
        if (n < w || (n - w) % step != 0 || n % parts != 0 || w >= parts) return 1;
        k<<<1, 64>>>(x, y, n, w, step, (n - w) / step + 1);
        return 0;
    }""")
    )
    assert len(plan.cases) == 2
    for number, case in enumerate(plan.cases):
        n, w, step, parts = (int(case.scalars[name]) for name in ("n", "w", "step", "parts"))
        assert w <= n
        assert (n - w) % step == n % parts == 0
        assert counts(plan, number)["y"] == (n - w) // step + 1


def test_sizes_in_a_struct_that_the_host_fills() -> None:
    (plan,) = plans("""struct S { int n, half; };
    __global__ void k(float* x, S s) {
        int i = blockIdx.x * 32 + threadIdx.x;
        if (i < s.half) x[i + s.n] = 1;
    }
    void op(float* x, int n) { S s; s.n = n; s.half = n / 2; k<<<(n + 31) / 32, 32>>>(x, s); }""")
    n = int(plan.cases[0].scalars["n"])
    assert counts(plan) == {"x": n + n // 2}


def test_counters_of_inner_loops_move_with_all_turns() -> None:
    (plan,) = plans("""__global__ void k(const float* x, float* y, int a, int b) {
        int at = threadIdx.x * a * b;
        float sum = 0;
        for (int i = 0; i < a; i++) for (int j = 0; j < b; j++) sum += x[at++];
        y[threadIdx.x] = sum;
    }
    void op(const float* x, float* y, int a, int b) { k<<<1, 32>>>(x, y, a, b); }""")
    sizes = plan.cases[0].scalars
    assert counts(plan)["x"] == 32 * sizes["a"] * sizes["b"]


def test_pointers_that_walk_through_nested_loops() -> None:
    (plan,) = plans("""__global__ void k(const float* x, float* y, int n, int a, int b) {
        int i = threadIdx.x;
        const float* from = x + i - a / 2;
        float* to = y + i;
        for (int r = 0; r < a; r++) for (int s = 0; s < b; s++) {
            int at = i - a / 2 + r * b + s;
            *to = at >= 0 && at < n ? from[r * b + s] : 0;
            to += n;
        }
    }
    void op(const float* x, float* y, int n, int a, int b) { k<<<1, n>>>(x, y, n, a, b); }
    """)
    sizes = plan.cases[0].scalars
    assert counts(plan)["y"] == sizes["n"] * sizes["a"] * sizes["b"]


@pytest.mark.parametrize(
    ("body", "block"),
    [
        ("int r = blockIdx.x * 6 + threadIdx.x / 32; x[r * n + threadIdx.x % 32] = 1;", 192),
        ("int w = threadIdx.x >> 5; x[(blockIdx.x * 64 + w * 16) * n] = 1;", 128),
        ("__shared__ float s[3]; for (int i = threadIdx.x; i < n; i += 96) x[i] = 1; "
         "if (threadIdx.x % 32 == 0) s[threadIdx.x / 32] = 0;", 96),
        ("x[blockIdx.x * 1024 + threadIdx.x * 4] = n;", 256),
        ("__shared__ float s[5]; if (threadIdx.x % 32 == 0) s[threadIdx.x / 32] = x[n];", 160),
    ],
)  # fmt: skip
def test_block_follows_from_how_indices_count_threads(body: str, block: int) -> None:
    (plan,) = plans(f"__global__ void k(float* x, int n) {{ {body} }}")
    assert plan.cases[0].block == (block, 1, 1)


@pytest.mark.parametrize(
    "store",
    [
        "c[row * n + col] = row;",
        "float* to = c + row * n; to[col] = row;",
        "c += blockIdx.y * 8 * n + blockIdx.x * 64; c[threadIdx.y * n + threadIdx.x] = row;",
        "*(int*)&c[row * n + col] = row;",
    ],
)
def test_rows_do_not_run_into_each_other(store: str) -> None:
    """Nothing guards the columns: with fewer than the threads cover two would write one place."""
    (plan,) = plans(
        f"""__global__ void k(float* c, int m, int n) {{
        int col = blockIdx.x * 64 + threadIdx.x, row = blockIdx.y * 8 + threadIdx.y;
        if (row >= m) return;
        {store} }}"""
    )
    for case in plan.cases:
        assert case.scalars["n"] >= case.grid[0] * 64


def test_a_tile_of_several_warps_gives_the_step_of_the_grid() -> None:
    (plan,) = plans("""__global__ void k(float* x, int n) {
        int row = (blockIdx.y * 4 + threadIdx.x / 32) * 16;
        if (row >= n) return;
        for (int i = threadIdx.x % 32; i < 16; i += 32) x[row + i] = 1;
    }""")
    assert plan.shape is not None
    assert show(plan.shape.grid[1]) == "((i64(n) + 63) / 64)"


def test_targets_of_a_scatter_are_distinct() -> None:
    (plan,) = plans("""__global__ void k(const float* x, const int* to, float* y, int n) {
        int i = blockIdx.x * 64 + threadIdx.x;
        if (i < n) y[to[i]] = x[i];
    }""")
    assert next(b for b in plan.cases[0].buffers if b.name == "to").distinct


def test_spec_overrides_inference() -> None:
    spec = parse_spec({"args": {"n": {"values": [40, 70]}}, "launch": {"block": 32, "grid": "n/8"}})
    (plan,) = plans("__global__ void k(float* x, int n) { x[blockIdx.x * 8] = n; }", spec)
    assert [c.scalars["n"] for c in plan.cases[:1]] == [40]
    assert 70 in [c.scalars["n"] for c in plan.cases]
    assert plan.cases[0].grid == (5, 1, 1)
    assert plan.cases[0].block == (32, 1, 1)


def test_struct_of_scalars_by_value() -> None:
    (plan,) = plans("""struct P { int n; float s; };
    __global__ void k(float* x, P p) {
        int i = blockIdx.x * 64 + threadIdx.x;
        if (i < p.n) x[i] *= p.s;
    }""")
    assert counts(plan) == {"x": plan.cases[0].scalars["p.n"]}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("static int twice(int x) { return 2 * x; }", "XP0302"),
        ("__global__ void k(float** x) {} void op(float** x) { k<<<1, 1>>>(x); }", "XP0307"),
    ],
)
def test_refusals(text: str, code: str) -> None:
    with pytest.raises(XpilerError) as caught:
        plans(text)
    assert caught.value.diagnostics[0].code == code


def test_dynamic_shared_memory_as_far_as_indices_reach() -> None:
    (plan,) = plans("""extern __shared__ float room[];
    __global__ void k(const int* lengths, float* y) {
        for (int i = threadIdx.x; i < lengths[blockIdx.x]; i += 32) room[8 + i] = i;
        __syncthreads();
        y[blockIdx.x * 32 + threadIdx.x] = room[8];
    }""")
    assert plan.shape is not None
    assert plan.shape.shared_bytes is None, "how long they are is for the caller to say"
    longest = next(b.bounds[1] for b in plan.cases[0].buffers if b.name == "lengths" and b.bounds)
    assert plan.cases[0].shared_bytes == 4 * (8 + longest)


NESTED = """struct Span { int first, count; };
enum class Act { none, relu };
struct P { const float* x; Span span; float* y; int dims[2]; float4 w; Act act; };
__global__ void k(P p, dim3 tile) {
    int i = blockIdx.x * tile.x + threadIdx.x;
    if (i >= p.span.count || threadIdx.x >= tile.x) return;
    float v = p.x[p.span.first + i] * p.w.z;
    if (p.act == Act::relu && v < 0) v = 0;
    for (int j = 0; j < p.dims[1]; j++) p.y[i * p.dims[1] + j] = v;
}"""


def test_numbers_and_pointers_deep_in_a_parameter_get_values() -> None:
    (plan,) = plans(NESTED)
    first = plan.cases[0].scalars
    assert {"p.span.first", "p.dims[1]", "p.w.z", "p.act", "tile.x"} <= set(first)
    assert counts(plan)["p.x"] == first["p.span.first"] + first["p.span.count"]
    assert counts(plan)["p.y"] == first["p.span.count"] * first["p.dims[1]"]
    assert 1 in {case.scalars["p.act"] for case in (*plan.cases, *plan.further)}


def test_unknown_entry_lists_the_known_ones() -> None:
    with pytest.raises(XpilerError) as caught:
        plans("__global__ void k(float* x) { x[threadIdx.x] = 1; }", Spec(entry="q"))
    assert "k" in caught.value.diagnostics[0].reason


PLANES = """__global__ void k(const float* a, float* b, int n, int s) {
    float sum = 0;
    for (int i = threadIdx.x; i < n * s; i += 128) {
        int row = i / s, col = i - row * s;
        sum += a[row * s + col];
    }
    if (threadIdx.x < n * s) b[threadIdx.x] = sum;
}"""


def test_sizes_that_give_every_thread_work_are_left_to_a_run() -> None:
    """The analysis can't see that `i - i / s * s < s`, so it finds no such sizes sound."""
    (plan,) = plans(PLANES + WRAPPER % ("1, 128", ", m, n"))

    def telling(case: Case) -> bool:
        m, n = (int(case.scalars[name]) for name in "mn")
        return m > 1 and n > 1 and m * n > 128

    assert not any(map(telling, plan.cases))
    assert any(map(telling, plan.further))


def test_where_the_proved_sizes_show_all_uneven_and_small_ones_are_left() -> None:
    kernel = """__global__ void k(const float* a, float* b, int n) {
        for (int i = blockIdx.x * 64 + threadIdx.x; i < n; i += 64 * gridDim.x) b[i] = a[i] * 2;
    }"""
    (plan,) = plans(kernel + WRAPPER % ("(m * n + 63) / 64, 64", ", m * n"))
    further = [(case.scalars["m"], case.scalars["n"]) for case in plan.further]
    assert further == [(11, 347), (347, 11), (3, 5)]


def test_sizes_give_the_threads_of_the_translation_work() -> None:
    """A block of 512 for a row: with the sizes for plain loops, half of it would stand idle."""
    sums = """void op(const float* a, float* b, int m, int n) {
        for (int i = 0; i < m; i++) {
            float sum = 0.0f;
            for (int j = 0; j < n; j++) sum += a[i * n + j];
            b[i] = sum;
        }
    }"""
    kernel = """__global__ void k(const float* a, float* b, int n) {
        float sum = 0.0f;
        for (int j = threadIdx.x; j < n; j += 512) sum += a[blockIdx.x * n + j];
        atomicAdd(&b[blockIdx.x], sum);
    }"""
    program = read(sums, "k.c", platform("c").words).program
    (plan,) = infer(program, Spec())
    target = read(kernel + WRAPPER % ("m, 512", ", n"), "k.cu", platform("cuda").words).program
    assert all(case.scalars["n"] < 512 for case in (*plan.cases, *plan.further))
    (case,) = further_for(program, plan, Spec(), target, True)
    assert case.scalars["n"] // 512 == 3
    assert case.scalars["n"] % 512
    assert {b.name: b.count for b in case.buffers}["a"] == case.scalars["m"] * case.scalars["n"]


def test_each_size_is_more_than_a_byte_holds_once() -> None:
    """Where the guard bounds one size by another one, the large one first, then the other."""
    window = """void op(const float* a, const float* w, float* b, int n, int k) {
        float taps[64];
        for (int j = 0; j < k; j++) taps[j] = w[j];
        for (int i = 0; i < n - k + 1; i++) {
            float sum = 0.0f;
            for (int j = 0; j < k; j++) sum += a[i + j] * taps[j];
            b[i] = sum;
        }
    }"""
    (plan,) = infer(read(window, "k.c", platform("c").words).program, Spec())
    assert any(case.scalars["n"] - case.scalars["k"] > 255 for case in plan.further)


def test_computed_sizes_of_1_are_tried_otherwise() -> None:
    pool = """void op(const float* a, float* b, int h, int window, int stride) {
        int out = (h - window) / stride + 1;
        for (int i = 0; i < out * out; i++) b[i] = a[i];
    }"""
    spec = parse_spec({"args": {"window": {"value": 5}, "stride": {"value": 50}}})
    (plan,) = infer(read(pool, "k.c", platform("c").words).program, spec)
    cases = [case.scalars for case in (*plan.cases, *plan.further)]
    assert any((c["h"] - c["window"]) // c["stride"] > 0 for c in cases)


def test_halves_of_sizes_have_tails() -> None:
    pool = """void op(const float* a, float* b, int h, int w) {
        for (int i = 0; i < h / 2; i++)
            for (int j = 0; j < w / 2; j++) b[i * (w / 2) + j] = a[2 * i * w + 2 * j];
    }"""
    (plan,) = infer(read(pool, "k.c", platform("c").words).program, Spec())
    for name in "hw":
        assert any(int(c.scalars[name]) // 2 % 4 for c in (*plan.cases, *plan.further))


def test_sizes_beside_given_ones() -> None:
    kernel = """__global__ void k(const float* a, float* b, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) b[i] = a[i] * 2;
    }"""
    spec = parse_spec({"args": {"m": {"value": 2}, "n": {"value": 40}}})
    (plan,) = plans(kernel + WRAPPER % ("(m * n + 63) / 64, 64", ", m * n"), spec)
    assert [dict(c.scalars) for c in plan.cases] == [{"m": 2, "n": 40}]
    beside = [{"m": 1, "n": 39}, {"m": 2, "n": 39}, {"m": 4, "n": 42}]
    assert [dict(c.scalars) for c in plan.further] == beside


def test_given_sizes_of_1_are_tried_as_2() -> None:
    """A text that leaves out a factor of 1 would pass; not every program takes all at once."""
    kernel = """__global__ void k(const float* a, float* b, int m, int n) {
        b[threadIdx.x] = a[threadIdx.x * m * n];
    }"""
    spec = parse_spec({"args": {"m": {"value": 1}, "n": {"value": 1}}})
    (plan,) = plans(kernel + WRAPPER % ("1, 64", ", m, n"), spec)
    beside = [{"m": 2, "n": 2}, {"m": 2, "n": 1}, {"m": 1, "n": 2}]
    assert [dict(c.scalars) for c in plan.further] == beside


def test_computed_ends_leave_vectors_a_short_tail() -> None:
    """(5 + 7) * 21 has none whatever is rounded down to a multiple of 4, nor has 96 * 48."""
    text = """
        __global__ void k(const float* a, float* b, int p, int q, int w) {
            const int i = blockIdx.x * blockDim.x + threadIdx.x;
            if (i < (p + q) * w) b[blockIdx.y * (p + q) * w + i] = a[blockIdx.y * (p + q) * w + i];
        }
        void f(const float* a, float* b, int n, int p, int q, int w) {
            k<<<dim3(((p + q) * w + 63) / 64, n), 64>>>(a, b, p, q, w);
        }"""
    (plan,) = plans(text)
    cases = (c.scalars for c in (*plan.cases, *plan.further))
    ends = [int((x["p"] + x["q"]) * x["w"]) for x in cases]
    assert any(n > 16 and 0 < n % 16 < 4 for n in ends)


def test_loops_of_lanes_turn_twice() -> None:
    """Sizes of 64 would fill a wave, but with one turn a sum is as good as an assignment."""
    kernel = """__global__ void k(const float* a, float* b, int m, int n) {
        float sum = 0.0f;
        for (int j = threadIdx.x; j < n; j += 64) sum += a[blockIdx.x * n + j];
        if (blockIdx.x < m) atomicAdd(&b[blockIdx.x], sum);
    }"""
    (plan,) = plans(kernel + WRAPPER % ("m, 64", ", m, n"))
    assert any(c.scalars["n"] > 64 for c in (*plan.cases, *plan.further))


def of_c(text: str) -> tuple[Program, EntryPlan]:
    program = read(text, "k.c", platform("c").words).program
    return program, infer(program, Spec())[0]


WALK = """void k(const float *x, float *out, unsigned long rows, unsigned long cols) {
    for (unsigned long r = 0; r != rows; ++r) {
        float s = 0;
        unsigned long left = cols;
        for (; left >= 4; left -= 4, x += 4) s += x[0] + x[1] + x[2] + x[3];
        switch (left) {
        case 3: s += x[2];
        case 2: s += x[1];
        case 1: s += x[0];
        }
        x += left;
        *out++ = s;
    }
}"""


def test_walking_pointers_are_followed_turn_by_turn() -> None:
    program, plan = of_c(WALK)
    for case in plan.cases:
        sizes = case.scalars
        assert {b.name: b.count for b in case.buffers} == {
            "x": sizes["rows"] * sizes["cols"], "out": sizes["rows"],
        }  # fmt: skip
    found = Measured(program, plan, Spec())
    assert fit.value(found.extent("x", ()), {"rows": 70, "cols": 90}) == 6300


def test_guards_by_unsigned_comparison_bound_what_is_touched() -> None:
    text = """void k(const int *x, int *y, int h, int w) {
        for (int i = 0; i < h; i++) for (int j = 0; j < w; j++) {
            int s = 0;
            for (int d = -1; d <= 1; d++) if ((unsigned)(i + d) < (unsigned)h) s += x[(i + d) * w + j];
            y[i * w + j] = s;
        }
    }"""  # noqa: E501
    found = Measured(*of_c(text), Spec())
    assert fit.value(found.extent("x", ()), {"h": 70, "w": 90}) == 6300


def test_what_lies_behind_an_index_from_memory_is_not_measured() -> None:
    text = (
        "void k(const int *i, const int *x, int *y, int n) { "
        "for (int k = 0; k < n; k++) y[k] = x[i[k]]; }"
    )
    found = Measured(*of_c(text), Spec())
    assert found.extent("x", ()) is None
    assert fit.value(found.extent("y", ()), {"n": 70}) == 70


@pytest.mark.parametrize("by", [32, 100])
def test_blocks_are_counted_by_a_size_that_they_divide(by: int) -> None:
    program, plan = of_c(f"""typedef struct {{ float d; signed char q[{by}]; }} block;
    void deq(const block *x, float *y, int n) {{
        for (int i = 0; i < n / {by}; i++)
            for (int j = 0; j < {by}; j++) y[i * {by} + j] = x[i].d * x[i].q[j];
    }}""")
    x = Measured(program, plan, Spec()).extent("x", quotients(plan.entry))
    assert [fit.value(x, {"n": 5 * by + k}) for k in (0, by - 1)] == [5, 5]


def test_half_of_a_product_is_tried_where_both_factors_are_odd() -> None:
    program, plan = of_c("""void f(const unsigned char *x, float *y, int n, int m) {
        for (int i = 0; i < n; i++) for (int j = 0; j < m; j++)
            y[i * m + j] = x[(i * m + j) / 2] & 15; }""")
    x = Measured(program, plan, Spec()).extent("x", quotients(plan.entry))
    assert x is None or fit.value(x, {"n": 3, "m": 5}) == 8


def test_large_sizes_are_run_where_they_are_asked_for() -> None:
    text = """void f(const float *x, float *y, int n) {
        for (int i = 0; i < COUNT; i++) y[i] = x[i] + n; }"""
    program = read(text.replace("COUNT", "200000000"), "k.c", platform("c").words).program
    with pytest.raises(XpilerError, match="763 MiB"):
        infer(program, Spec())
    program = read(text.replace("COUNT", "20000000"), "k.c", platform("c").words).program
    (plan,) = infer(program, parse_spec({"args": {"n": {"value": 3}}}))
    assert {b.count for b in plan.cases[0].buffers} == {20_000_000}


def test_what_a_flag_decides_is_measured_for_both() -> None:
    text = """void f(const float *a, float *y, int b, int n, int shared) {
        for (int i = 0; i < b; i++) for (int j = 0; j < n; j++)
            y[i * n + j] = a[(shared ? 0 : i) * n + j]; }"""
    found = Measured(*of_c(text), Spec())
    x = found.extent("a", ())
    assert [fit.value(x, {"b": 7, "n": 9, "shared": flag}) for flag in (0, 1, 5)] == [63, 9, 9]
    assert fit.value(found.extent("y", ()), {"b": 7, "n": 9}) == 63


def test_the_rest_of_a_window_is_a_size_too() -> None:
    text = """#include <bang.h>
__nram__ float signal[2048], weight[64];
__mlu_entry__ void window(const float *x, const float *w, float *y, int n, int taps) {
  int left = n - taps + 1;
  __memcpy(signal, x, n * sizeof(float), GDRAM2NRAM);
  __memcpy(weight, w, taps * sizeof(float), GDRAM2NRAM);
  __bang_mul_scalar(signal, signal, weight[0], left);
  __memcpy(y, signal, left * sizeof(float), NRAM2GDRAM);
}
"""
    program = read(text, "k.mlu", platform("bang").words).program
    for case in infer(program, Spec())[0].cases:
        n, taps = case.scalars["n"], case.scalars["taps"]
        assert {b.name: b.count for b in case.buffers} == {"x": n, "w": taps, "y": n - taps + 1}


def test_turns_of_empty_loops_take_no_time() -> None:
    loops = (
        f"for (int {v} = 0; {v} < {n}; {v}++)" for v, n in zip("abc", (90, 90, 4000), strict=True)
    )
    nest = " ".join(loops)
    program, plan = of_c(f"void f(const float *x, float *y, int n) {{ {nest}; y[n] = x[n]; }}")
    assert fit.value(Measured(program, plan, Spec()).extent("y", ()), {"n": 7}) == 8


def test_words_about_a_parameter_that_is_not_there_are_remarked_on() -> None:
    kernel = """__global__ void k(const float* a, float* b, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) b[i] = a[i] * 2;
    }"""
    (plan,) = plans(kernel, parse_spec({"args": {"n": {"value": 8}, "size": {"value": 8}}}))
    assert [(d.code, d.message) for d in plan.diagnostics] == [
        ("XP0301", "size is no parameter of k")
    ]


def test_an_extent_below_zero_is_no_extent() -> None:
    kernel = "__global__ void k(const float* a, float* b, int n) { b[0] = a[0]; }"
    with pytest.raises(XpilerError, match=r"XP0301.*the extent n - 9000 of a comes to"):
        plans(kernel, parse_spec({"args": {"a": {"extent": "n - 9000"}}, "launch": {"block": 1}}))


def test_a_tile_that_threads_walk_through_has_rows_for_the_walk_alone() -> None:
    (plan,) = plans("""__global__ void k(const float* a, float* b, int n) {
        __shared__ float t[16][17];
        int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y;
        for (int j = 0; j < 16; j += 4)
            if (x < n && y + j < n) t[threadIdx.y + j][threadIdx.x] = a[(y + j) * n + x];
        __syncthreads();
        for (int j = 0; j < 16; j += 4)
            if (x < n && y + j < n) b[(y + j) * n + x] = t[threadIdx.y + j][15 - threadIdx.x];
    }""")
    assert plan.cases[0].block == (16, 4, 1)


def test_a_row_of_the_block_is_a_warp_where_x_only_tells_lanes_apart() -> None:
    (plan,) = plans("""#include <cooperative_groups.h>
    namespace cg = cooperative_groups;
    __global__ void k(const int* a, int* b, int rows, int n) {
        cg::thread_block_tile<32> w = cg::tiled_partition<32>(cg::this_thread_block());
        int row = blockIdx.x * blockDim.y + threadIdx.y;
        if (row >= rows) return;
        int s = 0;
        for (int i = w.thread_rank(); i < n; i += 32) s += a[row * n + i];
        for (int d = 16; d > 0; d /= 2) s += w.shfl_down(s, d);
        if (w.thread_rank() == 0) b[row] = s;
    }""")
    assert plan.cases[0].block[0] == 32


def test_what_atomics_add_up_is_not_known() -> None:
    (plan,) = plans("""__global__ void k(const unsigned char* a, int* bins, int n) {
        __shared__ int own[256];
        own[threadIdx.x] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += 256) atomicAdd(&own[a[i]], 1);
        __syncthreads();
        if (own[threadIdx.x] != 0) atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
    }""")
    assert counts(plan)["bins"] == 256
    assert roles(plan)["bins"] == "inout"


def test_dynamic_shared_memory_is_as_large_as_what_is_touched() -> None:
    (plan,) = plans("""__global__ void k(const float* a, float* b, int n) {
        extern __shared__ float s[];
        float* t = s + n;
        for (int i = threadIdx.x; i < n; i += blockDim.x) { s[i] = a[i]; t[i] = 2 * a[i]; }
        if (threadIdx.x == 0) t[n] = 1;
        __syncthreads();
        for (int i = threadIdx.x; i < n; i += blockDim.x) b[i] = s[n - 1 - i] + t[i] + t[n];
    }""")
    assert plan.shape is not None
    assert plan.shape.shared_bytes is not None
    for case in plan.cases:
        assert case.shared_bytes == 8 * case.scalars["n"] + 4
        assert fit.value(plan.shape.shared_bytes, case.scalars) == case.shared_bytes


SWITCHED = """
template <int B> __global__ void k(const float* a, float* b, int n) {
    int i = blockIdx.x * B + threadIdx.x;
    if (i < n) b[i] = 2 * a[i];
}
extern "C" void op(const float* a, float* b, int n, int threads) {
    int blocks = (n + threads - 1) / threads;
    switch (threads) {
        case 96: k<96><<<blocks, 96>>>(a, b, n); break;
        case 160: k<160><<<blocks, 160>>>(a, b, n); break;
        default: exit(1);
    }
    k<32><<<1, 32>>>(a, b, n);
}
"""


def test_arguments_that_end_the_program_are_not_taken() -> None:
    (plan,) = plans("#include <stdlib.h>\n" + SWITCHED)
    ways = {case.scalars["threads"] for case in (*plan.cases, *plan.further)}
    assert ways == {96, 160}, "each way is tried"


def test_a_switch_on_a_letter_and_sizes_that_host_code_checks() -> None:
    (plan,) = plans("""
    __global__ void k(const float* a, float* b, int n, int width, float f) {
        int i = blockIdx.x * 64 + threadIdx.x;
        if (i >= n - width + 1) return;
        float s = 0;
        for (int j = 0; j < width; ++j) s += a[i + j];
        b[i] = f * s;
    }
    extern "C" int op(char kind, const float* a, float* b, int n, int width) {
        if (width > n || n % 2) return -1;
        switch (kind) {
            case 's': k<<<(n + 63) / 64, 64>>>(a, b, n, width, 1.0f); break;
            case 'm': k<<<(n + 63) / 64, 64>>>(a, b, n, width, 1.0f / width); break;
            default: return -1;
        }
        return 0;
    }""")
    assert {chr(int(c.scalars["kind"])) for c in (*plan.cases, *plan.further)} == {"s", "m"}
    assert all(c.scalars["width"] <= c.scalars["n"] for c in plan.cases)


@pytest.mark.parametrize("name", ["k<float, 64>", "k<float,64>", "k_float_64"])
def test_an_instance_of_a_template_is_named_as_it_is_written(name: str) -> None:
    kernel = """template <typename T, int B> __global__ void k(T* a, int n) {
        int i = blockIdx.x * B + threadIdx.x;
        if (i < n) a[i] *= 2;
    }
    template __global__ void k<float, 64>(float*, int);
    template __global__ void k<double, 64>(double*, int);
    """
    (plan,) = plans(kernel, Spec(entry=name))
    assert plan.entry.name == "k_float_64"


def test_an_index_that_the_program_checks_may_lie_outside() -> None:
    (plan,) = plans("""__global__ void k(const int* at, int* b, int n, int m) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i >= n) return;
        int to = at[i];
        if (to >= 0 && to < m) atomicAdd(&b[to], 1);
    }""")
    for case in plan.cases:
        (low, high) = next(b.bounds for b in case.buffers if b.name == "at") or (0, 0)
        assert low < 0
        assert high >= case.scalars["m"]
        assert {b.name: b.count for b in case.buffers}["b"] == case.scalars["m"]


def test_an_index_that_a_function_returns_through_a_pointer_is_one() -> None:
    (plan,) = plans("""
    __device__ bool wrap(int raw, int n, int* out) {
        if (raw < 0) raw += n;
        *out = raw;
        return raw >= 0 && raw < n;
    }
    __global__ void k(const float* a, const int* at, float* b, int n, int m) {
        int i = blockIdx.x * blockDim.x + threadIdx.x, j;
        if (i >= m) return;
        b[i] = wrap(at[i], n, &j) ? a[j * 4] : 0.0f;
    }""")
    assert counts(plan)["a"] > 4
    assert any(b.is_index for b in plan.cases[0].buffers if b.name == "at")
    assert plan.further, "other sizes are tried, with their own range of indices"
    for case in (*plan.cases, *plan.further):
        (_, high) = next(b.bounds for b in case.buffers if b.name == "at") or (0, 0)
        assert {b.name: b.count for b in case.buffers}["a"] == 4 * high + 1


@pytest.mark.parametrize(
    ("sizes", "guard"), [(1, 0), (2, 0), (3, 2), (4, 0), (5, 4), (9, 3), (14, 13)]
)
def test_a_grid_follows_the_size_that_guards_whichever_it_is(sizes: int, guard: int) -> None:
    names = ", ".join(f"int n{k}" for k in range(sizes))
    total = " + ".join(f"n{k}" for k in range(sizes))
    (plan,) = plans(f"""__global__ void k(const float* a, float* b, {names}) {{
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n{guard}) b[i] = a[i] * ({total});
    }}""")
    assert plan.shape is not None
    (x, _, _), (block, _, _) = plan.shape.grid, plan.cases[0].block
    assert x is not None
    values = {f"n{k}": 3000 + 1000 * k for k in range(sizes)}
    assert fit.value(x, values) == -(-values[f"n{guard}"] // block)


def test_a_grid_follows_a_size_in_an_array_of_a_struct() -> None:
    (plan,) = plans("""struct S { int dims[2]; int n[3]; };
    __global__ void k(const float* a, float* b, S s) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < s.n[1]) b[i] = a[i] * s.dims[0];
    }""")
    assert plan.shape is not None
    (x, _, _) = plan.shape.grid
    assert x is not None
    assert fit.value(x, {"s.n[1]": 5000}) == -(-5000 // plan.cases[0].block[0])
    assert plan.cases


def test_a_kernel_that_cannot_be_run_has_a_launch_all_the_same() -> None:
    (plan,) = plans("""struct Pair { float v; float* next; };
    __global__ void k(const Pair* a, float* b, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) b[i] = a[i].v;
    }""")
    assert not plan.cases
    assert [(d.code, d.severity) for d in plan.diagnostics] == [("XP0307", "warning")]
    assert plan.shape is not None
    assert plan.shape.grid[0] is not None


def test_a_dimension_is_as_wide_as_what_the_others_choose() -> None:
    (plan,) = plans("""struct S { const float* from[3]; int width[3]; };
    __global__ void k(S s, float* b) {
        int i = blockIdx.x * blockDim.x + threadIdx.x, which = blockIdx.y;
        if (which < 3 && i < s.width[which]) b[which * 4096 + i] = s.from[which][i];
    }""")
    assert plan.shape is not None
    assert plan.shape.grid[0] is None, "no one width says how many blocks there are"


def test_sizes_that_fit_a_kernel_with_sizes_of_its_own() -> None:
    kernel = """__global__ void k(const float* a, float* b) {
        int i = blockIdx.x * 64 + threadIdx.x;
        if (i < 7 * 5 * 5) b[i] = a[i / 25 * 225 + (i / 5 % 5 * 3 + 2) * 15 + i % 5 * 3 + 2];
    }"""
    host = """void op(const float* a, float* b, int planes, int size, int window, int stride) {
        int out = (size - window) / stride + 1;
        float *da, *db;
        cudaMalloc(&da, planes * size * size * sizeof(float));
        cudaMalloc(&db, planes * out * out * sizeof(float));
        cudaMemcpy(da, a, planes * size * size * sizeof(float), cudaMemcpyHostToDevice);
        k<<<(planes * out * out + 63) / 64, 64>>>(da, db);
        cudaMemcpy(b, db, planes * out * out * sizeof(float), cudaMemcpyDeviceToHost);
    }"""
    (plan,) = plans(kernel + host)
    sizes = plan.cases[0].scalars
    out = (sizes["size"] - sizes["window"]) // sizes["stride"] + 1
    assert sizes["planes"] * out * out == 175
    assert out > 1


def c_plan(text: str) -> tuple[Program, EntryPlan]:
    program = read(text, "k.c", platform("c").words).program
    (plan,) = infer(program, Spec())
    return program, plan


SHIFTED = """void scaled(const int* x, const int* by, int* y, int n) {
    for (int i = 0; i < n; i++) y[i] = %s;
}"""


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        ("x[i] >> by[i]", (0, 31)),
        ("(int)(x[i] + (1LL << by[i]))", (0, 63)),
        ("x[i] >> -by[i]", (-31, 0)),
        ("x[i] >> (31 - by[i])", (0, 31)),
        ("x[i] >> (by[i] - 1)", (1, 32)),
        ("x[i] >> (200 - by[i])", (169, 200)),
        ("x[i] >> (by[i] < 7 ? by[i] : 7)", (0, 31)),
        ("(by[i] > 0 ? x[i] << by[i] : x[i] >> -by[i])", (-31, 31)),
        ("x[i] >> (by[i] & 31)", None),
        ("x[i] << (by[i] > 7 || by[i] < 0 ? 7 : by[i])", None),
        ("x[i] + by[i]", None),
    ],
)
def test_integers_are_shifted_by_less_than_their_bits(
    value: str, bounds: tuple[int, int] | None
) -> None:
    _, plan = c_plan(SHIFTED % value)
    found = {b.name: b.bounds for b in plan.cases[0].buffers}
    assert found == {"x": None, "by": bounds, "y": None}
    assert not any(b.is_index for b in plan.cases[0].buffers)
    assert len(plan.cases) == 2
    assert [d.code for d in plan.diagnostics] == ([] if bounds is None else ["XP0308"])


def test_fields_of_structs_are_shifted_by_and_index_too() -> None:
    _, plan = c_plan("""struct q { float scale; int shift, row; };
    void scaled(const int* x, const struct q* q, float* y, int n) {
        for (int i = 0; i < n; i++) {
            struct q own = q[i];
            y[i] = (x[own.row] >> own.shift) * q[i].scale;
        }
    }""")
    fields = {f.name: f for b in plan.cases[0].buffers for f in b.fields}
    assert fields["q.shift"].bounds == (0, 31)
    assert not fields["q.shift"].is_index
    assert fields["q.row"].is_index
    assert plan.cases[0].buffers[1].has_indices
    assert counts(plan)["x"] > fields["q.row"].bounds[1]  # type: ignore[index]


def test_what_a_scalar_is_shifted_by_follows_from_each_case() -> None:
    _, plan = c_plan(SHIFTED % "x[i] << (n - by[i])")
    for case in plan.cases:
        n = case.scalars["n"]
        assert {b.name: b.bounds for b in case.buffers}["by"] == (n - 31, n)


@pytest.mark.parametrize("amount", ["s", "-s", "31 - s", "s + j"])
def test_scalars_to_shift_by_are_no_sizes(amount: str) -> None:
    _, plan = c_plan(f"""void f(const int* x, int* y, int s, int n) {{
        for (int i = 0; i < n; i++)
            for (int j = 0; j < 8; j++) y[i * 8 + j] = x[i] >> ({amount});
    }}""")
    assert plan.free == ("n",)
    known = {k.scalars["s"] for k in (*plan.cases, *plan.further)}
    assert len(known) > 1
    ends = [eval(amount, {"s": s, "j": j}) for s in known for j in (0, 7)]
    assert all(0 <= k < 32 for k in ends)


def test_limits_that_results_are_clamped_to_have_room_between_them() -> None:
    _, plan = c_plan("""void f(const int* x, char* y, int lo, int hi, int n, int from) {
        for (int i = from > 2 ? from : 2; i < n; i++) {
            int v = x[i] / 3;
            v = v < lo ? lo : v;
            if (v > hi) v = hi;
            y[i] = v;
        }
    }""")
    assert plan.free == ("n", "from")
    assert (plan.cases[0].scalars["lo"], plan.cases[0].scalars["hi"]) == (-100, 100)


@pytest.mark.parametrize(
    ("value", "index"), [("x[by[i]]", True), ("x[by[i] & 1]", True), ("by[i] ? x[i] : 0", False)]
)
def test_what_only_decides_whether_something_is_done_is_no_index(value: str, index: bool) -> None:
    _, plan = c_plan(SHIFTED % value)
    assert {b.name: b.is_index for b in plan.cases[0].buffers}["by"] == index


def test_a_loop_that_stops_short_of_its_end_is_bounded() -> None:
    text = """#include <stddef.h>
    void twice(const float* x, float* y, size_t n) {
        size_t i = 0;
        for (; i + 3 < n; i += 4)
            for (int k = 0; k < 4; k++) y[i + k] = 2 * x[i + k];
        for (; i < n; i++) y[i] = 2 * x[i];
    }"""
    _, plan = c_plan(text)
    n = plan.cases[0].scalars["n"]
    assert n <= counts(plan)["x"] <= n + 4


def test_fields_behind_an_address_are_sizes() -> None:
    text = """struct shape { int rows, cols; float scale; };
    int scale(const struct shape* p, const float* x, float* y) {
        if (p->rows <= 0 || p->cols % 2 != 0) return -1;
        for (int i = 0; i < p->rows * p->cols; i++) y[i] = p->scale * x[i];
        return 0;
    }"""
    _, plan = c_plan(text)
    sizes = plan.cases[0].scalars
    assert set(sizes) == {"p.rows", "p.cols", "p.scale"}
    assert counts(plan) == dict.fromkeys(("x", "y"), sizes["p.rows"] * sizes["p.cols"])


def test_no_more_bits_are_set_than_there_are() -> None:
    """What is packed behind a count of bits is as long as what it was picked from."""
    text = """int k(const int *x, int *y, int n) {
        int count = 0;
        for (int i = 0; i + 8 <= n; i += 8) {
            unsigned char m = 0;
            for (int j = 0; j < 8; j++) m |= (x[i + j] > 0) << j;
            y[count] = m;
            count += __builtin_popcount(m);
        }
        return count;
    }"""
    _, plan = c_plan(text)
    for case in range(len(plan.cases)):
        n = plan.cases[case].scalars["n"]
        assert counts(plan, case)["y"] == 8 * (n // 8 - 1) + 1


def test_a_loop_that_never_ends_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty turns of it would show no more; one that is left by a jump is followed."""
    turns: list[str] = []
    follow = statements._while_turn

    def counted(m: Machine, st: s.While) -> bool | None:
        turns.append("")
        return follow(m, st)

    monkeypatch.setattr(statements, "_while_turn", counted)
    text = """void k(const float *a, float *b, int n, int m) {
        int i = 0;
        while (m < n) { %s for (int j = 0; j < 3; j++) b[j] = a[j + i]; }
    }"""
    of_c(text % "")
    endless = len(turns)
    of_c(text % "if (i == 20) break; i++;")
    assert 0 < endless < (len(turns) - endless) / 4


def test_what_is_read_as_other_bits_is_read() -> None:
    (plan,) = plans("""__global__ void k(float* z, int n) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) z[i] = __uint_as_float(__float_as_uint(z[i]) ^ 1u);
    }""")
    assert roles(plan)["z"] == "inout"


def test_amounts_that_usual_sizes_hide_and_limits_that_are_shifted_by():
    text = """
    static int scaled(int x, int by) {
      int up = by > 0 ? by : 0, down = by > 0 ? 0 : -by;
      return (x * (1 << up)) >> down;
    }
    void f(const signed char *x, int *y, int n, int by) {
      for (int i = 0; i < n; i++) y[i] = scaled(x[i], by);
    }"""
    (plan,) = infer(read(text, "a.c", platform("c").words).program, Spec())
    amounts = {int(c.scalars["by"]) for c in (*plan.cases, *plan.further)}
    assert all(-32 < by < 32 for by in amounts)
    assert min(amounts) < 0 < max(amounts)
    assert plan.free == ("n",)


MADE_FOR = """
__global__ void conv(const float* x, const float* w, float* y) {{
    int b = blockIdx.z, f = blockIdx.x, i = threadIdx.y, j = threadIdx.x;
    if (b < {b} && f < {f} && i < {o} && j < {o}) {{
        float sum = 0;
        for (int c = 0; c < {c}; c++)
            for (int k = 0; k < {k}; k++) for (int l = 0; l < {k}; l++)
                sum += x[((b * {c} + c) * {h} + i * {s} + k) * {h} + j * {s} + l]
                     * w[((f * {c} + c) * {k} + k) * {k} + l];
        y[((b * {f} + f) * {o} + i) * {o} + j] = sum;
    }}
}}
void run(const float* x, const float* w, float* y, int n, int h, int c, int f, int k, int s) {{
    int o = (h - k) / s + 1;
    float *a, *b, *d;
    cudaMalloc(&a, n * c * h * h * 4); cudaMalloc(&b, f * c * k * k * 4);
    cudaMalloc(&d, n * f * o * o * 4);
    cudaMemcpy(a, x, n * c * h * h * 4, cudaMemcpyHostToDevice);
    cudaMemcpy(b, w, f * c * k * k * 4, cudaMemcpyHostToDevice);
    conv<<<dim3(f, 1, n), dim3(o, o)>>>(a, b, d);
    cudaMemcpy(y, d, n * f * o * o * 4, cudaMemcpyDeviceToHost);
}}
"""


@pytest.mark.parametrize(
    "sizes",
    [
        {"n": 6, "h": 12, "c": 20, "f": 48, "k": 3, "s": 1},
        {"n": 16, "h": 8, "c": 64, "f": 128, "k": 2, "s": 2},
        {"n": 5, "h": 14, "c": 36, "f": 10, "k": 4, "s": 2},
    ],
)
def test_a_kernel_for_one_shape_tells_the_sizes_of_its_host_function(sizes: dict[str, int]) -> None:
    out = (sizes["h"] - sizes["k"]) // sizes["s"] + 1
    text = MADE_FOR.format(b=sizes["n"], o=out, **{n: x for n, x in sizes.items() if n != "n"})
    program = read(text, "k.cu", platform("cuda").words).program
    (plan,) = (p for p in infer(program, Spec()) if p.entry.name == "run")
    assert plan.cases[0].scalars == sizes


def test_a_guard_on_a_multiple_is_sharp() -> None:
    """Rows 0, 16 and 32 are below 40: none of 33 to 39 is begun."""
    text = """__global__ void k(const float* x, float* y) {
        int row = blockIdx.x * 16;
        if (row < 40) for (int i = 0; i < 16; i++) y[row + i] = 2 * x[row + i];
    }"""
    program = read(text, "k.cu", platform("cuda").words).program
    given = parse_spec({"launch": {"grid": 9, "block": 1}})
    (plan,) = infer(program, given)
    assert {b.count for b in plan.cases[0].buffers} == {48}


@pytest.mark.parametrize("kind", ["static const int", "const int", "static int"])
def test_offsets_from_a_table_have_its_bounds(kind: str) -> None:
    text = f"""{kind} STEP[4] = {{0, 2, -1}};
    void f(const float *x, float *y, int n) {{
        for (int i = 0; i < n; i++)
            for (int q = 0; q < 4; q++) {{
                int at = i + STEP[q];
                at = at < 0 ? at + n : at >= n ? at - n : at;
                y[i] += x[at];
            }}
    }}"""
    _, plan = of_c(text)
    n = plan.cases[0].scalars["n"]
    assert {b.name: b.count for b in plan.cases[0].buffers} == {"x": n, "y": n}
