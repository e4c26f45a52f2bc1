"""Doubles towards cores that have none: floats where nothing but values passes through them."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, translate

HALVES = """
void halves(const float* x, float* y, int n) {
  for (int i = 0; i < n; i++) y[i] = 0.5 * x[i] / sqrt(16.0) + 0.1;
}
"""

MEANS = """
void means(const float* x, float* y, double eps, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    double sum = 0.0, most = -DBL_MAX;
    for (int i = 0; i < n; i++) {
      const double v = x[r * n + i];
      sum += v * v;
      most = v > most ? v : most;
    }
    y[r] = (float)(most / sqrt(sum / (double)n + eps));
  }
}
"""

MOMENTS = """
struct moments { double mean, square; int count; };
static void add(struct moments* m, double x) {
  const double d = x - m->mean;
  m->count += 1;
  m->mean += d / m->count;
  m->square += d * (x - m->mean);
}
void variances(const float* x, float* y, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    struct moments m = {0.0, 0.0, 0};
    for (int i = 0; i < n; i++) add(&m, x[r * n + i]);
    y[r] = (float)(m.square / n);
  }
}
"""

LOSS = """
float loss(const float* x, int n) {
  double sum = 0.0;
  for (int i = 0; i < n; i++) sum += (double)x[i] * x[i];
  return (float)(0.5 * sum / n);
}
"""

ONLINE = """
void sums(const float* x, float* y, int rows, int n) {
  for (int r = 0; r < rows; r++) {
    double most = -INFINITY, sum = 0.0;
    for (int i = 0; i < n; i++) {
      const double v = 7.3 * x[r * n + i], next = fmax(most, v);
      sum = sum * exp(most - next) + exp(v - next);
      most = next;
    }
    y[r] = (float)(most + log(sum));
  }
}
"""

TWO_LAUNCHES = """
void centred(const float* x, float* y, int n) {
  double sum = 0.0;
  for (int i = 0; i < n; i++) sum += 1000.0 + x[i];
  const double mean = sum / n;
  for (int i = 0; i < n; i++) y[i] = (float)((1000.0 + x[i]) - mean);
}
"""

INDICES = """
void ramp(float* y, int n, int first) {
  for (int i = 0; i < n; i++) y[i] = (float)((i + first) * 0.1 - first * 0.1);
}
"""

RETURNED = """
double energy(const float* x, int n) {
  double sum = 0.0;
  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  return 0.5 * sum;
}
"""

ON_THE_HOST = """
void step(const float* g, float* p, int n, int t) {
  const double rate = 1.0 / (1.0 - pow(0.999, (double)t));
  for (int i = 0; i < n; i++) p[i] -= (float)rate * g[i];
}
"""


@pytest.mark.parametrize("text", [HALVES, MEANS, MOMENTS, LOSS, ONLINE, TWO_LAUNCHES, INDICES])
def test_values_that_pass_through_doubles_are_floats_and_the_verdict_says_so(text: str) -> None:
    text = "#include <float.h>\n#include <math.h>\n" + text
    done = translate(text, "k.c", Options("bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]
    assert any("what the source has in double" in a for a in done.assumptions)
    assert done.text is not None
    kernels = [k.split("\n}")[0] for k in done.text.split("__mlu_entry__")[1:]]
    assert not any("double" in k for k in kernels)


def test_a_double_that_is_given_back_is_refused() -> None:
    done = translate(RETURNED, "k.c", Options("bang", verify=False))
    assert ["gives back a double" in (d.reason or "") for d in done.errors] == [True]


def test_doubles_of_the_host_stay_doubles() -> None:
    done = translate("#include <math.h>\n" + ON_THE_HOST, "k.c", Options("bang", seed=3))
    assert done.verified, [d.render() for d in done.diagnostics]
    assert not any("double" in a for a in done.assumptions)


@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("d[i] += x[i];", "holds doubles"),
        ("y[i] = x[(int)(i * 0.1)];", "becomes an integer"),
        ("if (i * 0.1 < n * 0.01) y[i] = x[i];", "compared as doubles"),
        ("y[i] = x[i] / (x[i] * 0.3 + 1e-60);", "is no float"),
        ("y[i] = cos(pow(10000.0, -0.3 * i) * x[i]);", "pow needs all digits"),
        ("y[i] = exp(log(x[i] * 0.1) * 0.3);", "exp needs all digits"),
    ],
)
def test_doubles_that_a_float_cannot_stand_for_are_refused(work: str, why: str) -> None:
    head = "void k(const float* x, float* y, double* d, int n)"
    text = f"#include <math.h>\n{head} {{ for (int i = 0; i < n; i++) {{ {work} }} }}"
    done = translate(text, "k.c", Options("bang", verify=False))
    assert [why in (d.reason or "") for d in done.errors if d.code == "XP1202"] == [True]
