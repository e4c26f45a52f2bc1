"""The helpers that written vector code calls: compiled, and compared with plain arithmetic."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import xpiler
from xpiler.host.compiler import toolchain
from xpiler.host.processor import features
from xpiler.platforms.registry import platform

NEEDS = set(platform("c").tables["lowering"]["needs"])
HEADER = Path(xpiler.__file__).parent / "platforms/c/prelude/lanes.h"
MAIN = r"""
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
%s
static double units(float got, double want)
{
    float f = (float)want;
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (isinf(f)) return got == f ? 0 : INFINITY;
    return fabs(got - want) / (fabsf(f) < 0x1p-126f ? 0x1p-149 : ldexp(1, ilogbf(f) - 23));
}
int main(void)
{
    double exp_worst = 0, exp2_worst = 0, tanh_worst = 0, log_worst = 0, erf_worst = 0;
    int wrong = 0;
    for (uint64_t first = 0; first < 1ull << 32; first += 16 * 9973) {
        float x[16], y[16], z[16], t[16], l[16], f[16];
        int a[16], b[16], c[16];
        for (int i = 0; i < 16; i++) {
            uint32_t bits = (uint32_t)(first + 9973 * i);
            memcpy(&x[i], &bits, 4);
            a[i] = first ? (int)(bits * 2654435761u) : (int)0x80808080u;
            b[i] = first ? (int)(bits * 2246822519u) : (int)0x80808080u;
        }
        _mm512_storeu_ps(y, exp_lanes(_mm512_loadu_ps(x)));
        _mm512_storeu_ps(z, exp2_lanes(_mm512_loadu_ps(x)));
        _mm512_storeu_ps(t, tanh_lanes(_mm512_loadu_ps(x)));
        _mm512_storeu_ps(l, log_lanes(_mm512_loadu_ps(x)));
        _mm512_storeu_ps(f, erf_lanes(_mm512_loadu_ps(x)));
        __m512i four = dp4a_lanes(_mm512_loadu_si512(a), _mm512_loadu_si512(b), count_from(5));
        _mm512_storeu_si512(c, four);
        for (int i = 0; i < 16; i++) {
            exp_worst = fmax(exp_worst, units(y[i], exp(x[i])));
            exp2_worst = fmax(exp2_worst, units(z[i], exp2(x[i])));
            tanh_worst = fmax(tanh_worst, units(t[i], tanh(x[i])));
            log_worst = fmax(log_worst, units(l[i], log(x[i])));
            erf_worst = fmax(erf_worst, units(f[i], erf(x[i])));
            int sum = 5 + i;
            for (int k = 0; k < 32; k += 8) sum += (int8_t)(a[i] >> k) * (int8_t)(b[i] >> k);
            wrong += sum != c[i];
        }
    }
    printf("%%g %%g ", exp_worst, exp2_worst);
    printf("%%g %%g %%g %%d", tanh_worst, log_worst, erf_worst, wrong);
}
"""


@pytest.mark.skipif(bool(NEEDS - features()), reason="the processor lacks the instructions")
def test_helpers_agree_with_plain_arithmetic(tmp_path: Path) -> None:
    unit, out = tmp_path / "unit.c", tmp_path / "unit"
    unit.write_text(MAIN % HEADER.read_text(encoding="utf-8"), encoding="utf-8")
    compiler = toolchain().compile["c"]
    flags = ["-O2", "-march=native", "-fPIE", "-Wno-unused-function"]
    subprocess.run([*compiler, *flags, str(unit), "-o", str(out), "-lm"], check=True, timeout=60)
    done = subprocess.run([str(out)], capture_output=True, text=True, check=True, timeout=60)
    exp_worst, exp2_worst, *others, wrong = map(float, done.stdout.split())
    tanh_worst, log_worst, erf_worst = others
    assert exp_worst <= 2
    assert exp2_worst <= 2
    assert tanh_worst <= 3
    assert log_worst <= 2
    assert erf_worst <= 2
    assert wrong == 0
