"""Dynamic shared memory that pointers divide up, and what then becomes of it."""

from __future__ import annotations

import pytest
from raised import cleaned_kernel

SOURCE = """
__global__ void rows(const float *x, float *y, int n) {
  extern __shared__ float memory[];
  %s
  int t = threadIdx.x;
  const float *own = x + blockIdx.x * n;
  float sum = 0.0f;
  for (int i = t; i < n; i += 64) { row[i%s] = own[i]; sum += own[i]; }
  part[t] = sum;
  __syncthreads();
  for (int w = 32; w > 0; w >>= 1) { if (t < w) part[t] += part[t + w]; __syncthreads(); }
  float total = part[0];
  for (int i = t; i < n; i += 64) y[blockIdx.x * n + i] = row[i%s] / total;
}
void run(const float *x, float *y, int m, int n) { rows<<<m, 64, (n + 64) * 4>>>(x, y, n); }
"""


def cleaned(memory: str, shift: str = "") -> str:
    return cleaned_kernel(SOURCE % (memory, shift, shift))


@pytest.mark.parametrize(
    "memory",
    [
        "float *row = memory, *part = memory + n;",
        "float *part = memory, *row = part + 64;",
        "float *row = memory; float *part = &row[n];",
        "float *row = memory, *part = memory + n, *unused = part + 8;",
    ],
)
def test_parts_are_memories_of_their_own(memory: str) -> None:
    text = cleaned(memory)
    assert "while" not in text
    assert "memory" not in text
    assert text.count("for i") == 2


def test_a_part_that_its_subscripts_leave_stays_where_it_is() -> None:
    text = cleaned("float *row = memory, *part = memory + n;", " + 1")
    assert "memory <- host.alloc" in text


def test_a_memory_whose_parts_lie_in_each_other_stays_whole() -> None:
    text = cleaned("float *row = memory, *part = memory + n / 2;")
    assert "memory <- host.alloc" in text
