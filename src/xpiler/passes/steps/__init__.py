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
from xpiler.passes.steps.cache import Cache
from xpiler.passes.steps.clean_up import CleanUp
from xpiler.passes.steps.detensorize import Detensorize
from xpiler.passes.steps.instance import Instance, instance, parse, read_python, read_toml
from xpiler.passes.steps.loop_bind import LoopBind
from xpiler.passes.steps.loop_contraction import LoopContraction
from xpiler.passes.steps.loop_expansion import LoopExpansion
from xpiler.passes.steps.loop_fuse import LoopFuse
from xpiler.passes.steps.loop_recovery import LoopRecovery
from xpiler.passes.steps.loop_reorder import LoopReorder
from xpiler.passes.steps.loop_split import LoopSplit
from xpiler.passes.steps.pipeline import Pipeline
from xpiler.passes.steps.schedule import Schedule, Taken, take
from xpiler.passes.steps.tensorize import Tensorize
from xpiler.passes.steps.uncache import Uncache
from xpiler.passes.steps.unpipeline import Unpipeline

REGISTRY: dict[str, Step] = {
    step.name: step
    for step in (
        LoopRecovery(), LoopBind(), LoopSplit(), LoopFuse(), LoopReorder(), LoopExpansion(),
        LoopContraction(), Cache(), Uncache(), Pipeline(), Unpipeline(), Tensorize(),
        Detensorize(), CleanUp(),
    )
}  # fmt: skip
"""Every step by its name, in the order of the design's table."""

__all__ = [
    "ANYTHING", "REGISTRY", "Around", "Check", "Done", "Instance", "Outcome", "Param", "Refusal",
    "Refused", "Schedule", "Step", "Taken", "instance", "parse", "read_python", "read_toml", "take",
]  # fmt: skip
