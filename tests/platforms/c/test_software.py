"""Vector instructions in software: what a processor without them runs, and what it still finds."""

from __future__ import annotations

import re
import subprocess

import pytest

from xpiler.host.compiler import Language, toolchain
from xpiler.pipeline import Options, Translation, translate
from xpiler.platforms.c import headers, software
from xpiler.platforms.c.instructions import instructions
from xpiler.platforms.c.pieces import Header, indexed, marks

HEAD = "#include <immintrin.h>\n#include <stdlib.h>\n"
ROWS = """
void scaled(const float *x, float *y, int n, float by) {
    __m512 top = _mm512_set1_ps(-1e30f);
    for (int i = 0; i < n; i += 16) {
        __mmask16 on = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 v = _mm512_maskz_loadu_ps(on, x + i);
        top = _mm512_mask_max_ps(top, on, top, v);
        _mm512_mask_storeu_ps(y + i, on, _mm512_fmadd_ps(v, _mm512_set1_ps(by), v));
    }
    y[n] = _mm512_reduce_max_ps(top);
}
"""


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that lacks every vector instruction."""
    monkeypatch.setattr(Header, "lacks", lambda self, words: True)


def run(text: str, source: str = "k.c", target: str = "cuda") -> Translation:
    return translate(HEAD + text, source, Options(target=target, seed=1))


@pytest.mark.usefixtures("without")
def test_a_kernel_is_verified_and_the_verdict_says_what_ran() -> None:
    result = run(ROWS)
    assert result.verified
    assert result.verdict is not None
    assert "our model of AVX-512, which this processor lacks" in result.verdict.render()


@pytest.mark.usefixtures("without")
def test_cplusplus_runs_in_software_too() -> None:
    assert run(ROWS, "k.cpp").verified


@pytest.mark.usefixtures("without")
def test_a_lane_past_the_end_is_found() -> None:
    text = """
void doubled(float *y) {
    float *t = (float *)malloc(20 * sizeof(float));
    for (int i = 0; i < 20; i += 16) _mm512_storeu_ps(t + i, _mm512_set1_ps(2.0f));
    for (int i = 0; i < 20; i++) y[i] = t[i];
    free(t);
}
"""
    result = run(text)
    assert not result.verified
    assert result.verdict is not None
    assert result.verdict.outcome == "unsound_source"


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("off", [0, 1])
def test_aligned_accesses_look_at_the_address(off: int) -> None:
    text = f"""
void copied(const float *x, float *y) {{
    float *t = (float *)aligned_alloc(64, 32 * sizeof(float));
    for (int i = 0; i < 17; i++) t[i] = x[i];
    _mm512_storeu_ps(y, _mm512_load_ps(t + {off}));
    free(t);
}}
"""
    assert run(text).verified is (off == 0)


@pytest.mark.usefixtures("without")
def test_written_vector_code_runs_in_software() -> None:
    text = "void f(const float *x, float *y, int n) { for (int i = 0; i < n; i++) y[i] = x[i] * x[i]; }\n"  # noqa: E501
    result = translate(text, "f.c", Options(target="bang", seed=1))
    assert result.verified
    assert result.text is not None
    back = translate(result.text, "f.mlu", Options(target="c", seed=1))
    assert back.verified
    assert back.text is not None
    assert "_mm512" in back.text


@pytest.mark.usefixtures("without")
def test_registers_of_floats_are_bits_to_some() -> None:
    text = """
void clean(const float *x, float *y) {
    __m512 sign = _mm512_castsi512_ps(_mm512_set1_epi32(0x7fffffff));
    __m256i half = _mm512_cvtps_ph(_mm512_and_ps(_mm512_loadu_ps(x), sign), 0);
    _mm512_storeu_ps(y, _mm512_cvtph_ps(half));
}
"""
    assert run(text).verified


def test_what_the_compiler_may_not_use_is_lacking() -> None:
    gnu = """#define __AVX2__ 1
#pragma GCC push_options
#pragma GCC target("avx512f")
extern inline int wide (int a)
{
  return a;
}
typedef int __m512i;
#pragma GCC pop_options
extern inline int narrow (int a) { return wide_not (a); }
"""
    header = indexed("\n".join(marks(gnu)))
    assert header.lacks({"wide"})
    assert not header.lacks({"narrow", "__m512i"})
    clang = """#define __AVX2__ 1
static int __attribute__((__target__("avx512f,evex512"))) wide(int a) { return a; }
static int __attribute__((__target__("avx2,no-evex512"))) narrow(int a) { return a; }
"""
    header = indexed("\n".join(marks(clang)))
    assert header.lacks({"wide"})
    assert not header.lacks({"narrow"})


def test_a_text_without_intrinsics_has_no_preface() -> None:
    assert headers.preface("int f(void) { return 1; }", toolchain(None)) == ("", ())


@pytest.mark.parametrize("language", ["c", "c++"])
def test_every_instruction_of_the_table_is_there_and_compiles(language: Language) -> None:
    tools = toolchain(None)
    names = {one.name for one in instructions()}
    text, flags = software.preface(names, tools)
    assert names <= set(software.header_of(tools).where)
    command = [*tools.compile[language], "-x", language, *flags, "-w", "-fsyntax-only", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_what_an_instruction_needs_comes_with_it() -> None:
    header = software.header_of(toolchain(None))
    declared = {name for name in header.where if name.startswith("xp_")}
    words = {w for text in header.texts for w in re.findall(r"\bxp_\w+", text)}
    assert words <= declared


def test_the_library_comes_with_the_instructions() -> None:
    text = """#include <immintrin.h>
void f(const float *x, float *y, size_t n) { for (size_t i = 0; i < n; i++) y[i] = x[i]; }
"""
    assert translate(text, "k.c", Options(target="cuda", seed=1)).verified


LOCAL = """
void summed(const float *a, float *o, int n) {
    for (int r = 0; r < n; r++) {
        float m[32];
        for (int i = 0; i < 32; i++) m[i] = a[r * 32 + i];
        __m512 s = _mm512_setzero_ps();
        for (int i = 0; i < 32; i += 16) s = _mm512_add_ps(s, LOAD);
        _mm_sfence();
        o[r] = _mm512_reduce_add_ps(s);
    }
}
"""


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("name", ["k.c", "k.cpp"])
@pytest.mark.parametrize(
    ("load", "sound"),
    [
        ("_mm512_loadu_ps(&m[i])", True),
        ("_mm512_loadu_ps(&m[i + 1])", False),
        ("_mm512_maskz_loadu_ps(0x7FFF, &m[i + 1])", True),
        ("_mm512_maskz_loadu_ps(0xC000, &m[i + 1])", False),
    ],
)
def test_a_register_stays_within_a_local_array(name: str, load: str, sound: bool) -> None:
    result = run(LOCAL.replace("LOAD", load), name)
    assert result.verified == sound
    assert not [d for d in result.diagnostics if d.code == "XP0110"]
    if not sound:
        assert result.verdict is not None
        assert "array has 60 left" in result.verdict.render()
