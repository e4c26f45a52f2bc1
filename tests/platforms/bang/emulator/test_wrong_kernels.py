"""Faults of BANG C kernels are found, each with its kind and its line."""

# Kernels read better on long lines.
# ruff: noqa: E501

import pytest
from bang_running import normal, run, zeros

HEAD = "__mlu_entry__ void k(const float* a, float* b, int n) {\n"
LOAD = "  __nram__ float x[256]; __nram__ float y[256];\n  __memcpy(x, a, n * 4, GDRAM2NRAM);\n"
STORE = "  __memcpy(b, y, n * 4, NRAM2GDRAM);\n}\n"
WEIGHT = "  __wram__ float w[256];\n  __memcpy(w, a, 1024, GDRAM2WRAM);\n"
TABLES = """  __nram__ uint32_t i[64]; __nram__ int t[32]; __nram__ int o[64];
  __nramset(i, 64, 0u);
  __nramset(t, 32, 1);
"""

# What is wrong: (kind, what stands before, the wrong line). `a` is read, `b` written, n = 256.
ONE_CORE = {
    "read past a buffer": ("oob_read", LOAD, "__memcpy(y, a, n * 4 + 4, GDRAM2NRAM);"),
    "write past an array": ("oob_write", LOAD, "__bang_write_value(y, 257, 1.0f);"),
    "write past the output": ("oob_write", LOAD, "__memcpy(b + 1, x, n * 4, NRAM2GDRAM);"),
    "bytes for elements": ("oob_read", LOAD, "__bang_mul_scalar(y, x, 2.0f, n * sizeof(float));"),
    "scalar past an array": ("oob_write", LOAD, "for (int i = 0; i <= n; i++) y[i] = x[i % 256];"),
    "GDRAM operand": ("wrong_space", LOAD, "__bang_add(y, x, a, n);"),
    "WRAM operand": ("wrong_space", LOAD + WEIGHT, "__bang_add(y, x, w, n);"),
    "weight in NRAM": ("wrong_space", LOAD, "__bang_matmul(y, x, x, 1, 16, 16);"),
    "scalar WRAM": ("wrong_space", LOAD + WEIGHT, "y[0] = w[0];"),
    "direction": ("wrong_space", LOAD, "__memcpy(y, a, n * 4, NRAM2NRAM);"),
    "direction turned": ("wrong_space", LOAD, "__memcpy(b, y, n * 4, GDRAM2NRAM);"),
    "segment count": ("oob_read", LOAD, "__memcpy(y, a, 256, GDRAM2NRAM, 256, 256, 4);"),
    "segments overlap": ("operand", LOAD, "__memcpy(y, a, 16, GDRAM2NRAM, 8, 16, 3);"),
    "segments disagree": (
        "operand",
        LOAD,
        "__memcpy(y, a, 16, GDRAM2NRAM, 16, 3, 64, 1, 16, 3, 64, 2);",
    ),
    "size zero": ("operand", LOAD, "__memcpy(y, a, 0, GDRAM2NRAM);"),
    "count zero": ("operand", LOAD, "__bang_add(y, x, x, n - 256);"),
    "WRAM size": ("operand", LOAD + WEIGHT, "__memcpy(w, a, 1000, GDRAM2WRAM);"),
    "WRAM address": ("misaligned", LOAD + WEIGHT, "__memcpy(w + 1, a, 16, GDRAM2WRAM);"),
    "copy overlaps itself": ("operand", LOAD, "__memcpy(x + 16, x, 128, NRAM2NRAM);"),
    "transpose in place": ("operand", LOAD, "__bang_transpose(x, x, 16, 16);"),
    "shifted addition": ("operand", LOAD, "__bang_add(x + 1, x, x, 100);"),
    "reduce_sum size": ("operand", LOAD, "__bang_reduce_sum(y, x, 40);"),
    "cycle": ("operand", LOAD, "__bang_cycle_add(y, x, x + 200, 100, 7);"),
    "depth": ("operand", LOAD + WEIGHT, "__bang_matmul(y, x, w, 1, 12, 16);"),
    "rows of weights": ("oob_read", LOAD + WEIGHT, "__bang_matmul(y, x, w, 1, 16, 16);"),
    "window": ("operand", LOAD, "__bang_maxpool(y, x, 1, 4, 4, 5, 1, 1, 1);"),
    "NRAM capacity": ("capacity", LOAD, "__nram__ float big[131000]; big[0] = 0;"),
    "WRAM capacity": (
        "capacity",
        LOAD,
        "__wram__ char big[600 * 1024]; __memcpy(big, a, 16, GDRAM2WRAM);",
    ),
    "missing wait": (
        "missing_wait",
        LOAD + "  __memcpy_async(y, a, n * 4, GDRAM2NRAM);\n",
        "__bang_add(y, y, x, n);",
    ),
    "missing wait of a scalar": (
        "missing_wait",
        LOAD + "  __memcpy_async(y, a, n * 4, GDRAM2NRAM);\n",
        "x[0] = y[0];",
    ),
    "source overwritten": (
        "missing_wait",
        LOAD + "  __memcpy_async(b, x, n * 4, NRAM2GDRAM);\n",
        "__bang_add(x, x, x, n);",
    ),
    "source overwritten by a scalar": (
        "missing_wait",
        LOAD + "  __memcpy_async(b, x, n * 4, NRAM2GDRAM);\n",
        "x[3] = 0;",
    ),
    "wrong fence": (
        "missing_wait",
        LOAD + "  __memcpy_async(y, a, n * 4, GDRAM2NRAM);\n  __sync_move();\n",
        "__bang_add(y, y, x, n);",
    ),
    "copy before the result": (
        "missing_wait",
        LOAD + "  __bang_add(y, x, x, n);\n",
        "__memcpy_async(b, y, n * 4, NRAM2GDRAM);",
    ),
    "fill in flight": (
        "missing_wait",
        LOAD + "  __nramset_async(y, 64, 0.0f, 256, 0);\n",
        "__bang_add(x, x, y, 64);",
    ),
    "table": ("operand", TABLES, "__bang_lut(o, i, t, 64, 32);"),
    "SRAM of a block task": ("operand", "", "__mlu_shared__ float s[64]; s[0] = 1;"),
    "atomic on NRAM": ("wrong_space", LOAD, "__bang_atomic_add(y, x, 1.0f);"),
    "assembly": ("unsupported", "", 'asm volatile("add %r0, %r1;");'),
    "assertion": ("assert", LOAD, "assert(n < 0);"),
}


