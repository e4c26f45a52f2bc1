"""PyTorch's CPU operators against the C that we make of CUDA and HIP kernels, timed in turns.

Prints the median ratio (time of PyTorch / time of ours; above 1: ours is faster) an operator, the
geometric mean and the slowest five. Operators and shapes are in `cpu_shapes.toml`;
results must agree.
Usage: python benchmarks/cpu.py [--only OP] [--threads 1,2] [--rounds N] [--json] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KERNELS = HERE.parent / "tests" / "kernels"
COMPILE = ("gcc", "-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", "-std=gnu17", "-w")
SLICE = 0.01
"""Seconds that one side's turn should last."""


@dataclass(frozen=True)
class Pair:
    """One operator: both sides as calls without arguments, and what each side leaves."""

    name: str
    theirs: Callable[[], Any]
    ours: Callable[[], Any]
    results: Callable[[Any], list[tuple[Any, Any]]]
    tolerance: float


def main() -> int:
    options = _options()
    try:
        import torch
    except ImportError:
        print("PyTorch is not installed (extra `bench`): nothing to compare with")
        return 0
    if os.environ.get("OMP_WAIT_POLICY") != "passive":  # neither side's idle threads may spin
        os.execve(
            sys.executable, [sys.executable, *sys.argv], os.environ | {"OMP_WAIT_POLICY": "passive"}
        )
    shapes = tomllib.loads((HERE / "cpu_shapes.toml").read_text(encoding="utf-8"))
    wanted = {k: v for k, v in shapes.items() if not options.only or k in options.only.split(",")}
    if not wanted:
        print(f"no such operator: {options.only}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        made = Path(options.keep or folder)
        made.mkdir(parents=True, exist_ok=True)
        report = {
            n: _measured(torch, wanted, made, n, options.rounds)
            for n in map(int, options.threads.split(","))
        }
    _print(report, torch, options.json)
    return 0 if all(x["wrong"] == [] for x in report.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="operators, by commas")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", help="folder for the C; what lies there is taken as it is")
    return parser.parse_args()


def _measured(
    torch: Any, shapes: Mapping[str, Any], made: Path, threads: int, rounds: int
) -> dict[str, Any]:
    torch.set_num_threads(threads)
    per_op: dict[str, float] = {}
    wrong: list[str] = []
    for name, spec in shapes.items():
        try:
            pair = _pair(torch, name, spec, made, threads)
            difference = _difference(torch, pair)
        except (RuntimeError, subprocess.CalledProcessError) as why:
            difference = str(why)
        if difference:
            wrong.append(f"{name}: {difference}")
            continue
        per_op[name] = _ratio(pair, rounds)
    mean = math.exp(statistics.fmean(map(math.log, per_op.values()))) if per_op else 0.0
    return {"geomean": round(mean, 3), "per_op": per_op, "wrong": wrong}


# -- the two sides ------------------------------------------------------------------------------


def _pair(torch: Any, name: str, spec: Mapping[str, Any], made: Path, threads: int) -> Pair:
    sizes = dict(spec["sizes"])
    mine = {k: _buffer(torch, text, sizes) for k, text in spec["buffers"].items()}
    other = {k: v.clone() for k, v in mine.items()}
    code = compile(spec["torch"], name, "eval")
    words = {"torch": torch, "F": torch.nn.functional, **_words(torch), **sizes, **other}
    library = ctypes.CDLL(str(_library(name, spec, made)))
    ctypes.CDLL("libgomp.so.1").omp_set_num_threads(threads)
    function = getattr(library, spec["function"])
    function.restype = None
    arguments = [_argument(mine.get(k, sizes.get(k))) for k in spec["call"]]

    def results(left: Any) -> list[tuple[Any, Any]]:
        values = list(left) if isinstance(left, (tuple, list)) else [left]
        return [
            (mine[k], v.detach().reshape(-1)) for k, v in zip(spec["result"], values, strict=True)
        ]

    return Pair(name, lambda: eval(code, words), lambda: function(*arguments), results,
                spec.get("tolerance", 2e-4))  # fmt: skip


def _buffer(torch: Any, text: str, sizes: Mapping[str, Any]) -> Any:
    kind, extent, *rest = text.split()
    count = int(eval(extent, {}, dict(sizes)))
    types = {"f32": torch.float32, "i32": torch.int32, "i64": torch.int64, "i8": torch.int8}
    holds = rest[0] if rest else ""
    torch.manual_seed(count)
    if holds == "permutation":
        return torch.randperm(count).to(types[kind])
    if ":" in holds:
        lo, hi = (int(eval(x, {}, dict(sizes))) for x in holds.split(":"))
        return torch.randint(lo, hi, (count,), dtype=types[kind])
    if kind != "f32":
        return torch.zeros(count, dtype=types[kind])
    drawn = torch.randn(count)
    return drawn.abs().add_(0.5) if holds == "positive" else drawn


def _argument(value: Any) -> Any:
    if isinstance(value, bool):
        return ctypes.c_bool(value)
    if isinstance(value, int):
        return ctypes.c_int(value)
    if isinstance(value, float):
        return ctypes.c_float(value)
    return ctypes.c_void_p(value.data_ptr())


def _words(torch: Any) -> dict[str, Any]:
    """What the expressions call beside PyTorch's own functions."""
    functional = torch.nn.functional
    step = torch.tensor(0.0)
    widened: dict[int, Any] = {}

    def wide(index: Any) -> Any:
        """Indices as PyTorch wants them, converted once."""
        return widened.setdefault(index.data_ptr(), index.long())

    def wave(x: Any, frequency: float, phase: float) -> Any:
        at = x * frequency + phase
        return torch.stack((torch.sin(at), torch.cos(at)), 1)

    def loss_and_gradient(z: Any, target: Any) -> Any:
        z = z.detach().requires_grad_()
        loss = functional.cross_entropy(z, target, reduction="none")
        return loss, torch.autograd.grad(loss.mean(), z)[0]

    def adamw(p: Any, g: Any, m: Any, v: Any, at: int, lr: float, beta1: float, beta2: float,
              eps: float, decay: float) -> Any:  # fmt: skip
        step.fill_(at)  # the operator takes the step that it makes, as the kernel does
        torch._fused_adamw_([p], [g], [m], [v], [], [step], lr=lr, beta1=beta1, beta2=beta2,
                            weight_decay=decay, eps=eps, amsgrad=False, maximize=False)  # fmt: skip
        return p, m, v

    def sgd(w: Any, g: Any, buf: Any, lr: float, mu: float, decay: float) -> Any:
        torch._fused_sgd_([w], [g], [buf], weight_decay=decay, momentum=mu, lr=lr, dampening=0.0,
                          nesterov=True, maximize=False, is_first_step=False)  # fmt: skip
        return w, buf

    return {"wide": wide, "wave": wave, "loss_and_gradient": loss_and_gradient, "adamw": adamw,
            "sgd": sgd}  # fmt: skip


def _lacking() -> str:
    """Instruction sets of vector code that this processor has not: it then runs plain C."""
    from xpiler.host.processor import features
    from xpiler.platforms.registry import platform

    return ", ".join(sorted(set(platform("c").tables["lowering"]["needs"]) - features()))


def _library(name: str, spec: Mapping[str, Any], made: Path) -> Path:
    """The compiled C of one kernel; made where it is not there yet."""
    from xpiler.pipeline import Options, translate
    from xpiler.verify.spec import load_sidecar

    text, library = made / f"{name}.c", made / f"{name}.so"
    if not text.is_file():
        source = KERNELS / spec["source"]
        options = Options("c", verify=False, plain=bool(_lacking()), spec=load_sidecar(source))
        done = translate(source.read_text(encoding="utf-8"), source.name, options)
        if done.text is None:
            raise RuntimeError("; ".join(d.message for d in done.diagnostics))
        text.write_text(done.text, encoding="utf-8")
    if not library.is_file() or library.stat().st_mtime < text.stat().st_mtime:
        subprocess.run([*COMPILE, str(text), "-o", str(library), "-lm"], check=True)
    return library


# -- measuring ----------------------------------------------------------------------------------


def _difference(torch: Any, pair: Pair) -> str:
    """Where the results of one call each differ by more than the tolerance; empty: nowhere."""
    left = pair.theirs()
    pair.ours()
    for mine, theirs in pair.results(left):
        if not mine.is_floating_point():
            if not torch.equal(mine.long(), theirs.long()):
                return "whole numbers differ"
            continue
        off = (mine - theirs).abs().max().item() / max(1.0, theirs.abs().max().item())
        if not off <= pair.tolerance:
            return f"differs by {off:.2g} of the largest value"
    return ""


def _ratio(pair: Pair, rounds: int) -> float:
    turns = [(side, _turns(side)) for side in (pair.theirs, pair.ours)]
    ratios = []
    for _ in range(rounds):
        theirs, ours = (_seconds(side, n) / n for side, n in turns)
        ratios.append(theirs / ours)
    return round(statistics.median(ratios), 3)


def _turns(side: Callable[[], Any]) -> int:
    return max(1, round(SLICE / min(_seconds(side, 1) for _ in range(3))))


def _seconds(side: Callable[[], Any], times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        side()
    return time.perf_counter() - begin


def _print(report: Mapping[int, Mapping[str, Any]], torch: Any, as_json: bool) -> None:
    first = next(iter(report.values()))
    if as_json:
        print(json.dumps({**first, "threads": report, "lacking": _lacking()}))
        return
    blas = "MKL" if torch.backends.mkl.is_available() else "its own BLAS"
    print(f"PyTorch {torch.__version__} (with {blas}): its time / ours, by number of threads")
    if lacking := _lacking():
        print(f"plain C, not vector code: this processor lacks {lacking}")
    names = sorted({k for x in report.values() for k in x["per_op"]})
    for name in names:
        print(f"{name:18}", *(f"{x['per_op'].get(name, math.nan):8.2f}" for x in report.values()))
    for threads, x in report.items():
        slowest = sorted(x["per_op"].items(), key=lambda p: p[1])[:5]
        said = ", ".join(f"{k} {v:.2f}" for k, v in slowest)
        print(f"{threads} thread(s): geometric mean {x['geomean']:.3f}; slowest: {said}")
        for line in x["wrong"]:
            print(f"  WRONG {line}")


if __name__ == "__main__":
    sys.exit(main())
