"""Statements of the footprint interpreter: branches, loops, host calls, launches."""

from __future__ import annotations

import math
from collections.abc import Collection

from xpiler.analysis.effects import escapes
from xpiler.analysis.memo import by_identity
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.rewrite import variables, walk
from xpiler.ir.types import U32, Array, Fragment, Pointer, Scalar, Struct, Vector
from xpiler.verify.inference import values as v
from xpiler.verify.inference.candidates import has_short_tail
from xpiler.verify.inference.left import copied, left_by, watch
from xpiler.verify.inference.machine import (
    CONCRETE_TRIPS,
    EXACT_TRIPS,
    MOST_TURNS,
    Machine,
    Refused,
    follows,
)
from xpiler.verify.inference.rows import offsets, spilled_tile
from xpiler.verify.inference.values import TOP, Interval, PointerTo, Record, Value, point

LONGEST_PATH = 8  # terms added up in a pointer that are worth knowing
UNKNOWN_TRIPS = 32.0  # iterations that a loop is charged with when nothing says how many


def execute(m: Machine, st: s.Stmt) -> bool:
    """Run one statement; False when control does not go on behind it."""
    match st:
        case s.Decl():
            _declare(m, st)
        case s.Assign():
            _assign(m, st)
        case s.Eval():
            m.eval(st.call)
        case s.If():
            return _branch(m, st)
        case s.For():
            return _counting(m, st)
        case s.While():
            return _while(m, st)
        case s.Scope():
            return m.run(st.body)
        case s.Switch():
            return _switch(m, st)
        case s.Instr(name="trap"):
            return _trap(m)
        case s.Instr():
            _instruction(m, st)
        case s.Launch():
            shared = m.number(st.shared_bytes) if st.shared_bytes is not None else point(0)
            grid, block = [m.eval(x) for x in st.grid], [m.eval(x) for x in st.block]
            bytes_ = int(shared.hi) if shared.bounded else 0
            m.launch(
                m.program.function(st.kernel), grid, block, [m.eval(a) for a in st.args], bytes_
            )
        case s.Return():
            value = m.eval(st.value) if st.value is not None else TOP
            m.returned = value if m.returned is None else v.join(m.returned, value)
            m.jump = ""
            return False
        case s.Break() | s.Continue():
            m.jump = "break" if isinstance(st, s.Break) else "continue"
            return False
    return True


def _trap(m: Machine) -> bool:
    """The end of the program; where it is certain to come, the arguments are no good."""
    if not m.together and not m.maybe:
        raise Refused
    m.jump = ""
    return False


def _declare(m: Machine, st: s.Decl) -> None:
    name, t = st.var.name, st.var.type
    if isinstance(t, (Array, Fragment)):
        m.region(name, v.size_of(t, m.program) or None).room = st.space != "shared"
        if isinstance(st.init, e.Aggregate):
            for item in st.init.items:
                value = m.eval(item)
                r = m.region(name)
                r.content = value if r.content is None else v.join(r.content, value)
        return
    m.forget(name)
    if st.init is not None:
        m.env[name] = copied(m, st.init)
        if isinstance(t, Scalar) and t.is_integer and not isinstance(st.init, e.Const):
            m.note(st, "is one", m.env[name] == point(1))
        if m.axes and isinstance(t, Scalar) and follows(st.init):
            m.origins[name] = st.init
        if m.axes and isinstance(t, Pointer) and (path := offsets(m, st.init)) is not None:
            m.paths[name] = path
    elif isinstance(t, Struct):
        m.env[name] = Record()
    elif isinstance(t, Vector):
        m.env[name] = Record({k: point(1) for k in "xyzw"[: t.lanes]})
    else:
        m.env.pop(name, None)


def _assign(m: Machine, st: s.Assign) -> None:
    value = m.eval(st.value) if st.op else copied(m, st.value)
    if st.op:
        value = m.eval(e.Binary(st.op, st.target, st.value, st.target.type))
    watch(m, st.target, value)
    path = _path(m, st)
    m.store(st.target, value)
    if path is not None and isinstance(st.target, e.Var):
        m.paths[st.target.name] = path


def _path(m: Machine, st: s.Assign) -> tuple[e.Expr, ...] | None:
    """What leads to where a pointer points after an assignment, where that is known."""
    if not (m.axes and isinstance(st.target, e.Var) and isinstance(st.target.type, Pointer)):
        return None
    moved = e.Binary("+", st.target, st.value, st.target.type)
    path = offsets(m, moved if st.op == "+" else st.value) if st.op in ("", "+") else None
    if path is None or len(path) > LONGEST_PATH:  # a walk through a loop, turn by turn
        return None
    return None if any(st.target.name in variables(x) for x in path) else path


