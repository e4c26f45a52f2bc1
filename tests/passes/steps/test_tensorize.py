"""Tensorize and its inverse: operands found by matching, what is assumed, what is refused."""

from __future__ import annotations

import pytest
from stepping import body, checked, refused, show, stepped

from xpiler.passes.steps import REGISTRY, Around, Done, parse
from xpiler.passes.steps.forms_of import forms
from xpiler.platforms.registry import platform

C = Around(platform("c"))
PARAMS = "float *restrict a, const float *restrict b, const float *restrict c, int n"
LOOP = "for (int i = 0; i < n; i++) for (int j = 0; j < 16; j++) "


def test_operands_are_found():
    before = body(LOOP + "a[i * 16 + j] = c[j + 3] + b[i * 32 + j];", PARAMS)
    assert show(stepped(before, 'tensorize(loop="j", form="add_16")', around=C)) == (
        "parallel for i: i32 in [0, n)\n  add_16(&a[(i * 16)], &c[3], &b[(i * 32)])\n"
    )


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("b[j] * c[i]", "scale_16"),
        ("c[i] * b[j]", "scale_16"),
        ("b[j] > c[j] ? b[j] : c[j]", "max_16"),
        ("a[i * 16 + j] + c[i] * b[j]", "mul_add_scalar_16"),
        ("b[j] * c[j] + a[i * 16 + j]", "mul_add_16"),
        ("0.5f", "fill_16"),
        ("b[i * n + j]", "copy_16"),
    ],
)
def test_bodies_match_up_to_the_order_of_operands(value: str, form: str):
    before = body(LOOP + f"a[i * 16 + j] = {value};", PARAMS)
    step = f'tensorize(loop="j", form="{form}")'
    assert form in show(stepped(before, step, around=C))
    assert checked(before, step, C).method == "same form"


def test_a_sum_is_reordered_by_assumption_only():
    before = body("for (int i = 0; i < n; i++) { float s = 0; for (int j = 0; j < 16; j++) "
                  "s += b[i * 16 + j] * c[j]; a[i] = s; }", PARAMS)  # fmt: skip
    done = REGISTRY["tensorize"].apply(before, parse('tensorize(loop="j", form="dot_16")'), C)
    assert isinstance(done, Done)
    assert "sums of floating-point numbers may be added up in another order" in done.assumptions
    assert "s += dot_16(&b[(i * 16)], &c[0])" in show(done.program)


def test_a_fused_product_is_assumed_to_be_allowed():
    before = body(LOOP + "a[i * 16 + j] += b[j] * c[j];", PARAMS)
    done = REGISTRY["tensorize"].apply(before, parse('tensorize(loop="j", form="fma_16")'), C)
    assert isinstance(done, Done)
    assert any("rounded together" in x for x in done.assumptions)


def test_detensorize_leads_back():
    before = body(LOOP + "a[i * 16 + j] = c[j + 3] + b[i * 32 + j];", PARAMS)
    after = stepped(before, 'tensorize(loop="j", form="add_16")', 'detensorize(form="add_16")',
                    around=C)  # fmt: skip
    assert show(after) == (
        "parallel for i: i32 in [0, n)\n"
        "  for i.1: i32 in [0, 16)\n"
        "    a[((i * 16) + i.1)] = (c[(3 + i.1)] + b[((i * 32) + i.1)])\n"
    )


def test_refusals_say_why():
    step = 'tensorize(loop="j", form="add_16")'
    other = body(LOOP + "a[i * 16 + j] = b[j] * c[j];", PARAMS)
    assert refused(other, step, C) == "the body of j is not what add_16 does"
    spread = body(LOOP + "a[i * 16 + j] = b[2 * j] + c[j];", PARAMS)
    assert refused(spread, step, C) == "the body of j is not what add_16 does"
    short = body(LOOP.replace("16", "12") + "a[i * 16 + j] = b[j] + c[j];", PARAMS)
    assert refused(short, step, C) == "the nest runs 12 times, add_16 does 16"
    chained = body(LOOP + "a[i * 16 + j + 1] = a[i * 16 + j] + b[j];", PARAMS)
    assert "may meet" in refused(chained, step, C)
    assert refused(other, step) == "the target has no instruction form add_16"
    assert refused(other, 'detensorize(form="add_16")', C) == "the program does not use add_16"


def test_every_form_of_the_file_is_understood():
    text = (platform("c").folder / "prelude/forms.h").read_text(encoding="utf-8")
    assert len(forms(platform("c"))) == text.count("static inline")
