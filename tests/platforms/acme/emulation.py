"""Acme C runs as CUDA under other words: its vendor would ship headers of the kind instead."""

import re
from dataclasses import replace

from xpiler.platforms.cuda.emulation import EMULATOR as CUDA

WORDS = {
    "<acme.h>": "<cuda_runtime.h>",
    "ACME_KERNEL": "__global__",
    "ACME_DEVICE": "__device__",
    "ACME_PAD": "__shared__",
    "acme_meet": "__syncthreads",
    "acme_item_": "threadIdx.",
    "acme_group_": "blockIdx.",
    "acme_items_": "blockDim.",
    "acme_groups_": "gridDim.",
}
_START = re.compile(r"acmeStart\((\w+),\s+(.+?),\s+(\w+|dim3\([^()]*\)),\s+(.*?)\);", re.S)
_LANE = re.compile(r"acme_from_lane_above\(")


def as_cuda(text: str, filename: str) -> str:
    text = _LANE.sub("__shfl_down_sync(0xffffffffu, ", text)
    text = _START.sub(r"\1<<<\2, \3>>>(\4);", text)
    for own, cuda in WORDS.items():
        text = text.replace(own, cuda)
    return CUDA.rewrite(re.sub(r"\bacme(?=[A-Z])", "cuda", text), filename)


EMULATOR = replace(CUDA, platform="acme", rewrite=as_cuda)
