"""Which allocations become one for each part, and which stay whole."""

from __future__ import annotations

import pytest

from xpiler.pipeline import Options, translate

TEXT = """
__global__ void scale(const float *a, const float *b, float *c, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) BODY
}

void run(const float *x, const float *z, float *y, int n)
{
    float *d;
    cudaMalloc(&d, 3 * n * sizeof(float));
    float *e = d + n, *f = e + n;
    cudaMemcpy(d, x, n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpy(e, z, SIZE * sizeof(float), cudaMemcpyHostToDevice);
    scale<<<(n + 127) / 128, 128>>>(d, e, f, n);
    cudaMemcpy(y, f, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(d);
}
"""
APART = {
    "elements": "c[i] = a[i] * b[i];",
    "reversed": "c[n - 1 - i] = a[i] + b[i];",
    "the last part's end is the memory's": "{ c[i] = a[i] + b[i]; if (n < 0) c[n * n] = 0; }",
}
TOGETHER = {
    "beyond the end": "c[i] = a[i + 1] * b[i];",
    "before the start": "c[i] = a[i] * b[i - 1];",
    "handed on": "{ const float *p = b; c[i] = a[i] * p[i - n]; }",
    "anywhere": "c[i] = a[i] * b[(int)a[i]];",
    "the other's": "c[i - n] = a[i] + b[i];",
}


def translated(body: str, size: str = "n") -> str:
    text = TEXT.replace("BODY", body).replace("SIZE", size)
    done = translate(text, "t.cu", Options("c", verify=False, plain=True))
    assert done.text is not None
    return done.text


@pytest.mark.parametrize("name", APART)
def test_parts_that_nobody_leaves_are_the_hosts_own_buffers(name: str) -> None:
    text = translated(APART[name])
    assert "scale(x, z, y, n);" in text
    assert "malloc" not in text
    assert "memcpy" not in text


@pytest.mark.parametrize("name", TOGETHER)
def test_memory_stays_whole_where_a_part_is_left(name: str) -> None:
    text = translated(TOGETHER[name])
    assert "malloc" in text
    assert "memcpy" in text


def test_so_it_does_where_a_copy_is_larger_than_its_part() -> None:
    assert "malloc" in translated(APART["elements"], "2 * n")


def test_a_part_that_the_host_does_not_fill_stays_memory_of_its_own() -> None:
    text = translated(APART["elements"], "(n - 1)")
    assert text.count("malloc(") == 1
    assert "scale(x, e, y, n);" in text
