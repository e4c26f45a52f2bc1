"""The verifier: right translations pass, wrong ones do not, and shaky sources are told apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from tests.verify.programs import Memory, Program, Python, buffer, judge

from xpiler.verify.invocation import Finding, RunResult
from xpiler.verify.runner import Unit
from xpiler.verify.verdict import Verdict, combine
from xpiler.verify.verifier import Entry, Options, VerifyCase, verify

F = np.float32


def writes(function: Callable[..., Any]) -> Program:
    """A program that stores function(x, w, ...) in y."""

    def run(m: Memory, _: int) -> None:
        given = {k: v for k, v in m.items() if k not in "yz"}
        m["y"][:] = function(**given).reshape(-1)

    return run


def rows(x: Any, width: int) -> Any:
    return x.reshape(-1, width)


def sequential(terms: Any) -> Any:
    """Sums along the last axis from left to right in single precision."""
    return np.cumsum(terms, axis=-1, dtype=F)[..., -1]


N, K, M = 12, 700, 9


def product(x: Any, w: Any, terms: int = K, order: int = 1, kind: Any = F) -> Any:
    left, right = rows(x, K)[:, :terms:order], w.reshape(K, M)[:terms:order]
    return sequential((left[:, None, :] * right.T[None]).astype(kind))


GEMM = (buffer("x", N * K), buffer("w", K * M), buffer("y", N * M))


def softmax(x: Any) -> Any:
    e = np.exp(rows(x, 64) - rows(x, 64).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_online(x: Any) -> Any:
    """Another order of summation and a reciprocal instead of a division."""
    e = np.exp(rows(x, 64) - rows(x, 64).max(axis=1, keepdims=True))
    return e * (F(1) / sequential(e)[:, None])


def like(inputs: int, outputs: int | None = None) -> tuple[Any, ...]:
    """One input and one output, of single precision."""
    return buffer("x", inputs), buffer("y", outputs or inputs)


RIGHT: dict[str, tuple[Program, Program, tuple[Any, ...]]] = {
    "elementwise": (writes(lambda x: x * F(2)), writes(lambda x: x + x), like(300)),
    "gemm reordered": (
        writes(product),
        writes(lambda x, w: rows(x, K) @ w.reshape(K, M)),
        GEMM,
    ),
    "softmax reordered": (writes(softmax), writes(softmax_online), like(640)),
    "mean by reciprocal": (
        writes(lambda x: rows(x, 100).sum(axis=1) / F(100)),
        writes(lambda x: sequential(rows(x, 100)) * F(0.01)),
        (buffer("x", 1000), buffer("y", 10)),
    ),
    "one long sum": (
        writes(lambda x: x.sum(dtype=F)), writes(lambda x: sequential(x)), like(20000, 1),
    ),
    "half storage, single sums": (
        writes(lambda x, w: (x.astype(F).reshape(4, -1) @ w.astype(F))),
        writes(lambda x, w: sequential(x.astype(F).reshape(4, -1) * w.astype(F))),
        (buffer("x", 2048, "float16"), buffer("w", 512, "float16"), buffer("y", 4, "float16")),
    ),
    "integers": (
        writes(lambda x: np.cumsum(x)), writes(lambda x: np.add.accumulate(x)),
        (buffer("x", 50, "int32"), buffer("y", 50, "int32")),
    ),
    "rounding to int8": (
        writes(lambda x: np.rint(x / F(0.013))), writes(lambda x: np.rint(x * F(1 / 0.013))),
        (buffer("x", 5000, bounds=(-1, 1)), buffer("y", 5000, "int8")),
    ),
    "square root needs positive inputs": (
        writes(lambda x: np.sqrt(x)), writes(lambda x: np.power(x, F(0.5))), like(500),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("seed", range(3))
def test_right_translations_are_verified(name: str, seed: int) -> None:
    source, target, args = RIGHT[name]
    verdict = judge(source, target, *args, options=Options(seed=seed))
    assert verdict.ok, verdict.render()
    assert verdict.runs >= 6


def half_sums(x: Any, w: Any) -> Any:
    terms = rows(x, K)[:, None, :] * w.reshape(K, M).T[None]
    return np.cumsum(terms, axis=-1, dtype=np.float16)[..., -1]


def skips(index: int) -> Program:
    """A gemm that forgets one term of every sum."""

    def run(x: Any, w: Any) -> Any:
        keep = np.arange(K) != index
        return rows(x, K)[:, keep] @ w.reshape(K, M)[keep]

    return writes(run)


def with_tail(count: int) -> Program:
    def run(m: Memory, _: int) -> None:
        m["y"][:count] = m["x"][:count] * F(3)

    return run


X, Y = buffer("x", 130), buffer("y", 130)
TRIPLE = writes(lambda x: x * F(3))
WRONG: dict[str, tuple[Program, Program, tuple[Any, ...]]] = {
    "last term dropped": (writes(product), skips(K - 1), GEMM),
    "first term dropped": (writes(product), skips(0), GEMM),
    "inner term dropped": (writes(product), skips(333), GEMM),
    "term dropped from a very long sum": (
        writes(lambda x: x.sum(dtype=F)), writes(lambda x: x[:-1].sum(dtype=F)),
        (buffer("x", 200_000), buffer("y", 1)),
    ),
    "term dropped from a mean": (
        writes(lambda x: rows(x, 1000).mean(axis=1)),
        writes(lambda x: rows(x, 1000)[:, 1:].sum(axis=1) / 1000), like(8000, 8),
    ),
    "half accumulation": (writes(product), writes(half_sums), GEMM),
    "operands narrowed": (
        writes(product), writes(lambda x, w: product(x.astype(np.float16).astype(F), w)), GEMM,
    ),
    "result narrowed": (TRIPLE, writes(lambda x: (x * F(3)).astype(np.float16)), (X, Y)),
    "off by one": (writes(lambda x: x * F(3)), writes(lambda x: np.roll(x, 1) * F(3)), (X, Y)),
    "one element off": (
        TRIPLE, writes(lambda x: np.concatenate([x[:-1] * F(3), x[-2:-1]])), (X, Y),
    ),
    "swapped index": (
        writes(lambda x: rows(x, 10).T), writes(lambda x: rows(x, 13).T.reshape(13, 10).T),
        (X, Y),
    ),
    "not transposed": (writes(lambda x: x.reshape(10, 10).T), writes(lambda x: x), like(100)),
    "tail not written": (TRIPLE, with_tail(128), (X, Y)),
    "written too far": (with_tail(128), TRIPLE, (X, Y)),
    "wrong sign of zero cases only": (
        writes(lambda x: np.maximum(x, 0)), writes(lambda x: np.abs(x)), (X, Y),
    ),
    "bf16 for f32": (
        TRIPLE, writes(lambda x: ((x * F(3)).view(np.uint32) & np.uint32(0xFFFF0000)).view(F)),
        (X, Y),
    ),
    "softmax without the maximum of a row": (
        writes(softmax),
        writes(lambda x: np.exp(rows(x, 64)) / np.exp(rows(x, 64)[:, :63]).sum(1, keepdims=True)),
        like(640),
    ),
    "truncated instead of rounded": (
        writes(lambda x: np.rint(x * F(50))), writes(lambda x: np.trunc(x * F(50))),
        (buffer("x", 500), buffer("y", 500, "int32")),
    ),
    "other element on a tie": (
        writes(lambda x: rows(x, 50).argmax(axis=1)),
        writes(lambda x: 49 - rows(x, 50)[:, ::-1].argmax(axis=1)),
        (buffer("x", 2000), buffer("y", 40, "int32")),
    ),
    "factor of an unused path": (
        writes(lambda x: np.where(x < 0, x * F(0.1), x)),
        writes(lambda x: np.where(x < 0, x * F(0.100001), x)),
        (X, Y),
    ),
    "truncated to half instead of rounded": (
        writes(lambda x: (x * F(3)).astype(np.float16)),
        writes(lambda x: ((x * F(3)).view(np.uint32) & np.uint32(0xFFFFE000)).view(F)),
        (buffer("x", 300), buffer("y", 300, "float16")),
    ),
    "another element taken for the maximum": (
        writes(softmax),
        writes(lambda x: (z := np.exp(rows(x, 64) - rows(x, 64)[:, :1])) / z.sum(1, keepdims=True)),
        like(6400),
    ),
    "lost in int8": (
        writes(lambda x, w: x.astype(np.int32) * w.astype(np.int32)),
        writes(lambda x, w: (x * w).astype(np.int32)),
        (buffer("x", 64, "int8"), buffer("w", 64, "int8"), buffer("y", 64, "int32")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("seed", range(3))
def test_wrong_translations_are_told(name: str, seed: int) -> None:
    source, target, args = WRONG[name]
    verdict = judge(source, target, *args, options=Options(seed=seed))
    assert verdict.outcome == "wrong", verdict.render()
    assert verdict.code == "XP0701"
    assert verdict.reason


@pytest.mark.parametrize("seed", [54, 55, 58])
def test_logits_that_are_nearly_alike_may_be_summed_in_another_order(seed: int) -> None:
    """Some elements move far with few of the signs only: one run is not enough."""
    queries, keys, depth = 400, 40, 160

    def attention(order: Sequence[int]) -> Program:
        def compute(q: Any, k: Any, v: Any) -> Any:
            q, k, v = rows(q, depth), rows(k, depth), rows(v, depth)
            logits = np.zeros((queries, keys), F)
            for d in order:
                logits = logits + q[:, d, None] * k[:, d]
            e = np.exp(logits - logits.max(axis=1, keepdims=True))
            return e @ v / e.sum(axis=1, keepdims=True)

        return writes(compute)

    inputs = (buffer("q", queries * depth), *(buffer(n, keys * depth) for n in "kv"))
    pair = attention(range(depth)), attention(range(depth)[::-1])
    verdict = judge(*pair, *inputs, buffer("y", queries * depth), options=Options(seed=seed))
    assert verdict.outcome == "verified", verdict.reason


def test_a_large_input_is_not_kept_run_after_run() -> None:
    """`UNTOUCHED` stands for it; a side that changes it is wrong all the same."""
    wide = buffer("x", 6_000_000)

    def halves(m: Memory, _: int) -> None:
        m["y"][:] = m["x"].reshape(2, -1).sum(axis=1, dtype=F)

    def spoils(m: Memory, _: int) -> None:
        halves(m, 0)
        m["x"][-1] += F(1)

    few = Options(seed=3, runs=3)
    assert judge(halves, halves, wide, buffer("y", 2), options=few).ok
    verdict = judge(halves, spoils, wide, buffer("y", 2), options=few)
    assert verdict.outcome == "wrong"
    assert verdict.reason.startswith("x[5999999]")


def test_a_changed_input_is_wrong() -> None:
    def clobbers(m: Memory, _: int) -> None:
        m["y"][:] = m["x"] * F(3)
        m["x"][5] = 0

    verdict = judge(TRIPLE, clobbers, X, Y)
    assert verdict.outcome == "wrong"
    assert "x[5]" in verdict.reason


def test_in_place_buffers_are_compared() -> None:
    def scale(factor: float) -> Program:
        def run(m: Memory, _: int) -> None:
            m["a"][:] = m["a"] * F(factor)

        return run

    inout = buffer("a", 64, role="inout")
    assert judge(scale(3), scale(3), inout).ok
    assert judge(scale(3), scale(3.0001), inout).outcome == "wrong"


def test_elements_that_the_source_leaves_alone_are_left_alone() -> None:
    assert judge(with_tail(128), with_tail(128), X, Y).ok


def test_a_thread_order_that_shows_is_the_sources_fault() -> None:
    def racy(m: Memory, schedule: int) -> None:
        m["y"][:] = m["x"] * F(3)
        m["y"][3] += schedule

    verdict = judge(racy, TRIPLE, X, Y)
    assert (verdict.outcome, verdict.code) == ("unsound_source", "XP0707")


@pytest.mark.parametrize("faulty", ["source", "target"])
def test_a_tentative_case_counts_where_the_source_is_sound(faulty: str) -> None:
    """Two cases; in the second one side has a fault."""

    @dataclass
    class Second(Python):
        def _run(self, unit: Unit, job: Any) -> RunResult:
            run = super()._run(unit, job)
            bad = unit.text == faulty and len(run.outputs["y"]) == 40
            return replace(run, findings=(Finding("oob_read", "off the end"),)) if bad else run

    double = writes(lambda x: x * F(2))
    executor = Second({"source": double, "target": double})
    cases = [VerifyCase(like(30), Entry("f"), Entry("f"))]
    cases += [VerifyCase(like(40), Entry("f"), Entry("f"), tentative=True)]
    units = Unit("source", "cuda"), Unit("target", "c")
    verdict = verify(*units, cases, executor=executor, options=Options(seed=7))
    assert verdict.outcome == ("verified" if faulty == "source" else "wrong")


def test_atomics_in_any_order_are_no_fault() -> None:
    def atomic(m: Memory, schedule: int) -> None:
        x = m["x"][::-1] if schedule else m["x"]
        m["y"][0] = sequential(x)

    verdict = judge(atomic, writes(lambda x: x.sum(dtype=F)), buffer("x", 3000), buffer("y", 1))
    assert verdict.ok, verdict.render()


@pytest.mark.parametrize(("side", "outcome"), [("source", "unsound_source"), ("target", "wrong")])
def test_faults_found_while_running(side: str, outcome: str) -> None:
    fault = (Finding("oob_read", "x[130] is out of bounds", line=12),)
    verdict = judge(TRIPLE, TRIPLE, X, Y, findings={side: fault})
    assert verdict.outcome == outcome
    assert verdict.findings == fault
    assert "line 12" in verdict.diagnostics()[0].message


def test_notes_are_no_faults() -> None:
    note = (Finding("same_value_race", "harmless", severity="note"),)
    assert judge(TRIPLE, TRIPLE, X, Y, findings={"source": note}).ok


def test_a_function_of_nothing_but_jumps_is_not_verified() -> None:
    bits = writes(lambda x: x.view(np.uint32) & np.uint32(7))
    noisy = writes(lambda x: (x * F(1.0000002)).view(np.uint32) & np.uint32(7))
    verdict = judge(bits, noisy, buffer("x", 500), buffer("y", 500, "uint32"))
    assert verdict.outcome != "verified"


@pytest.mark.parametrize(
    "function",
    [lambda x: np.full_like(x, np.nan), lambda x: np.zeros_like(x)],
    ids=["not a number", "constant"],
)
def test_outputs_that_say_nothing_verify_nothing(function: Any) -> None:
    verdict = judge(writes(function), writes(function), X, Y)
    assert (verdict.outcome, verdict.code) == ("unverified", "XP0704")


@pytest.mark.parametrize(("scale", "outcome"), [(2, "verified"), (3, "wrong")])
def test_sizes_that_show_nothing_do_not_count_beside_others(scale: int, outcome: str) -> None:
    """With 40 elements the source gives zeros whatever it is given; a fault there shows still."""

    def window(m: Memory, _: int) -> None:
        m["y"][:] = m["x"] * F(2) if len(m["x"]) == 30 else 0

    def other(m: Memory, _: int) -> None:
        m["y"][:] = m["x"] * F(2) if len(m["x"]) == 30 else scale - 2

    cases = [VerifyCase(like(n), Entry("f"), Entry("f")) for n in (30, 40)]
    units = Unit("source", "cuda"), Unit("target", "c")
    executor = Python({"source": window, "target": other})
    verdict = verify(*units, cases, executor=executor, options=Options(seed=7))
    assert verdict.outcome == outcome


def test_an_idle_source_is_not_verified() -> None:
    def idle(m: Memory, _: int) -> None:
        pass

    assert judge(idle, idle, X, Y).outcome == "unverified"


def test_linearity_is_noticed() -> None:
    verdict = judge(writes(product), writes(product), *GEMM)
    assert any("linear in x, w" in note for note in verdict.notes)
    assert verdict.exact_runs == 3
    nonlinear = judge(writes(softmax), writes(softmax), buffer("x", 640), buffer("y", 640))
    assert not any("linear" in note for note in nonlinear.notes)
    assert nonlinear.exact_runs == 0


@pytest.mark.parametrize("slow", ["st", "s", "t"])
def test_a_slow_program_gets_fewer_runs_and_says_so(slow: str) -> None:
    executor = Python({"s": TRIPLE, "t": TRIPLE}, seconds=dict.fromkeys(slow, 1.0))
    case = VerifyCase((X, Y), Entry("f"), Entry("f"))
    verdict = verify(
        Unit("s", "cuda"), Unit("t", "c"), [case], executor=executor, options=Options(seconds=10)
    )
    assert verdict.ok
    assert verdict.runs < 6
    assert any("time ran out" in note for note in verdict.notes)
    assert all(executor.calls.count(unit) <= 8 for unit in slow)


@pytest.mark.parametrize(("platform", "outcome"), [("cuda", "unverified"), ("c", "wrong")])
def test_a_target_that_does_not_end_is_slow_or_hangs(platform: str, outcome: str) -> None:
    """Threads that wait for each other take long to emulate; plain C does not."""
    late = Finding("timeout", "the run took longer than it may")
    executor = Python({"s": TRIPLE, "t": TRIPLE}, {"t": (late,)}, seconds={"s": 0.01})
    case = VerifyCase((X, Y), Entry("f"), Entry("f"))
    units = Unit("s", "c"), Unit("t", platform)
    verdict = verify(*units, [case], executor=executor, options=Options(seed=1))
    assert verdict.outcome == outcome


def test_sizes_at_which_the_target_takes_too_long_leave_the_others() -> None:
    late = Finding("timeout", "the run took longer than it may")

    class Late(Python):
        def _run(self, unit: Unit, job: Any) -> RunResult:
            result = super()._run(unit, job)
            big = job.invocation.args[0].count > 100
            return replace(result, findings=(late,)) if big and unit.text == "t" else result

    executor = Late({"s": TRIPLE, "t": TRIPLE}, seconds={"s": 0.01})
    cases = [
        VerifyCase((buffer("x", n), buffer("y", n)), Entry("f"), Entry("f"), label=f"n={n}")
        for n in (400, 50)
    ]
    units = Unit("s", "c"), Unit("t", "cuda")
    verdict = verify(*units, cases, executor=executor, options=Options(seed=1))
    assert verdict.ok, verdict.render()
    assert any("with sizes n=400" in note for note in verdict.notes)
    assert "sizes n=50" in verdict.assumptions
    assert not verify(*units, cases[:1], executor=executor, options=Options(seed=1)).ok


def test_the_same_seed_gives_the_same_verdict() -> None:
    first, again = (
        judge(writes(softmax), writes(softmax_online), buffer("x", 640), buffer("y", 640))
        for _ in range(2)
    )
    plain = [v.to_json() | {"seconds": 0} for v in (first, again)]
    assert plain[0] == plain[1]
    json.dumps(plain)


def test_the_line_names_runs_and_tolerance() -> None:
    line = judge(writes(product), writes(product), *GEMM).render()
    assert line.startswith(
        "tested (7 inputs; 3 compared exactly; tolerance ulp(float32) + 8 u sqrt(n)"
    )


def test_cases_combine_to_the_worst() -> None:
    good = Verdict("verified", "tested", runs=5, assumptions=("sizes n=3",))
    proved = Verdict("verified", "proved (all sizes)", runs=2, assumptions=("no wrap-around",))
    bad = Verdict("wrong", "compiled", code="XP0701", reason="y[0]")
    both = combine([good, proved])
    assert (both.outcome, both.level, both.runs) == ("verified", "tested", 7)
    assert both.assumptions == ("sizes n=3", "no wrap-around")
    assert combine([good, bad]).outcome == "wrong"
    assert combine([]).outcome == "unverified"