def _branch(m: Machine, st: s.If) -> bool:
    truth = m.number(st.cond)
    if truth.single:
        return m.run(st.then if truth.lo else st.orelse)
    _note_ends(m, _limits(st.cond))
    env, facts = m.snapshot()
    m.maybe += 1
    m.facts = m._refined_from(facts, st.cond, True)
    through = m.run(st.then)
    then_env = m.env
    jump = m.jump
    m.env, m.facts = dict(env), m._refined_from(facts, st.cond, False)
    other = m.run(st.orelse)
    m.maybe -= 1
    m.jump = "continue" if "continue" in (jump, m.jump) else m.jump or jump
    if through and other:
        m.env = join_env(then_env, m.env)
        m.facts = facts
    elif through:
        m.env, m.facts = then_env, m._refined_from(facts, st.cond, True)
    return through or other


@by_identity
def _limits(cond: e.Expr) -> tuple[e.Expr, ...]:
    """What a condition compares numbers with: arithmetic on variables."""
    if not isinstance(cond, e.Binary):
        return ()
    if cond.op in ("&&", "||"):
        return (*_limits(cond.a), *_limits(cond.b))
    sides = (cond.a, cond.b) if cond.op in ("<", "<=", ">", ">=") else ()
    return tuple(x for x in sides if not isinstance(x, e.Const) and all(map(_plain, walk(x))))


def _plain(n: object) -> bool:
    return isinstance(n, (e.Var, e.Const, e.Cast, e.Binary, e.Unary))


def _note_ends(m: Machine, ends: tuple[e.Expr, ...]) -> None:
    for x in ends:
        _note_end(m, x, m.number(x))


def _note_end(m: Machine, x: e.Expr, value: Interval) -> None:
    if value.single and not isinstance(x, e.Const):
        m.note(x, "has no short tail", not has_short_tail(int(value.lo)))


def join_env(a: dict[str, Value], b: dict[str, Value]) -> dict[str, Value]:
    return {k: v.join(a[k], b[k]) for k in a.keys() & b.keys()}


def _switch(m: Machine, st: s.Switch) -> bool:
    chosen = m.number(st.value)
    if chosen.single:
        return _arm(m, st, chosen)
    env, facts = m.snapshot()
    m.maybe += 1
    for case in st.cases:
        before = m.env
        m.env, m.facts = dict(env), facts
        m.run(case.body)
        m.env = join_env(before, m.env)
    m.maybe -= 1
    m.facts = facts
    return True


def _arm(m: Machine, st: s.Switch, value: Interval) -> bool:
    """The arm of a switch that is taken for a value that is known."""
    arms = [case for case in st.cases if value.lo in case.values]
    arms = arms or [case for case in st.cases if not case.values]
    if not arms or m.run(arms[0].body):
        return True
    return m.jump == "break"


@by_identity
def _assigned(body: s.Body) -> dict[str, list[s.Assign | None]]:
    """Variables assigned in `body` with their assignments (None: by an instruction)."""
    out: dict[str, list[s.Assign | None]] = {}
    for n in walk(body):
        if isinstance(n, s.Assign) and isinstance(n.target, e.Var):
            out.setdefault(n.target.name, []).append(n)
        elif isinstance(n, s.Instr):
            for o in n.outs:
                if isinstance(o, e.Var):
                    out.setdefault(o.name, []).append(None)
    return out


def _counting(m: Machine, st: s.For) -> bool:
    lo, hi, step = m.number(st.lo), m.number(st.hi), m.number(st.step)
    m.share_out(st, lo, hi)
    _note_end(m, st.hi, hi)
    if hi.hi <= lo.lo or not st.body:
        return True
    trips = (
        (hi.hi - lo.lo + step.lo - 1) // step.lo
        if hi.bounded and lo.bounded and step.lo > 0
        else math.inf
    )
    decided = lo.single and hi.single and step.single
    many = m.exact and trips <= EXACT_TRIPS
    if decided and (many or (_wants_concrete(st.body) and _affordable(m, trips))):
        return _one_by_one(m, st, [lo.lo + k * step.lo for k in range(int(trips))])
    m.forget(st.var.name)
    last = lo.lo + (trips - 1) * step.lo if decided else hi.hi - 1
    m.env[st.var.name] = Interval(lo.lo, last)
    _summarise(m, st.body, trips)
    m.env.pop(st.var.name, None)
    return True


