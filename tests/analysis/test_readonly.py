"""Which parameters are structs handed over by address just to be read."""

from __future__ import annotations

from xpiler.analysis.readonly import read_by_field
from xpiler.frontend import read
from xpiler.platforms.registry import platform

HEAD = "#include <stddef.h>\ntypedef struct { int rows, cols; float scale; } shape_t;\n"
BODY = "for (int i = 0; i < p->rows * p->cols; i++) y[i] = p->scale * x[i];"


def found(text: str) -> dict[str, frozenset[str]]:
    return dict(read_by_field(read(HEAD + text, "k.c", platform("c").words).program))


def function(body: str, const: str = "const ") -> str:
    return f"void scale({const}shape_t *p, const float *x, float *y) {{ {body} }}"


def test_fields_read_from_a_constant_struct() -> None:
    assert found(function(BODY)) == {"scale": frozenset("p")}


def test_a_struct_that_may_be_written_is_none() -> None:
    assert found(function(BODY, const="")) == {}


def test_several_structs_are_an_array() -> None:
    assert found(function("for (int i = 0; i < 4; i++) y[i] = p[i].scale * x[i];")) == {}


def test_asking_for_null_is_no_other_use() -> None:
    assert found(function(f"if (p == NULL) return; {BODY}")) == {"scale": frozenset("p")}


def test_asking_for_null_in_a_loop_or_for_a_value_is_another_use() -> None:
    assert found(function("for (int i = 0; i < 4; i++) if (p) y[i] = p->scale * x[i];")) == {}
    assert found(function("y[0] = (p ? p->scale : 1.0f) * x[0];")) == {}
    assert found(function("if (p) { BODY }".replace("BODY", BODY))) == {}


def test_an_address_that_is_kept_is_another_use() -> None:
    assert found(function(f"const shape_t *q = p; if (q) {{ {BODY} }}")) == {}


def test_helpers_that_only_read_may_be_handed_it() -> None:
    helper = "static int area(const shape_t *s) { return s->rows * s->cols; }\n"
    text = helper + function("for (int i = 0; i < area(p); i++) y[i] = p->scale * x[i];")
    assert found(text) == {"area": frozenset("s"), "scale": frozenset("p")}
    spoilt = (
        helper
        + "static int other(const shape_t *s) { return area(s + 1); }\n"
        + function("y[0] = area(p) + other(p);")
    )
    assert found(spoilt) == {}


HELD = "typedef struct { float *data; int n; } vec_t;\n"


def test_pointers_in_the_struct_are_read_like_numbers() -> None:
    body = "const float *row = &v->data[1]; for (int i = 1; i < v->n; i++) v->data[i - 1] = row[i];"
    assert found(HELD + f"void f(const vec_t *v) {{ {body} }}") == {"f": frozenset("v")}


def test_a_struct_in_memory_with_more_behind_it_stays_there() -> None:
    chain = "typedef struct { vec_t *first; } list_t; "
    assert found(f"{HELD}{chain}float f(const list_t *l) {{ return l->first->data[0]; }}") == {}
    assert found(HELD + "const float *const *f(const vec_t *v) { return (void *)&v->data; }") == {}
