"""Whether a text for a device computes what NumPy says, on its emulator with all checks off.

The judge beside the verifier for targets that are not C: the same inputs, sizes and tolerance as
`mutant_oracle`, other poison and another order of threads for each, and nothing inferred.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import load
import numpy as np
from emulate import invocation

from xpiler.host.sandbox import Limits
from xpiler.verify.execution import BuildError, Executable, build, execute
from xpiler.verify.invocation import Invocation, ScalarArg
from xpiler.verify.session import TargetPoint

RUN_SECONDS = 20.0


@dataclass
class EmulatedOracle:
    """Asks a text for `platform`; `point` and `extras` say how its entry is called.

    `alike`: as the source's is. No more than `most` inputs are asked for.
    """

    case: load.Case
    platform: str
    extras: Sequence[str] = ()
    point: TargetPoint | None = None
    alike: bool = False
    most: int = 60
    aligned: bool = False
    _built: dict[str, Executable] = field(default_factory=dict)

    def difference(self, text: str, first: int, last: int, seconds: int = 60) -> str | None:
        """What differs on inputs `first` to `last`: "" nothing; None: the text does not build."""
        deadline = time.monotonic() + seconds
        for number in range(first, min(last, self.most)):
            if number > first and time.monotonic() > deadline:
                break
            try:
                shown = self._ask(text, number)
            except BuildError:
                return None
            if shown:
                return shown
        return ""

    def _ask(self, text: str, number: int) -> str:
        sizes = self.case.sizes[number % len(self.case.sizes)]
        drawn = load.inputs(self.case, sizes, seed=1000 + number)
        with np.errstate(all="ignore"):
            want = load.expected(self.case, sizes, drawn)
        call = self._call(sizes, drawn)
        program = self._program(text, call)
        limits = Limits(seconds=3 * RUN_SECONDS, cpu_seconds=RUN_SECONDS, memory_bytes=4 << 30)
        run = execute(program, call, seed=number, poison=number, schedule=number, limits=limits)
        where = f"input {number} {dict(sizes)}"
        if run.exit_status or run.errors:
            return f"{where}: {next(iter(run.errors), f'ended with {run.exit_status}')}"
        with np.errstate(all="ignore"):
            worst = [load.mismatch(self.case, n, run.outputs[n], w) for n, w in want.items()]
        return f"{where}: {next(filter(None, worst))}" if any(worst) else ""

    def _program(self, text: str, call: Invocation) -> Executable:
        if text not in self._built:
            self._built = {text: build(text, self.platform, call, checks=False, filename="mutant")}
        return self._built[text]

    def _call(self, sizes: load.Sizes, drawn: dict[str, load.Array]) -> Invocation:
        call: Invocation = invocation(self.case, sizes, drawn)
        if self.alike:
            return call
        shape = {f"grid_{d}": n for d, n in zip("xyz", call.grid, strict=True)}
        shape |= {f"block_{d}": n for d, n in zip("xyz", call.block, strict=True)}
        shape |= {"shared_bytes": call.shared_bytes}
        more = tuple(ScalarArg("unsigned", shape[name]) for name in self.extras)
        call = replace(call, args=(*call.args, *more))
        p = self.point
        if p is not None and p.kind == "kernel":
            return replace(
                call, kind="kernel", grid=p.grid, block=p.block, shared_bytes=p.shared_bytes
            )
        return replace(call, kind="function", grid=(1, 1, 1), block=(1, 1, 1), shared_bytes=0)
