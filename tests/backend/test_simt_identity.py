"""What is read from CUDA and HIP and written back computes the same, and compiles for real."""

from __future__ import annotations

import pytest
from simt_texts import rewritten, sound

from xpiler.platforms.toolchains import compile_check, toolchain_of

# One kernel for each kind of construct.
SAMPLE = [
    "add/vec4_wrapper.cu",  # float4, macro, tail
    "gemm/wmma_half.cu",  # tensor cores
    "conv1d/constant_mask.cu",  # constant memory, copies to symbols
    "gemm/cp_async.cu",  # asynchronous copies
    "gemm/ldmatrix_ptx.cu",  # inline PTX
    "layer_norm/half2_warp.cu",  # half2, shuffles
    "scan/blelloch.cu",  # dynamic shared memory
    "scatter/add_atomic.cu",  # atomics
    "batched_gemm/mfma_bf16.hip",  # matrix cores
    "rms_norm/bf16_wave.hip",  # bf16, waves of 64 lanes
    "scan/compact_ballot.hip",  # 64-bit ballots
    "sub/half2_pairs.hip",  # native vectors of halves
]
CROSS = ["layer_norm/block.cu", "softmax/block_shared.cu"]


@pytest.mark.parametrize("name", SAMPLE)
def test_identity(name: str) -> None:
    verdict = rewritten(name).verdict()
    assert verdict.ok, verdict.render()


@pytest.mark.parametrize("name", CROSS)
def test_cuda_as_hip(name: str) -> None:
    verdict = rewritten(name, "hip").verdict()
    assert verdict.ok, verdict.render()


@pytest.mark.nightly
@pytest.mark.parametrize("name", [*sound(".cu"), *sound(".hip")])
def test_identity_of_all(name: str) -> None:
    verdict = rewritten(name).verdict()
    assert verdict.ok, verdict.render()


@pytest.mark.parametrize("platform", ["cuda", "hip"])
def test_machine_code_without_warnings(platform: str) -> None:
    spec = toolchain_of(platform)
    if spec is None or not spec.tool():
        pytest.skip("its compiler is not installed")
    suffix = {"cuda": ".cu", "hip": ".hip"}[platform]
    for name in (n for n in SAMPLE if n.endswith(suffix)):
        first = compile_check(rewritten(name).text, platform)[0]
        assert first.ok, (name, first.messages)
        assert not first.messages, (name, first.messages)
