"""Launch dimensions that are set one by one."""

from __future__ import annotations

from xpiler.frontend.parse import read
from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import variables, walk
from xpiler.passes.recovery import recover
from xpiler.platforms.registry import platform

TEXT = """
#include <bang.h>
__mlu_entry__ void one(float *x, int n) {{
  for (int i = taskId; i < n; i += taskDim) x[i] = 1.0f;
}}
void run(float *x, int n) {{
  cnrtQueue_t q;
  cnrtQueueCreate(&q);
  {dims}
  one<<<dim, cnrtFuncTypeBlock, q>>>(x, n);
  cnrtQueueSync(q);
}}
"""


def raised(dims: str) -> Program:
    text = TEXT.format(dims=dims)
    got = recover(read(text, "t.mlu", platform("bang").words).program)
    assert [d.message for d in got.diagnostics] == []
    return got.program


def test_dimensions_that_are_assigned_are_known_to_the_kernel() -> None:
    program = raised("cnrtDim3_t dim; dim.x = 8; dim.y = 1; dim.z = 1;")
    assert [p.name for p in program.function("one").params] == ["x", "n"]


def test_a_dimension_that_depends_on_a_branch_stays_a_parameter() -> None:
    program = raised("cnrtDim3_t dim = {4, 1, 1}; if (n > 100) dim.x = 8;")
    assert len(program.function("one").params) == 3
    assigned = [n for n in walk(program.function("run").body) if isinstance(n, s.Assign)]
    assert variables(tuple(assigned)) == {"dim_x"}
