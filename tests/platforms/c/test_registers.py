"""C with vector intrinsics comes out of clean-up as the plain loops that it stands for."""

from __future__ import annotations

import pytest

from xpiler.backend import write_unit
from xpiler.frontend import read
from xpiler.passes.cleanup import Assumptions, clean_up
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform


def plain(body: str, head: str = "const float *x, float *y, int n") -> str:
    """The text of `void f(head) { body }` after clean-up, without its first lines."""
    c = platform("c")
    text = f"#include <immintrin.h>\nvoid f({head})\n{{\n{body}\n}}\n"
    program = recover(read(text, "f.c", c.words).program).program
    program = clean_up(program, assume=Assumptions()).program
    written = write_unit(program, c.spelling, ()).text
    return " ".join(written[written.index("void f(") :].split())


def test_strips_and_their_masked_tail_become_one_loop() -> None:
    text = plain("""
        int i = 0;
        for (; i + 16 <= n; i += 16)
            _mm512_storeu_ps(y + i, _mm512_sqrt_ps(_mm512_loadu_ps(x + i)));
        if (i < n) {
            __mmask16 m = (__mmask16)((1u << (n - i)) - 1);
            _mm512_mask_storeu_ps(y + i, m, _mm512_sqrt_ps(_mm512_maskz_loadu_ps(m, x + i)));
        }""")
    assert text.count("for (int") == 1
    assert "for (int i = 0; i < n; i++) { float d = sqrtf(x[i]); y[i] = d; }" in text


def test_masks_of_comparisons_become_conditions() -> None:
    text = plain("""
        for (int i = 0; i < n; i += 16) {
            __mmask16 m = n - i >= 16 ? 0xFFFF : (__mmask16)((1 << (n - i)) - 1);
            __m512 v = _mm512_maskz_loadu_ps(m, x + i);
            __mmask16 low = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ);
            _mm512_mask_storeu_ps(y + i, m, _mm512_mask_blend_ps(low, v, _mm512_setzero_ps()));
        }""")
    assert "for (int i = 0; i < n; i++)" in text
    assert ">>" not in text


def test_a_tail_that_rounds_otherwise_stays_apart() -> None:
    text = plain("""
        int i = 0;
        for (; i + 16 <= n; i += 16) {
            __m512 v = _mm512_loadu_ps(x + i);
            _mm512_storeu_ps(y + i, _mm512_fmadd_ps(v, v, v));
        }
        for (; i < n; i++) y[i] = x[i] * x[i] + x[i];""")
    assert text.count("for (") == 2


def test_registers_have_the_lanes_that_are_asked_of_them() -> None:
    text = plain(
        """
        __m512i acc = _mm512_setzero_si512();
        for (int i = 0; i < n; i += 64) {
            __m512i u = _mm512_xor_si512(_mm512_loadu_si512(a + i), _mm512_set1_epi8((char)0x80));
            acc = _mm512_dpbusd_epi32(acc, u, _mm512_loadu_si512(b + i));
        }
        out[0] = _mm512_reduce_add_epi32(acc);""",
        "const signed char *a, const signed char *b, int *out, int n",
    )
    assert "(uint8_t)a[" in text  # moved up by 128 as an unsigned byte
    assert "long" not in text


@pytest.mark.parametrize("scale", [4, 8])
def test_gathers_are_subscripts_where_the_scale_is_the_size(scale: int) -> None:
    text = plain(f"""
        const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14,
                                               16, 18, 20, 22, 24, 26, 28, 30);
        for (int i = 0; i + 16 <= n; i += 16)
            _mm512_storeu_ps(y + i, _mm512_i32gather_ps(even, x, {scale}));""")
    assert ("x[" in text) == (scale == 4)


def test_lanes_keep_their_bits_through_wider_ones() -> None:
    text = plain("""
        __m512d v = _mm512_castps_pd(_mm512_loadu_ps(x)), w = _mm512_castps_pd(_mm512_loadu_ps(y));
        _mm512_storeu_ps(y, _mm512_castpd_ps(_mm512_unpacklo_pd(v, w)));
        _mm512_storeu_ps(y + 16, _mm512_castpd_ps(_mm512_unpackhi_pd(v, w)));""")
    assert "double" not in text
    assert "(float)" not in text


def test_registers_in_a_struct_are_arrays_in_it() -> None:
    text = plain("""
        struct { __m512 by, plus; } k = {.plus = _mm512_set1_ps(2), .by = _mm512_set1_ps(n)};
        for (int i = 0; i + 16 <= n; i += 16)
            _mm512_storeu_ps(y + i, _mm512_fmadd_ps(_mm512_loadu_ps(x + i), k.by, k.plus));
        """)
    assert "__m512" not in text
    assert "y[i" in text


def test_a_register_that_is_copied_and_read_again_stays() -> None:
    text = plain(
        """
        const __m512i a = _mm512_maskz_loadu_epi32((__mmask16)n, x);
        __m512i b = a;
        b = _mm512_add_epi32(b, _mm512_shuffle_epi32(b, 0xB1));
        _mm512_storeu_si512(y, _mm512_sub_epi32(b, a));""",
        "const int *x, int *y, int n",
    )
    assert "y[i] = b[i] - ((((uint16_t)n >> i) & 1) != 0 ? x[i] : 0);" in text


def test_a_wide_lane_is_computed_before_its_parts_are_stored() -> None:
    text = plain(
        """
        __m512i sum = _mm512_loadu_si512(x), v = _mm512_loadu_si512(x + 32);
        sum = _mm512_dpwssd_epi32(sum, v, v);
        _mm512_mask_storeu_epi16(y, 0xffff, sum);""",
        "const short *x, short *y",
    )
    assert "sum[i * 2] = t" in text
    assert "sum[i * 2 + 1] = t" in text
