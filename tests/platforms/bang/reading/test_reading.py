"""BANG C as a source: what tile programs become, and what is refused."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.diagnostics import Diagnostic
from xpiler.frontend.parse import read
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk
from xpiler.ir.stmt import Launch
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.recovery import LaunchShape, recover
from xpiler.pipeline import Options, translate
from xpiler.platforms.registry import platform
from xpiler.verify.inference import tasks


def program_of(text: str, arch: str | None = None) -> tuple[Program, tuple[Diagnostic, ...]]:
    got = read(text, "k.mlu", platform("bang").words, arch=arch)
    return got.program, got.diagnostics


def c_of(text: str, cores: int = 1, arch: str | None = None) -> tuple[str, tuple[str, ...]]:
    """The C text, and what was assumed on the way."""
    program, remarks = program_of(text, arch)
    assert [d.message for d in remarks if d.severity == "error"] == []
    shape = LaunchShape((1, 1, 1), (cores, 1, 1))
    raised = recover(program, {k.name: shape for k in program.kernels()})
    assert raised.diagnostics == ()
    cleaned = clean_up(raised.program, assume=Assumptions())
    return write_unit(cleaned.program, platform("c").spelling, ()).text, raised.assumptions


TILED = """
__nram__ char pool[16384];
__mlu_entry__ void add(float* c, const float* a, const float* b, int n) {
  float* x = (float*)pool;
  float* y = (float*)(pool + 8192);
  for (int i = taskId * 2048; i < n; i += taskDim * 2048) {
    int len = n - i < 2048 ? n - i : 2048;
    __memcpy(x, a + i, len * sizeof(float), GDRAM2NRAM);
    __memcpy_async((void*)y, (void*)(b + i), len * sizeof(float), GDRAM2NRAM);
    __sync();
    __bang_add(x, x, y, len);
    __memcpy(c + i, x, len * sizeof(float), NRAM2GDRAM);
  }
}
"""


def test_tiles_in_nram_leave_one_loop() -> None:
    text, assumed = c_of(TILED)
    assert "c[i] = a[i] + b[i];" in text
    assert "pool" not in text
    assert text.count("for (") == 1
    assert assumed == ()


def test_a_piece_whose_end_nobody_knows_is_said_to_end() -> None:
    text = """
__nram__ char pool[8192];
__mlu_entry__ void norm(float* y, const float* x, int n) {
  float* v = (float*)pool;
  float* w = (float*)(pool + 4096);
  __memcpy(v, x, n * 4, GDRAM2NRAM);
  __bang_mul(w, v, v, n);
  float sum = __bang_sum(w, n);
  __bang_mul_scalar(v, v, 1.0f / sum, n);
  __memcpy(y, v, n * 4, NRAM2GDRAM);
}
"""
    _, assumed = c_of(text)
    assert assumed == ("n is at most 1024",)


def test_neighbouring_elements_are_no_pieces() -> None:
    text = """