def together(cases: dict[str, tuple[str, str, str]]) -> str:
    """One kernel that runs the case of its last argument: one compilation for all of them."""
    bodies, calls = [], []
    for i, (_, before, wrong) in enumerate(cases.values()):
        bodies.append(f"__mlu_func__ void f{i}(const float* a, float* b, int n) {{\n{before}")
        bodies.append(f"  {wrong} // WRONG {i}.\n}}\n")
        calls.append(f"  if (which == {i}) f{i}(a, b, n);\n")
    head = "__mlu_entry__ void k(const float* a, float* b, int n, int which) {\n"
    return "".join(bodies) + head + "".join(calls) + "}\n"


def found(cases: dict[str, tuple[str, str, str]], what: str, cores: int, jobs: int) -> None:
    text, number = together(cases), list(cases).index(what)
    lines = text.splitlines()
    line = next(i for i, t in enumerate(lines, 1) if t.endswith(f"// WRONG {number}."))
    args = (normal(256), zeros(256), 256, number)
    errors = run(text, "k", *args, cores=cores, jobs=jobs).errors
    assert (cases[what][0], line) in errors, (errors, lines[line - 1])


@pytest.mark.parametrize("what", ONE_CORE)
def test_fault_of_one_core(what: str) -> None:
    found(ONE_CORE, what, cores=1, jobs=1)


def test_a_right_kernel_is_quiet() -> None:
    text = HEAD + LOAD + "  __bang_mul_scalar(y, x, 2.0f, n);\n" + STORE
    x = normal(256)
    for schedule in (0, 1, 2):
        ran = run(text, "k", x, zeros(256), 256, schedule=schedule)
        assert (ran[1] == 2 * x).all()
        assert not ran.findings