def _affordable(m: Machine, trips: float) -> bool:
    """Whether a loop is run turn by turn, in whatever loops it stands itself."""
    return trips <= CONCRETE_TRIPS and m.turns * trips <= MOST_TURNS


def _one_by_one(m: Machine, st: s.For, values: list[v.Number]) -> bool:
    outer, m.turns = m.turns, m.turns * len(values)
    left: bool | None = None
    for k in values:
        m.store(st.var, point(k))
        left = _turn(m, st.body)
        if left is not None:
            break
    m.turns = outer
    return True if left is None else left


def _turn(m: Machine, body: s.Body) -> bool | None:
    """One turn of a loop; whether control goes on behind the loop, None where it stays in it."""
    if m.run(body) or m.jump == "continue":
        return None
    return m.jump == "break"


@by_identity
def _wants_concrete(body: s.Body) -> bool:
    """Whether each iteration may do another thing to memory than its neighbours do."""
    return any(
        isinstance(n, s.Launch) or (isinstance(n, s.Instr) and n.name == "host.alloc")
        for n in walk(body)
    )


def _summarise(m: Machine, body: s.Body, trips: float, cond: e.Expr | None = None) -> None:
    """Run a loop body once for all its iterations."""
    before, facts = m.snapshot()
    changed, often = _assigned(body), _turns(m, body)
    for name, writes in changed.items():
        m.forget(name)
        if name in m.env:
            m.env[name] = _widened(m, m.env[name], name, writes, trips, often)
    inner = m.facts
    if cond is not None:
        m.facts = m._refined_from(m.facts, cond, True)
    m.env |= left_by(m, body, _chosen(body), before)
    start, scale = dict(m.env), m.scale
    m.scale *= UNKNOWN_TRIPS if math.isinf(trips) else max(1.0, trips)
    m.maybe += 1
    m.run(body)
    m.maybe -= 1
    m.scale = scale
    m.env = {k: v.join(start[k], m.env.get(k, TOP)) if k in changed else start[k] for k in start}
    m.facts = {x: i for x, i in inner.items() if x in facts}


@by_identity
def _chosen(body: s.Body) -> list[str]:
    """Integers that are set, or that steps change only while they are within some bound."""
    tested = _tested(body)
    return [
        name
        for name, writes in _assigned(body).items()
        if all(w is not None and _is_whole(w.target.type) for w in writes)
        and (name in tested or any(w is not None and _sets(w) for w in writes))
    ]


def _sets(w: s.Assign) -> bool:
    """Whether an assignment does not begin with what the variable holds."""
    return not w.op and w.target not in walk(w.value)


def _tested(body: s.Body) -> set[str]:
    """Variables that are assigned where a condition has looked at them."""
    found: set[str] = set()
    for n in walk(body):
        if isinstance(n, s.If):
            found |= variables(n.cond) & {*_assigned(n.then), *_assigned(n.orelse)}
    return found


def _is_whole(t: object) -> bool:
    return isinstance(t, Scalar) and t.is_integer


def _widened(
    m: Machine,
    start: Value,
    name: str,
    writes: list[s.Assign | None],
    trips: float,
    often: dict[int, float],
) -> Value:
    """All values that a variable can have where a turn of a loop begins.

    They follow from the form of its assignments, made `often` times a turn (by identity).
    """
    before = Interval(0, max(0.0, trips - 1) if math.isinf(trips) else max(0, int(trips) - 1))
    steps = [_times(_increment(m, w, name), often.get(id(w), 1)) for w in writes]
    if isinstance(start, PointerTo):
        if all(x is not None and x.bounded for x in steps) and not math.isinf(trips):
            for x in steps:
                start = start.moved(v.multiply(x or point(0), before))
            return start
        return start.moved(TOP)
    if not isinstance(start, Interval):
        return TOP
    if all(w is not None and w.op in (">>", "/", "%", "&") for w in writes) and start.lo >= 0:
        return Interval(0, start.hi)
    if any(x is None for x in steps):
        return TOP
    out = start
    for x in steps:
        assert x is not None
        out = v.add(out, v.multiply(x, before))
    return out


def _times(step: Interval | None, often: float) -> Interval | None:
    return step if step is None or often == 1 else v.multiply(step, point(often))


def _turns(m: Machine, body: s.Body) -> dict[int, float]:
    """How often one turn makes the assignments in inner counting loops, by identity."""
    out: dict[int, float] = {}
    for n, assignments in _inner_loops(body):
        m.muted += 1
        lo, hi, step = m.number(n.lo), m.number(n.hi), m.number(n.step)
        m.muted -= 1
        if hi.bounded and lo.bounded and step.lo > 0:
            many = max(0, math.ceil((hi.hi - lo.lo) / step.lo))
            for a in assignments:
                out[a] = out.get(a, 1) * many
    return out


