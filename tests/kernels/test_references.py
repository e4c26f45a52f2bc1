"""Every kernel, run unmodified on its platform's emulator, equals its NumPy reference."""

import load
import pytest
from emulate import disagreements, faults

#: One of each idiom; the rest runs nightly.
SMOKE = {
    "add/vec4_wrapper.cu",
    "batched_gemm/mfma_bf16.hip",
    "dense/int8_requant.hip",
    "gemm/cp_async.cu",
    "gemm/mfma_f32.hip",
    "gemm/wmma_half.cu",
    "gemv/constant_vector.cu",
    "layer_norm/welford.hip",
    "reduce_max/atomic_cas.hip",
    "rms_norm/bf16_wave.hip",
    "softmax/warp_rows.cu",
    "transpose/naive2d.hip",
    "unsound/divergent_barrier.cu",
    "unsound/missing_sync_tile.hip",
    "unsound/stencil_end_read.hip",
}
CASES = list(load.cases())


def _parameters(unsound: bool) -> list[object]:
    chosen = [case for case in CASES if (case.path.parent.name == "unsound") == unsound]
    marks = {True: [], False: [pytest.mark.nightly]}
    return [pytest.param(case, id=case.id, marks=marks[case.id in SMOKE]) for case in chosen]


@pytest.mark.parametrize("case", _parameters(unsound=False))
def test_equals_its_reference(case: load.Case) -> None:
    assert list(disagreements(case)) == []


@pytest.mark.parametrize("case", _parameters(unsound=True))
def test_fault_is_found(case: load.Case) -> None:
    assert case.expect["finding"] in faults(case)


SUFFIXES = {"cuda": "cu", "hip": "hip", "bang": "mlu", "c": "c"}


def test_every_kernel_has_a_case() -> None:
    files = {path for suffix in SUFFIXES.values() for path in load.ROOT.glob(f"*/*.{suffix}")}
    assert {case.path for case in CASES} == files
    assert {case.id for case in CASES} >= SMOKE


def test_every_operator_is_there_for_both_gpu_platforms() -> None:
    for op in load.operators():
        assert {case.platform for case in load.cases(op)} >= {"cuda", "hip"}


def test_every_file_announces_an_outcome() -> None:
    for case in CASES:
        outcomes = {
            case.expect.get(target, case.expect.get("all"))
            for target in SUFFIXES
            if target != case.platform
        }
        assert outcomes <= {"verified", "refused", "unsound_source"}
        assert ("unsound_source" in outcomes) == ("finding" in case.expect)
        assert ("refused" in outcomes) == ("diagnostic" in case.expect)
