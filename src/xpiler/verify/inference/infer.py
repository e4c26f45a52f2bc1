"""The front door of inference: from a program and a spec to runnable plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, cycle, islice

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir.program import Function, Program
from xpiler.ir.types import I64, Scalar
from xpiler.verify.inference import candidates as c
from xpiler.verify.inference.buffers import case_of
from xpiler.verify.inference.entries import (
    entries,
    handed,
    integer_rows,
    leaves,
    pointers,
    scalars,
    untestable,
)
from xpiler.verify.inference.flags import ways
from xpiler.verify.inference.footprint import Shape
from xpiler.verify.inference.fuller import busier, fuller, runs
from xpiler.verify.inference.lent import with_known_ends
from xpiler.verify.inference.machine import LaunchRecord, Machine
from xpiler.verify.inference.plan import Case, EntryPlan, ShapeExprs
from xpiler.verify.inference.ranges import (
    index_arrays,
    index_range,
    shift_ranges,
    some_integers,
    take_values,
)
from xpiler.verify.inference.room import dynamic_bytes
from xpiler.verify.inference.search import (
    FREE_GRID,
    GOOD_COST,
    LIGHT_COST,
    MOST_BLOCKS,
    Searcher,
    Trial,
)
from xpiler.verify.inference.shapes import ShapeSearch
from xpiler.verify.inference.tiles import deciding, turning
from xpiler.verify.inference.values import TOP, Interval
from xpiler.verify.spec import Size, Spec, size_expr, size_value


def infer(program: Program, spec: Spec) -> tuple[EntryPlan, ...]:
    """Plans for every entry of `program`; raises XpilerError (XP0302 to XP0307)."""
    program = with_known_ends(program)
    try:
        first, *others = (plan_for(program, f, spec) for f in entries(program, spec.entry))
        remarks = (*first.diagnostics, *_unused(program, (first, *others), spec))
        return (replace(first, diagnostics=remarks), *others)
    except (ValueError, KeyError) as why:  # a size of the spec that has no value
        raise XpilerError(Diagnostic("XP0301", f"{program.file}: {why}")) from why


def _unused(program: Program, plans: tuple[EntryPlan, ...], spec: Spec) -> list[Diagnostic]:
    """What is said of parameters that no entry has."""
    entries = [plan.entry for plan in plans]
    known = {p.name for f in entries for p in (*scalars(program, f), *pointers(program, f))}
    inner = {name for f in entries for name in integer_rows(program, f)} - known
    who = " or ".join(f.name for f in entries[:3])
    return [
        Diagnostic(
            "XP0301", f"{name} is no parameter of {who}", "warning",
            reason="what is said of it changes nothing",
            help=f"its parameters: {', '.join(sorted(known))}" if known else "",
        )
        for name in sorted(spec.args.keys() - known - inner)
    ]  # fmt: skip


def plan_for(program: Program, entry: Function, spec: Spec) -> EntryPlan:
    """How `entry` is run; raises XpilerError where no sizes are found for a function."""
    if (why := untestable(program, entry)) is not None and entry.role != "kernel":
        raise XpilerError(why)
    search = Searcher(program, entry, spec, entry.role == "kernel")
    take_values(search)
    if entry.role != "kernel":
        return _finish(search, _bounded(search), None, "function")
    values = search.defaults(c.odd_sizes(len(search.sizes)))
    seen = _launch_in_file(program, entry)
    if seen is not None and spec.launch.block is None and spec.launch.grid is None:
        values |= _recorded_scalars(entry, seen)
        shape = (seen.grid, seen.block)
        exprs = ShapeExprs(_consts(seen.grid), _consts(seen.block), e.Const(seen.shared_bytes, I64))
    else:
        shape, exprs = _shape(search, values)
        search.free_launch = spec.launch.block is None
    trial = search.trial(values, {}, shape)
    if trial.score()[0] > 0:
        trial = search.best({}, shape)
    trial = search.lighter(trial, partial(with_values, search, trial, exprs))
    if exprs.shared_bytes is None:
        names = {n: e.Cast(_scalar(search, n), I64) for n in search.sizes}
        search.shared = dynamic_bytes(search, trial, names)
        exprs = replace(exprs, shared_bytes=search.shared)
        if search.shared is None:  # it may depend on indices: then it stays for the caller to say
            search.shared = dynamic_bytes(search, _with_data(search, trial, [])[0], names)
    try:
        if why is not None:
            raise XpilerError(why)
        return _finish(search, trial, exprs, "kernel")
    except XpilerError as fault:  # it can be translated all the same
        remarks = tuple(replace(d, severity="warning") for d in fault.diagnostics)
        return EntryPlan(entry, "kernel", (), exprs, (), remarks)


def _bounded(search: Searcher) -> Trial:
    """The best sizes of a function: with any indices, else with the first ones everywhere."""
    trial = search.bounded({})
    zeros = some_integers(search, 0)
    if not zeros or trial.score()[0] <= 0:
        return trial
    search.few = True
    other = search.bounded(zeros)
    search.few = False
    return other if other.score() < trial.score() else trial


def _launch_in_file(program: Program, kernel: Function) -> LaunchRecord | None:
    """How host code that cannot itself be an entry (such as `main`) launches `kernel`."""
    for f in program.functions:
        if f.role != "host":
            continue
        m = Machine(program)
        try:
            m.call(f, [TOP] * len(f.params))
        except Exception:  # host code outside the interpreter's reach says nothing
            continue
        for record in m.launches:
            if record.kernel == kernel.name:
                return record
    return None


def _recorded_scalars(entry: Function, seen: LaunchRecord) -> dict[str, int | float]:
    out: dict[str, int | float] = {}
    for p, value in zip(entry.params, seen.args, strict=False):
        if isinstance(p.type, Scalar) and isinstance(value, Interval) and value.single:
            out[p.name] = value.lo
    return out


def _consts(shape: tuple[int, int, int]) -> tuple[e.Expr, e.Expr, e.Expr]:
    x, y, z = (e.Const(n, I64) for n in shape)
    return x, y, z


# -- launch shape ---------------------------------------------------------------------------------


def _shape(search: Searcher, values: Mapping[str, int | float]) -> tuple[Shape, ShapeExprs]:
    launch, params = (
        search.spec.launch,
        {p.name: p.type for p in scalars(search.program, search.entry)},
    )
    shapes = ShapeSearch(search)
    given_shared = launch.shared_bytes
    shared = size_expr(given_shared, params) if given_shared is not None else None
    if launch.block is not None:
        block, block_expr = _given(launch.block, params, values)
    else:
        block = shapes.block(values, {})
        block_expr = _consts(block)
    if launch.grid is not None:
        grid, grid_expr = _given(launch.grid, params, values)
        return (grid, block), ShapeExprs(grid_expr, block_expr, shared)
    found = shapes.grid(values, {}, block)
    grid = tuple(FREE_GRID if n is None else n for n in found)  # type: ignore[assignment]
    fitted = tuple(_fit(search, shapes, block, i, n) for i, n in enumerate(found))
    return (grid, block), ShapeExprs(fitted, block_expr, shared)  # type: ignore[arg-type]


def _given(
    sizes: tuple[Size, ...], params: Mapping[str, object], values: Mapping[str, int | float]
) -> tuple[tuple[int, int, int], tuple[e.Expr, e.Expr, e.Expr]]:
    try:
        x, y, z = (size_value(n, values) for n in sizes)
        ex, ey, ez = (size_expr(n, params) for n in sizes)  # type: ignore[arg-type]
    except (ValueError, KeyError) as why:
        raise XpilerError(Diagnostic("XP0301", f"launch shape {sizes}: {why}")) from why
    return (x, y, z), (ex, ey, ez)


def _scalar(search: Searcher, name: str) -> e.Expr:
    """A scalar parameter, or a field of a struct parameter, as an expression."""
    given = handed(search.program, search.entry)
    found = (leaves(search.program, p, p.name) for p in given)
    return dict(chain.from_iterable(found))[name]


Formula = tuple[e.Expr, Callable[[Mapping[str, int | float]], int]]


def _fit(
    search: Searcher, shapes: ShapeSearch, block: tuple[int, int, int], dim: int, n: int | None
) -> e.Expr | None:
    """The grid's size in one dimension as an expression of the parameters, by a few probes.

    Those with far sizes tell a constant from blocks that one small size fills, and parameters of
    the same size from each other; there only a grid beyond what is searched may stay unknown.
    """
    if n is None:
        return None
    odd = c.odd_sizes(len(search.sizes))
    near = (odd, tuple(2 * x + 1 for x in odd), tuple(5 * x + 64 for x in reversed(odd)))
    far = tuple(FAR_FROM + FAR_STEP * k for k in range(len(odd)))
    samples: Samples = []
    beyond = []
    for sizes in (*near, far, far[::-1]):
        values = search.defaults(sizes)
        found = shapes.grid(values, {}, block)[dim]
        if found is not None:
            samples.append((values, found))
        elif sizes in near:
            return None
        else:
            beyond.append(values)
    for expr, value in _formulas(search, block):
        if all(value(values) == found for values, found in samples) and all(
            value(values) > MOST_BLOCKS for values in beyond
        ):
            return expr
    if beyond:
        return None
    return _scaled(search, samples, block[dim]) or _stepped(search, shapes, block, dim, samples)


FAR_FROM, FAR_STEP = 1100, 1300
Samples = list[tuple[Mapping[str, int | float], int]]
LARGE = 9 * 1024 + 1  # tells steps apart; the last tile of any power of two begins at its end


def _stepped(
    search: Searcher,
    shapes: ShapeSearch,
    block: tuple[int, int, int],
    dim: int,
    samples: Samples,
) -> e.Expr | None:
    """A grid of ceil(n / k) blocks for one parameter n and a constant k."""

    def steps(name: str, found: Samples) -> tuple[float, float]:
        low = max(-(-int(v[name]) // n) for v, n in found)
        return low, min((int(v[name]) - 1) // (n - 1) if n > 1 else LARGE for v, n in found)

    for name in search.sizes:
        low, high = steps(name, samples)
        if low > high or len({int(v[name]) for v, _ in samples}) == 1:
            continue
        values = {**samples[0][0], name: LARGE}
        found = shapes.grid(values, {}, block)[dim]
        low, high = steps(name, [*samples, (values, found)]) if found else (1, 0)
        if low == high:
            n = e.Cast(_scalar(search, name), I64)
            up = e.Binary("+", n, e.Const(int(low) - 1, I64), I64)
            return e.Binary("/", up, e.Const(int(low), I64), I64)
    return None


def _scaled(search: Searcher, samples: Samples, threads: int) -> e.Expr | None:
    """A grid of ceil(n * k / threads) blocks for one parameter n and a constant k."""
    for name in search.sizes:
        low = max((found - 1) * threads // int(v[name]) + 1 for v, found in samples)
        high = min(found * threads // int(v[name]) for v, found in samples)
        if low == high and low > 1:  # the samples leave one factor
            n = e.Cast(_scalar(search, name), I64)
            total = e.Binary("*", n, e.Const(low, I64), I64)
            up = e.Binary("+", total, e.Const(threads - 1, I64), I64)
            return e.Binary("/", up, e.Const(threads, I64), I64)
    return None


def _formulas(search: Searcher, block: tuple[int, int, int]) -> list[Formula]:
    def const(k: int) -> Formula:
        return e.Const(k, I64), lambda _: k

    def ceil_div(names: tuple[str, ...], k: int) -> Formula:
        product: e.Expr = e.Cast(_scalar(search, names[0]), I64)
        for name in names[1:]:
            product = e.Binary("*", product, e.Cast(_scalar(search, name), I64), I64)
        up = e.Binary("+", product, e.Const(k - 1, I64), I64)
        expr = e.Binary("/", up, e.Const(k, I64), I64) if k > 1 else product

        def value(v: Mapping[str, int | float]) -> int:
            total = 1
            for name in names:
                total *= int(v[name])
            return -(-total // k)

        return expr, value

    names = search.sizes
    pairs = [(a,) for a in names] + [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    threads = block[0] * block[1] * block[2]
    steps = c.distinct(
        [
            1,
            *block,
            threads,
            *(threads * k for k in (2, 4, 8)),
            threads // search.program.wave,
            *(b * k for b in block for k in (2, 4, 8)),
            *search.literals,
        ]
    )
    consts = [const(1), *(const(k) for k in search.literals)]
    return consts + [ceil_div(p, k) for p in pairs for k in steps if k > 0]


# -- cases ----------------------------------------------------------------------------------------


def _finish(search: Searcher, trial: Trial, exprs: ShapeExprs | None, kind: str) -> EntryPlan:
    diagnostics: list[Diagnostic] = []
    trial, indices = _with_data(search, trial, diagnostics)
    if trial.seen.failed or trial.seen.empty() or not trial.seen.legal():
        raise XpilerError(
            Diagnostic(
                "XP0306",
                f"{search.entry.name}: no sizes found that keep all accesses in bounds",
                loc=search.entry.loc,
                help="give the sizes with --arg NAME=VALUE",
            )
        )
    trials = [trial]
    if search.sizes and (more := _second(search, trial, exprs, indices)) is not None:
        trials.append(more)
    trials += _listed(search, trial)
    cases = (case_of(search, trial, indices), *_others(search, trials[1:], indices))
    notes = ("grid chosen by the caller",) if exprs and None in exprs.grid else ()
    aligned = cases_of(search, _aligned(search, trial, exprs))
    further = _further(search, trials, exprs)
    if indices:  # no second sizes were tried
        further = (*further, *aligned[:1])
    return EntryPlan(
        search.entry, kind, cases, exprs, notes, tuple(diagnostics), aligned, further,
        free=tuple(search.sizes), free_launch=search.free_launch,
    )  # fmt: skip


def _others(
    search: Searcher, trials: Sequence[Trial], indices: dict[str, bool]
) -> tuple[Case, ...]:
    """Cases of further trials; by what can be shifted may follow from their sizes."""
    if any(t.seen.shifts for t in trials):
        return cases_of(search, trials)
    return tuple(case_of(search, t, indices) for t in trials)


def _with_data(
    search: Searcher, trial: Trial, out: list[Diagnostic]
) -> tuple[Trial, dict[str, bool]]:
    """The trial with ranges for buffers: given ones, and inferred ones of index arrays."""
    data = search.given_ranges(trial.values)
    trial = search.trial(trial.values, data, trial.shape)
    indices = index_arrays(search, trial)
    unknown = sorted(indices.keys() - data.keys())
    shifts = shift_ranges(search, trial)
    if shifts.keys() - indices.keys():
        data |= {name: span for name, span in shifts.items() if name not in indices}
        trial = search.trial(trial.values, data, trial.shape)
    data |= {name: Interval(0, 0) for name in unknown}
    trial = search.trial(trial.values, data, trial.shape) if unknown else trial
    for name in (*unknown, *unknown[: -1 if len(unknown) < 2 else None]):  # one may need another
        data[name] = index_range(search, trial, name)
        trial = search.trial(trial.values, data, trial.shape)
    for name in (*unknown, *sorted(shifts.keys() - set(unknown))):
        span, used = data[name], "used as indices" if name in indices else "what is shifted by"
        taken = f"[{int(span.lo)}, {int(span.hi)}]"
        message = f"values of {name} are {used}; range {taken} taken"
        out.append(
            Diagnostic("XP0308", message, "warning", help=f"give it: --arg {name}.range=LOW:HIGH")
        )
    return trial, indices


def _second(
    search: Searcher, first: Trial, exprs: ShapeExprs | None, indices: dict[str, bool]
) -> Trial | None:
    if exprs is None:
        return search.another(first) if not indices else None
    rising = c.RISING.get(len(search.sizes), ())
    plain = ([64, 32, 16, 8, 4], [16, 8, 4, 2], [7, 5, 3, 2], [300, 20, 9])
    for number, sizes in enumerate((*rising, *plain)):
        other = _resized(search, first, exprs, sizes)
        most = LIGHT_COST if number < len(rising) else max(GOOD_COST, first.seen.cost)
        cheap = other.seen.cost <= most
        if other.score() <= first.score() and cheap and not indices:
            return other
    for name in search.sizes:  # one size alone, where the others are what the program asks for
        other = with_values(search, first, exprs, {**first.values, name: 2 * first.values[name]})
        if other.score() <= first.score() and other.seen.cost <= GOOD_COST and not indices:
            return other
    return None


def _resized(
    search: Searcher, first: Trial, exprs: ShapeExprs | None, sizes: Sequence[int]
) -> Trial:
    """`first` with other sizes, and the launch shape that follows from them."""
    wanted = list(islice(cycle(sizes), len(search.sizes)))
    values = {**first.values, **dict(zip(search.sizes, wanted, strict=True))}
    return with_values(search, first, exprs, values)


def with_values(
    search: Searcher, first: Trial, exprs: ShapeExprs | None, values: Mapping[str, int | float]
) -> Trial:
    """`first` with other values, and the launch shape that follows from them."""
    shape = first.shape
    if exprs is not None and shape is not None:
        shape = _evaluated(exprs, values, shape)
        if None in exprs.grid:
            found = ShapeSearch(search).grid(values, first.data, shape[1])
            grid = tuple(f if n is None else n for n, f in zip(found, shape[0], strict=True))
            shape = (grid, shape[1])  # type: ignore[assignment]
    return search.trial(values, first.data, shape)


ROUND_SIZES = ((64, 32, 16, 48), (16,), (64,), (128,), (256,))
FEW = 3


def _aligned(search: Searcher, first: Trial, exprs: ShapeExprs | None) -> list[Trial]:
    """Sizes that are multiples of 16, as good as `first`: what wide accesses may need."""
    if not search.sizes:
        return []
    trials = (_resized(search, first, exprs, sizes) for sizes in ROUND_SIZES)
    good = [t for t in trials if t.score()[0] <= first.score()[0] and not t.heaviness]
    return [t for t in good if t.seen.cost <= GOOD_COST][:FEW] or good[:1]


def _further(
    search: Searcher, trials: Sequence[Trial], exprs: ShapeExprs | None
) -> tuple[Case, ...]:
    """Cases that show what `trials` leave out; the emulator decides whether they are sound."""
    make = partial(with_values, search, trials[0], exprs)
    free = {n: x for n, x in trials[0].values.items() if n not in search.fixed}
    others = [make({**trials[0].values, **w}) for w in ways(search.program, search.entry, free)]
    if search.other_amounts:
        others.append(make({**trials[0].values, **search.other_amounts}))
    return cases_of(search, [*filter(runs, others), *fuller(search, trials, make)])


def cases_of(search: Searcher, trials: Sequence[Trial]) -> tuple[Case, ...]:
    """Cases of those trials whose extents are known."""
    cases = []
    for t in trials:
        with suppress(XpilerError):
            cases.append(case_at(search, t))
    return tuple(cases)


def case_at(search: Searcher, t: Trial) -> Case:
    """The case of a trial, with ranges for index arrays; raises XpilerError (XP0304)."""
    t, indices = _with_data(search, t, [])
    return case_of(search, t, indices)


def further_for(
    program: Program, plan: EntryPlan, spec: Spec, target: Program, threads: bool
) -> tuple[Case, ...]:
    """Cases that make the translation do what none of the plan's cases does.

    Loops over tiles take a second turn; with `threads`, idle threads get work. None where the
    entry takes indices: their range would change along.
    """
    known = (*plan.cases, *plan.further)
    if any(b.has_indices for case in plan.cases for b in case.buffers):
        return ()
    kernel = plan.kind == "kernel"
    search = Searcher(program, plan.entry, spec, kernel)
    take_values(search)
    search.shared = plan.shape.shared_bytes if plan.shape is not None else None

    def trial(case: Case) -> Trial:
        shape = (case.grid, case.block) if kernel else None
        return search.trial(case.scalars, search.given_ranges(case.scalars), shape)

    trials = [trial(case) for case in known]
    make = partial(with_values, search, trials[0], plan.shape)
    found = turning(search, trials, make, target)
    found += deciding(search, [*trials, *found], make, target)
    entry = next((f for f in target.functions if f.name == plan.entry.name), None)
    if threads and not kernel and entry is not None and entry.role != "kernel":
        found += busier(search, [*trials, *found], make, target, entry)
    return cases_of(search, found)


def _evaluated(exprs: ShapeExprs, values: Mapping[str, int | float], old: Shape | None) -> Shape:
    assert old is not None
    from xpiler.verify.spec import evaluate

    def triple(
        items: tuple[e.Expr | None, ...], fallback: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        x, y, z = (
            f if i is None else max(1, evaluate(i, values))
            for i, f in zip(items, fallback, strict=True)
        )
        return x, y, z

    return triple(exprs.grid, old[0]), triple(exprs.block, old[1])


def _listed(search: Searcher, first: Trial) -> list[Trial]:
    """Further cases from `values = [...]` of the spec (the k-th value of every list together)."""
    lists = {p.name: search.spec.arg(p.name).values for p in scalars(search.program, search.entry)}
    rounds = max((len(v) for v in lists.values()), default=0)
    out = []
    for k in range(1, rounds):
        values = {**first.values, **{n: v[min(k, len(v) - 1)] for n, v in lists.items() if v}}
        shape = first.shape
        if search.kernel and shape is not None:
            shape = _shape(search, values)[0]
        out.append(search.trial(values, first.data, shape))
    return out