@by_identity
def _inner_loops(body: s.Body) -> list[tuple[s.For, list[int]]]:
    """The counting loops of a body, with the identities of the assignments in each."""
    loops = [n for n in walk(body) if isinstance(n, s.For)]
    return [(n, [id(a) for a in walk(n.body) if isinstance(a, s.Assign)]) for n in loops]


def _increment(m: Machine, w: s.Assign | None, name: str) -> Interval | None:
    """By how much (bytes for pointers) an assignment moves its variable; None: not an increment."""
    if w is None:
        return None
    value, op = w.value, str(w.op)
    if op == "" and isinstance(value, e.Binary) and value.op in "+-" and value.a == w.target:
        op, value = value.op, value.b
    if op not in ("+", "-"):
        return None
    if isinstance(w.target.type, Scalar) and w.target.type.is_float:
        return None
    m.muted += 1
    n = m.number(value)
    m.muted -= 1
    if isinstance(w.target.type, Pointer):
        n = v.multiply(n, point(v.size_of(w.target.type.elem, m.program)))
    return n if op == "+" else Interval(-n.hi, -n.lo)


def _while(m: Machine, st: s.While) -> bool:
    if st.do and (left := _while_turn(m, st)) is not None:
        return left
    outer = m.turns
    left = _while_turns(m, st)
    m.turns = outer
    if left is not None:
        return left
    _share_out(m, st)
    _note_ends(m, _limits(st.cond))
    body = _whole(st)
    _summarise(m, body, _most_trips(m, body, st.cond), st.cond)
    m.facts = m._refined_from(m.facts, st.cond, False)
    return True


def _while_turns(m: Machine, st: s.While) -> bool | None:
    """Turns one by one, as long as it is known that they come; None where that ends."""
    most = _most_trips(m, _whole(st), st.cond)
    many = EXACT_TRIPS if m.exact else CONCRETE_TRIPS
    if not m.exact and most <= CONCRETE_TRIPS and not _affordable(m, most):
        many = 1
    m.turns *= max(1, int(min(most, many)))
    for _ in range(1 if _stands_still(st) else many):
        truth = m.number(st.cond)
        if not truth.single:
            return None
        if not truth.lo:
            return True
        if (left := _while_turn(m, st)) is not None:
            return left
    return None


@by_identity
def _stands_still(st: s.While) -> bool:
    """Whether nothing in the loop changes what decides about its next turn: one turn shows all."""
    if escapes(_whole(st), in_loop=True):
        return False
    asked = list(walk(st.cond))
    plain = not any(isinstance(n, (e.Index, e.Call, e.Field)) for n in asked)
    names = {n.name for n in asked if isinstance(n, e.Var)}
    return plain and not names & _assigned(_whole(st)).keys()


@by_identity
def _whole(st: s.While) -> s.Body:
    return st.body + st.step


def _while_turn(m: Machine, st: s.While) -> bool | None:
    left = _turn(m, st.body)
    return _turn(m, st.step) if left is None else left


def _share_out(m: Machine, st: s.While) -> None:
    if isinstance(st.cond, e.Binary) and st.cond.op == "<":
        m.muted += 1
        m.share_out(st, m.number(st.cond.a), m.number(st.cond.b))
        m.muted -= 1


def _most_trips(m: Machine, body: s.Body, cond: e.Expr) -> float:
    """How often a loop runs at most, when what it compares moves towards a place that stays."""
    changed = _assigned(body)
    if not (isinstance(cond, e.Binary) and cond.op in ("<", "<=", "!=", ">", ">=")):
        return math.inf
    for near, far in ((cond.a, cond.b), (cond.b, cond.a)):
        fixed = not any(isinstance(n, e.Var) and n.name in changed for n in walk(far))
        moved = _moved(near, changed.keys())
        writes = changed.get(moved, [])
        steps = [_increment(m, w, moved) for w in writes]
        gap = _distance(m.eval(near), m.eval(far))
        if fixed and len(steps) == 1 and steps[0] is not None and gap is not None:
            step = steps[0].lo if steps[0].single else 0
            if step and gap.bounded and gap.lo * step >= 0 and gap.hi * step >= 0:
                ends = (gap.lo / step, gap.hi / step)
                equal = cond.op in ("<=", ">=")
                return max(math.floor(x) + 1 if equal else math.ceil(x) for x in ends)
    return math.inf


