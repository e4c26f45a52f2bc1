"""The eleven passes as small checked steps that compose in any order; a schedule is a list of them.

>>> step = REGISTRY["loop_split"]
>>> done = step.apply(program, parse('loop_split(loop="i", factor=32)'))
"""

from xpiler.passes.steps.base import (
    ANYTHING,
    Around,
    Check,
    Done,
    Outcome,
    Param,
    Refusal,
    Refused,
    Step,
)
from xpiler.passes.steps.instance import Instance, instance, parse, read_python, read_toml
from xpiler.passes.steps.loop_fuse import LoopFuse
from xpiler.passes.steps.loop_reorder import LoopReorder
from xpiler.passes.steps.loop_split import LoopSplit

REGISTRY: dict[str, Step] = {step.name: step for step in (LoopSplit(), LoopFuse(), LoopReorder())}
"""Every step by its name, in the order of the design's table."""

__all__ = [
    "ANYTHING", "REGISTRY", "Around", "Check", "Done", "Instance", "Outcome", "Param", "Refusal",
    "Refused", "Step", "instance", "parse", "read_python", "read_toml",
]  # fmt: skip