IPU = "  if (__is_mpu()) return;\n"
OWN = "  __nram__ float x[64];\n  __bang_write_value(x, 64, (float)taskId);\n"
SEVERAL = {
    "race of the cores": ("race", IPU, "b[n / 2] = taskId;"),
    "race of copies": ("race", IPU + OWN, "__memcpy(b, x, 256, NRAM2GDRAM);"),
    "missing barrier": (
        "race",
        IPU + "  __mlu_shared__ float s[4];\n  s[coreId] = a[coreId];\n",
        "b[taskId] = s[3 - coreId];",
    ),
    "divergent barrier": (
        "divergent_barrier",
        IPU + "  if (coreId == 2) return;\n",
        "__sync_all_ipu();",
    ),
    "memory core missing": ("divergent_barrier", IPU, "__sync_cluster();"),
    "one barrier more": (
        "divergent_barrier",
        IPU + "  if (coreId == 1) __sync_all_ipu();\n",
        "__sync_all_ipu();",
    ),
    "memory core's index": ("oob_write", "", "b[coreId * 8] = 1;"),
    "SRAM copy by compute cores": (
        "operand",
        IPU + "  __mlu_shared__ float s[64];\n",
        "__memcpy(s, a, 256, GDRAM2SRAM);",
    ),
    "SRAM direction": (
        "wrong_space",
        "  __mlu_shared__ float s[64];\n",
        "__memcpy(b, a, 256, GDRAM2SRAM);",
    ),
}
ACROSS = {
    "barrier of one cluster": (
        "race",
        IPU + "  if (taskId == 0) b[0] = 1;\n  __sync_all_ipu_within_cluster();\n",
        "if (taskId == 7) b[1] = b[0];",
    ),
    "race of jobs": ("race", OWN, "__memcpy(b, x, 256, NRAM2GDRAM);"),
}


@pytest.mark.parametrize("what", SEVERAL)
def test_fault_of_several_cores(what: str) -> None:
    found(SEVERAL, what, cores=4, jobs=1)


@pytest.mark.parametrize(
    ("what", "cores", "jobs"), [("barrier of one cluster", 8, 1), ("race of jobs", 1, 4)]
)
def test_fault_across_clusters_and_jobs(what: str, cores: int, jobs: int) -> None:
    found(ACROSS, what, cores, jobs)


def test_a_union_has_a_power_of_two_of_clusters() -> None:
    assert run(HEAD + "}\n", "k", zeros(1), zeros(1), 1, cores=6).errors == [("launch", 0)]


def test_old_architectures_ask_for_more() -> None:
    text = HEAD + LOAD + "  __bang_add(y, x, x, 200); // multiples of 128 bytes\n" + STORE
    assert run(text, "k", normal(256), zeros(256), 256, arch="mtp_270").errors == [("operand", 4)]
    assert not run(text, "k", normal(256), zeros(256), 256, arch="mtp_372").errors


def test_poison_tells_what_was_never_written() -> None:
    """Padding may be touched; it is told where it reaches the output."""
    text = HEAD + LOAD.replace("n * 4", "n * 2") + "  __bang_add(y, x, x, n);\n" + STORE
    clean = text.replace("__memcpy(b, y, n * 4", "__memcpy(b, y, n * 2")
    first, second = (run(text, "k", normal(256), zeros(256), 256, poison=p) for p in (0, 1))
    assert (first.buffers[1] != second.buffers[1]).any()
    assert ("uninitialised_read", 5) in first.notes
    assert not run(clean, "k", normal(256), zeros(256), 256).findings


def test_a_lazy_copy_shows_a_missing_wait_without_checks() -> None:
    body = "  __memcpy_async(y, a, n * 4, GDRAM2NRAM);\n  __bang_add(y, y, x, n);\n  __sync();\n"
    lazy, eager = (
        run(HEAD + LOAD + body + STORE, "k", normal(256), zeros(256), 256, checks=False, schedule=s)
        for s in (0, 1)
    )
    assert (lazy.buffers[1] != eager.buffers[1]).any()


def test_sram_of_another_task_is_not_there_yet() -> None:
    """GDRAM2SRAM is the memory core's work: where it left early, nothing came."""
    body = (
        "  if (__is_mpu()) return;\n  __mlu_shared__ float s[64]; __nram__ float x[64];\n"
        "  __memcpy(s, a, 256, GDRAM2SRAM);\n  __sync_all_ipu();\n  __memcpy(x, s, 256, SRAM2NRAM);\n"
        "  __memcpy(b + taskId * 64, x, 256, NRAM2GDRAM);\n}\n"
    )
    first, second = (
        run(HEAD + body, "k", normal(256), zeros(256), 256, cores=4, poison=p) for p in (0, 1)
    )
    assert (first.buffers[1] != second.buffers[1]).any()