def _moved(x: e.Expr, changed: Collection[str]) -> str:
    """The variable by which `x` moves (`i` in `i + 3`); "" where that is not one alone."""
    while isinstance(x, e.Cast):
        x = x.x
    if isinstance(x, e.Var):
        return x.name
    if isinstance(x, e.Binary) and x.op in "+-" and not variables(x.b) & set(changed):
        return _moved(x.a, changed)
    return ""


def _distance(near: Value, far: Value) -> Interval | None:
    """From one value to another, in bytes for pointers into one region."""
    if isinstance(near, PointerTo) and isinstance(far, PointerTo):
        if len(near.targets) != 1 or len(far.targets) != 1:
            return None
        (a, start), (b, end) = near.targets[0], far.targets[0]
        return v.subtract(end, start) if a == b else None
    if isinstance(near, Interval) and isinstance(far, Interval):
        return v.subtract(far, near)
    return None


def _instruction(m: Machine, st: s.Instr) -> None:
    ins = [m.eval(x) for x in st.ins]
    family, _, op = st.name.partition(".")
    if family == "atomic":
        elem = st.ins[0].type.elem if isinstance(st.ins[0].type, Pointer) else U32
        for write in (False, True):
            region = m.access(ins[0], v.size_of(elem, m.program), write, atomic=True)
            if region is not None:  # any number may have been added up
                region.content = TOP
        _set_outs(m, st, TOP)
    elif family == "host":
        _host(m, st, op, ins)
    elif family == "mat":
        _matrix(m, st, op, ins)
    elif family == "async" and op == "copy":
        n = ins[2] if isinstance(ins[2], Interval) and ins[2].bounded else point(16)
        m.access(ins[0], int(n.hi), write=True)
        m.access(ins[1], int(n.hi), write=False)
    else:
        shuffled = ins[1] if st.name.startswith("warp.shfl") else TOP
        _set_outs(m, st, shuffled)


def _set_outs(m: Machine, st: s.Instr, value: Value) -> None:
    for o in st.outs:
        whole = isinstance(o.type, Scalar) and not o.type.is_float
        m.store(o, value if whole else TOP)


def _matrix(m: Machine, st: s.Instr, op: str, ins: list[Value]) -> None:
    if op not in ("load", "store"):
        return
    frag = st.outs[0].type if op == "load" else st.ins[1].type
    ld = ins[1] if op == "load" else ins[2]
    if not isinstance(frag, Fragment) or not isinstance(ld, Interval) or not ld.bounded:
        return
    rows, cols = frag.shape
    if (st.attr("layout") or frag.layout) == "col":
        rows, cols = cols, rows
    elem = st.ins[0].type.elem if isinstance(st.ins[0].type, Pointer) else frag.elem
    if op == "store" and m.together:
        m.spilled = max(m.spilled, spilled_tile(m, st.ins[0], st.ins[2], cols))
    m.access(ins[0], int((rows - 1) * ld.hi + cols) * v.size_of(elem, m.program), op == "store")


def _host(m: Machine, st: s.Instr, op: str, ins: list[Value]) -> None:
    if op == "alloc":
        n = ins[0]
        name = f"alloc {len(m.regions)}"
        m.region(name, int(n.hi) if isinstance(n, Interval) and n.bounded else None)
        m.store(st.outs[0], v.start_of(name))
    elif op in ("copy", "to_symbol", "from_symbol"):
        n = ins[2] if op == "copy" or op == "to_symbol" else ins[1 + 1]
        _copy(m, ins[0], ins[1], n)
    elif op == "copy2d":
        height, width = ins[5], ins[4]
        for end, pitch, write in ((0, 1, True), (2, 3, False)):
            p = ins[pitch]
            if all(isinstance(x, Interval) and x.bounded for x in (p, height, width)):
                m.access(ins[end], int((height.hi - 1) * p.hi + width.hi), write)  # type: ignore[union-attr]
    elif op == "set":
        n = ins[2]
        if isinstance(n, Interval) and n.bounded:
            filled = m.access(ins[0], int(n.hi), write=True)
            if filled is not None and filled.content is v.BLANK:
                filled.content = None
    else:
        _set_outs(m, st, point(0))


def _copy(m: Machine, dst: Value, src: Value, n: Value) -> None:
    if not (isinstance(n, Interval) and n.bounded):
        return
    to, of = m.access(dst, int(n.hi), True), m.access(src, int(n.hi), False)
    if to is None or of is None:
        return
    to.mirrors.add(of.name)
    known = m.data.get(of.name, of.content)
    if known is not None:
        to.content = known if to.content is None else v.join(to.content, known)
