"""Loop recovery: kernels of parallel threads become sequential functions, always correctly.

The method: regions between barriers become loops over the threads (Stratton et al., MCUDA, 2008),
regions between warp collectives loops over the lanes inside loops over the warps (Han et al., COX,
2022), and divergent control around either is predicated. Variables that live across regions get
one element a unit.
"""

from xpiler.passes.recovery.recover import RecoverResult, recover
from xpiler.passes.recovery.shape import LaunchShape

__all__ = ["LaunchShape", "RecoverResult", "recover"]