__nram__ char pool[4096];
__mlu_entry__ void diff(float* y, const float* x) {
  float* v = (float*)pool;
  __memcpy(v, x, 256, GDRAM2NRAM);
  __bang_sub(v, v + 1, v, 63);
  __memcpy(y, v, 252, NRAM2GDRAM);
}
"""
    code, _ = c_of(text)
    assert code.count("[1024]") <= 1
    assert "+ 1]" in code


def test_launches_are_groups_of_cores() -> None:
    program, _ = program_of(
        "__mlu_entry__ void k(float* x) { x[taskId] = clusterId; }\n"
        "void host(float* x, cnrtQueue_t q) { cnrtDim3_t d = {8, 2, 1};"
        " k<<<d, cnrtFuncTypeUnion1, q>>>(x); }"
    )
    assert any(isinstance(n, Launch) for f in program.functions for n in walk(f.body))
    code = write_unit(clean_up(recover(program).program).program, platform("c").spelling, ()).text
    assert "x[i * 4 + t] = i;" in code


COPY = "__memcpy(s[t & 1], x + t * 64, 256, GDRAM2SRAM);"
WORK = """
      int first = 16 * coreId;
      __memcpy(a, s[(t - 1) & 1] + first, 64, SRAM2NRAM);
      __bang_mul_scalar(a, a, 2.0f, 16);
      __memcpy(y + (t - 1) * 64 + first, a, 64, NRAM2GDRAM);"""
STAGED = """
__mlu_shared__ float s[2][64];
__mlu_entry__ void k(float* y, const float* x, int tiles) {
  __nram__ float a[64];
  const bool mpu = coreId == 0x80;
  for (int t = 0; t <= tiles; t++) {
    %s
    __sync_cluster();
  }
}
"""


@pytest.mark.parametrize(
    "body",
    [
        f"if (coreId == 0x80) {{ if (t < tiles) {COPY} }} else if (t > 0) {{ {WORK} }}",
        f"if (mpu && t < tiles) {{ {COPY} }} if (!mpu && t > 0) {{ {WORK} }}",
        f"if (t < tiles && __is_mpu()) {COPY} if (t > 0 && coreId != 0x80) {{ {WORK} }}",
        f"if (!mpu || t == tiles) {{ if (!mpu && t > 0) {{ {WORK} }} }} else {{ {COPY} }}",
    ],
)
def test_the_first_core_copies_for_the_memory_core(body: str) -> None:
    result = translate(STAGED % body, "k.mlu", Options(target="c", seed=1))
    assert result.verified, [d.render() for d in result.diagnostics]


@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("if (__is_mpu()) { __memcpy(s, x, 256, GDRAM2SRAM); __sync_cluster(); }", "waits"),
        ("if (__is_mpu()) n = 3; y[taskId] = n;", "changes n"),
        ("if (n > 1 || __is_mpu()) n = 3; y[taskId] = n;", "changes n"),
        ("if (__is_ipu() && n > 1) y[taskId] = n; else n = 3;", "changes n"),
        ("if (__is_mpu() && taskId < n) __memcpy(s, x, 4, GDRAM2SRAM);", "its number"),
        ("if (__is_ipu()) n = taskId; if (__is_mpu()) __memcpy(s, x + n, 4, GDRAM2SRAM);", "n has"),
        ("int q = n + taskId; if (__is_mpu()) __memcpy(s, x + q, 4, GDRAM2SRAM);", "q has"),
        ("if (__is_mpu()) __memcpy(s, x + taskId, 4, GDRAM2SRAM);", "its number"),
        ("if (__is_mpu()) __memcpy(s, x + coreId / 2, 4, GDRAM2SRAM);", "its number"),
        ("if (__is_mpu()) __memcpy(s, x + own(n), 4, GDRAM2SRAM);", "its number"),
        ("if (__is_mpu()) copied(s, x);", "waits"),
        ("int q = own(n); if (__is_mpu()) __memcpy(s, x + q, 4, GDRAM2SRAM);", "q has"),
        ("int q[2]; q[0] = n; if (__is_mpu()) __memcpy(s, x + q[0], 4, GDRAM2SRAM);", "q has"),
        ("if (taskId < n) { if (__is_mpu()) __memcpy(s, x, 4, GDRAM2SRAM); }", "come there"),
        ("if (taskId > n) return; if (__is_mpu()) __memcpy(s, x, 4, GDRAM2SRAM);", "come there"),
        ("if (__is_mpu()) return; if (__is_mpu()) __memcpy(s, x, 4, GDRAM2SRAM);", "leave early"),
        ("for (;;) { if (__is_mpu()) { __memcpy(s, x, 4, GDRAM2SRAM); return; } }", "leaves"),
    ],
)
def test_work_that_only_the_memory_core_can_do_is_refused(work: str, why: str) -> None:
    _, remarks = program_of(
        "__mlu_shared__ float s[64];\n"
        "__mlu_func__ int own(int n) { return n + taskId; }\n"
        "__mlu_func__ void copied(float* to, const float* from) {\n"
        "  __memcpy(to, from, 4, GDRAM2SRAM); __sync_cluster(); }\n"
        f"__mlu_entry__ void k(float* y, const float* x, int n) {{ {work} }}"
    )
    errors = [d for d in remarks if d.severity == "error"]
    assert [d.code for d in errors] == ["XP0215"]
    assert why in (errors[0].reason or "")


def test_an_idle_memory_core_is_nobody() -> None:
    code, _ = c_of(
        "__mlu_entry__ void k(float* x) { if (coreId == 0x80) return; x[coreId] = 1; }", 4
    )
    assert "128" not in code
    assert "return" not in code


@pytest.mark.parametrize(("arch", "index"), [(None, "* 32 + k"), ("mtp_592:flat", "* 64 + h")])
def test_layout_of_weights(arch: str | None, index: str) -> None:
    text = """
__mlu_entry__ void k(float* y, const float* x, const float* w) {
  __nram__ float a[32], r[64];
  __wram__ float b[64 * 32];
  __memcpy(a, x, 128, GDRAM2NRAM);
  __memcpy(b, w, 64 * 32 * 4, GDRAM2WRAM);
  __bang_mlp(r, a, b, 64, 32);
  __memcpy(y, r, 256, NRAM2GDRAM);
}
"""
    assert index in c_of(text, arch=arch)[0]


@pytest.mark.parametrize(
    ("body", "cores"),
    [("x[taskId] = 1;", 1), ("x[coreId] = 1;", 4), ("x[clusterId * 4 + coreId] = 1;", 16)],
)
def test_cores_that_run_together(body: str, cores: int) -> None:
    program, _ = program_of(f"__mlu_entry__ void k(float* x) {{ {body} }}")
    assert tasks.group(program, program.kernels()[0]) == (cores, 1, 1)


MATRIX = """
__nram__ float left[32 * 64], result[32 * 64];
__wram__ float weight[64 * 64];
__mlu_entry__ void gemm(const float* a, const float* b, float* c, int m) {
  __memcpy(weight, b, sizeof(weight), GDRAM2WRAM);
  for (int i = 0; i < m; i += 32) {
    int now = m - i < 32 ? m - i : 32;
    __memcpy(left, a + i * 64, now * 64 * sizeof(float), GDRAM2NRAM);
    __bang_matmul(result, left, weight, now, 64, 64);
    __memcpy(c + i * %d, result, now * %d * sizeof(float), NRAM2GDRAM);
  }
}
"""


def test_a_flat_copy_of_a_matrix_meets_the_nest_that_made_it() -> None:
    text, _ = c_of(MATRIX % (64, 64))
    assert "result[" not in text
    assert text.count("for (") == 3


def test_a_copy_of_part_of_the_matrix_stays_flat() -> None:
    text, _ = c_of(MATRIX % (63, 63))
    assert "c[i * 63 + i2] = result[i2]" in text
