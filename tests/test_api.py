"""What `import xpiler` offers, as somebody's own program uses it."""

from __future__ import annotations

import xpiler

ADD = """
__global__ void add(const float* a, float* b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) b[i] = a[i] + 1.0f;
}
"""


def test_every_public_name_can_be_called_whatever_was_imported_before() -> None:
    result = xpiler.translate(ADD, to="c", file="add.cu")
    assert result.text is not None
    verdict = xpiler.verify(ADD, result.text, file="add.cu", target_platform="c")
    assert verdict.ok
    assert xpiler.audit(ADD, file="add.cu") == []
    assert not xpiler.run(ADD, file="add.cu").faulty
    assert all(callable(getattr(xpiler, name)) for name in xpiler.__all__)
