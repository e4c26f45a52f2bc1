"""The two dialects of the SIMT surface, as data."""

from __future__ import annotations

from xpiler.platforms._simt.hip_text import rewrite_launch_macros, rewrite_vector_types
from xpiler.platforms._simt.lexer import words
from xpiler.platforms._simt.rewrite import Dialect

_HALF = words(
    "half half2 __half __half2 __half_raw __half2_raw __float2half __half2float __float2half_rn "
    "__hadd2"
)
_BFLOAT = words("__nv_bfloat16 __nv_bfloat162 nv_bfloat16 nv_bfloat162 __float2bfloat16")
_ASM = words("asm __asm__ __asm")
_COMMON_WORDS = {"__noinline__": "__attribute__((noinline))"}

CUDA = Dialect(
    entry_header="cuda_runtime.h",
    headers={
        "cuda_fp16.h": _HALF,
        "cuda_bf16.h": _BFLOAT,
        "mma.h": words("wmma"),
        "xp_ptx.h": _ASM,
        "cuda_pipeline_primitives.h": words("__pipeline_memcpy_async __pipeline_commit"),
    },
    words=_COMMON_WORDS,
    launch_calls={"cudaLaunchKernel": False, "cudaLaunchCooperativeKernel": True},
    asm_entry="ptx",
)

HIP = Dialect(
    entry_header="hip/hip_runtime.h",
    headers={
        "hip/hip_fp16.h": _HALF | words("_Float16 __fp16"),
        "hip/hip_bfloat16.h": words("hip_bfloat16 __hip_bfloat16 __hip_bfloat162 __bf16"),
        "xp_extvector.h": words("ext_vector_type __ext_vector_type__ vector_size __vector_size__"),
        "xp_ptx.h": _ASM,
    },
    words={
        **_COMMON_WORDS,
        "_Float16": "::xp_simt::Float16",
        "__fp16": "::xp_simt::Float16",
        "__bf16": "::xp_simt::BFloat16",
    },
    launch_calls={
        "hipLaunchKernel": False,
        "hipExtLaunchKernel": False,
        "hipLaunchCooperativeKernel": True,
    },
    asm_entry="gcn",
    passes=(rewrite_launch_macros, rewrite_vector_types),
)
