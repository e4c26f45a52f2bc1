"""A reference interpreter of the IR: SIMT programs (threads as generators) and sequential ones.

It shares nothing with the passes: threads really meet at barriers and in collectives, in an order
drawn from a seed. Memory is a list of values per buffer; pointers are (buffer, offset).
"""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Array, Pointer, Scalar, Type, Vector

UNSET = None


@dataclass(eq=False)
class Buffer:
    data: list[Any]


@dataclass(frozen=True)
class Ptr:
    buffer: Any
    offset: int


class Undefined(Exception):
    """A value was used that was never written, or an access is out of bounds."""


class Deadlock(Exception):
    pass


class _Jump(Exception):
    pass


BREAK, CONTINUE, RETURN = "break", "continue", "return"


def wrap(value: Any, t: Type) -> Any:
    if not isinstance(t, Scalar):
        return value
    if t.name == "bool":
        return bool(value)
    if t.is_float:
        if t.name == "f64":
            return float(value)
        fmt = {"f32": "f", "f16": "e"}.get(t.name, "f")
        try:
            return struct.unpack(fmt, struct.pack(fmt, value))[0]
        except OverflowError:
            return math.copysign(math.inf, value)
    value = int(value) & ((1 << t.bits) - 1)
    return value - (1 << t.bits) if t.is_signed and value >> (t.bits - 1) else value


def fresh(t: Type) -> Any:
    """An undefined value of a type; arrays become buffers."""
    if isinstance(t, Array):
        return Buffer([fresh(t.elem) for _ in range(t.size or 0)])
    if isinstance(t, Vector):
        return Buffer([UNSET] * t.lanes)
    return UNSET


def filled(t: Type, items: tuple[Any, ...]) -> Any:
    if isinstance(t, (Array, Vector)):
        size = t.size if isinstance(t, Array) else t.lanes
        rest = [filled(t.elem, ()) for _ in range((size or 0) - len(items))]
        return Buffer([*items, *rest])
    return items[0] if items else wrap(0, t)


BITS = {"f32": "f", "u32": "I", "i32": "i", "f16": "e", "u16": "H", "f64": "d", "u64": "Q"}
FIELDS = {"x": 0, "y": 1, "z": 2, "w": 3}


@dataclass
class Thread:
    """One thread of execution: its variables and coordinates."""

    machine: Machine
    env: dict[str, Any]
    outer: dict[str, Any]
    axes: dict[tuple[str, str], int] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)

    def scope_of(self, name: str) -> dict[str, Any]:
        if name in self.env:
            return self.env
        if name in self.outer:
            return self.outer
        return self.machine.globals

    # places -----------------------------------------------------------------------------------
    def place(self, x: e.Expr) -> tuple[Any, Any]:
        if isinstance(x, e.Var):
            return self.scope_of(x.name), x.name
        if isinstance(x, e.Index):
            base = self.value(x.base, array=True)
            i = int(self.value(x.index))
            if isinstance(base, Ptr):
                return self.behind(base.buffer, base.offset + i)
            return self.behind(base, i)
        if isinstance(x, e.Field):
            owner, key = self.place(x.base)
            return owner[key] if isinstance(owner, dict) else owner.data[key], FIELDS[x.name]
        raise TypeError(type(x).__name__)

    def behind(self, owner: Any, i: Any) -> tuple[Any, Any]:
        if isinstance(owner, tuple):
            if i:
                raise Undefined("past a variable")
            return owner
        if not 0 <= i < len(owner.data):
            raise Undefined(f"index {i} of {len(owner.data)}")
        return owner, i

    def load(self, where: tuple[Any, Any], array: bool = False) -> Any:
        owner, key = where
        v = owner[key] if isinstance(owner, dict) else owner.data[key]
        if v is UNSET:
            raise Undefined(f"{key} was never written")
        return v

    def store(self, where: tuple[Any, Any], v: Any) -> None:
        owner, key = where
        if isinstance(v, Buffer):
            v = Buffer(list(v.data))
        if isinstance(owner, dict):
            owner[key] = v
        else:
            owner.data[key] = v

    # values -----------------------------------------------------------------------------------
    def value(self, x: e.Expr, array: bool = False) -> Any:
        if isinstance(x, e.Const):
            return wrap(x.value, x.type)
        if isinstance(x, (e.Var, e.Index, e.Field)):
            if isinstance(x, e.Var) and x.name not in self.scope_of(x.name):
                raise Undefined(f"{x.name} is not declared")
            v = self.load(self.place(x))
            return (
                Ptr(v, 0)
                if isinstance(v, Buffer) and isinstance(x.type, Array) and not array
                else v
            )
        if isinstance(x, e.Axis):
            return self.axes[x.level, x.dim]
        if isinstance(x, e.Unary):
            v = self.value(x.x)
            return wrap({"-": lambda: -v, "!": lambda: not v, "~": lambda: ~v}[x.op](), x.type)
        if isinstance(x, e.Binary):
            return self.binary(x)
        if isinstance(x, e.Select):
            return self.value(x.a if self.value(x.cond) else x.b)
        if isinstance(x, e.Cast):
            return self.cast(self.value(x.x), x.type)
        if isinstance(x, e.Bits):
            return struct.unpack(
                BITS[str(x.type)], struct.pack(BITS[str(x.x.type)], self.value(x.x))
            )[0]
        if isinstance(x, e.AddressOf):
            owner, key = self.place(x.x)
            return Ptr((owner, key), 0) if isinstance(owner, dict) else Ptr(owner, key)
        if isinstance(x, e.Aggregate):
            return filled(x.type, tuple(self.value(i, array=True) for i in x.items))
        if isinstance(x, e.Call):
            return self.call(x)
        raise TypeError(type(x).__name__)

    def cast(self, v: Any, t: Type) -> Any:
        if isinstance(t, Pointer):
            return v
        if isinstance(t, Scalar) and t.is_integer and isinstance(v, float):
            v = int(v) if math.isfinite(v) else 0
        return wrap(v, t)

    def binary(self, x: e.Binary) -> Any:
        a = self.value(x.a)
        if x.op == "&&":
            return bool(a) and bool(self.value(x.b))
        if x.op == "||":
            return bool(a) or bool(self.value(x.b))
        b = self.value(x.b)
        if isinstance(a, Ptr):
            return Ptr(a.buffer, a.offset + (b if x.op == "+" else -b))
        return wrap(OPS[x.op](a, b), x.type)

    def call(self, x: e.Call) -> Any:
        if x.func in MATH:
            return wrap(MATH[x.func](*(self.value(a) for a in x.args)), x.type)
        if id(x) in self.results:
            return self.results.pop(id(x))
        f = self.machine.program.function(x.func)
        return self.machine.invoke(f, [self.value(a) for a in x.args], self)

    def called(self, st: s.Stmt) -> Iterator[Any]:
        """Runs the functions that a statement calls, so that threads may meet in them."""
        own = {s.Decl: "init", s.Assign: "value", s.Eval: "call"}.get(type(st))
        root = getattr(st, own) if own else None
        calls = [x for x in walk(root) if isinstance(x, e.Call)] if root is not None else []
        for x in reversed([x for x in calls if x.func not in MATH]):
            f = self.machine.program.function(x.func)
            args = [self.value(a) for a in x.args]
            env = {p.name: a for p, a in zip(f.params, args, strict=True)}
            run = Thread(self.machine, env, self.outer, self.axes).body(f.body)
            done = yield from _inside((self.machine.order_of(st),), run)
            self.results[id(x)] = done[1] if done else None

    # statements -------------------------------------------------------------------------------
    def body(self, body: s.Body) -> Iterator[Any]:
        for st in body:
            self.machine.tick()
            done = yield from self.statement(st)
            if done:
                return done
        return None

    def statement(self, st: s.Stmt) -> Iterator[Any]:
        yield from self.called(st)
        if isinstance(st, s.Decl):
            self.declare(st)
        elif isinstance(st, s.Assign):
            self.assign(st)
        elif isinstance(st, s.For):
            return (yield from self.counting(st))
        elif isinstance(st, s.While):
            return (yield from self.loop(st))
        elif isinstance(st, s.If):
            return (yield from self.body(st.then if self.value(st.cond) else st.orelse))
        elif isinstance(st, s.Scope):
            return (yield from self.body(st.body))
        elif isinstance(st, s.Switch):
            return (yield from self.switch(st))
        elif isinstance(st, s.Break):
            return (BREAK, None)
        elif isinstance(st, s.Continue):
            return (CONTINUE, None)
        elif isinstance(st, s.Return):
            return (RETURN, self.value(st.value) if st.value is not None else None)
        elif isinstance(st, s.Eval):
            self.value(st.call)
        elif isinstance(st, s.Barrier):
            yield ("barrier", st, None, (self.machine.order_of(st),))
        elif isinstance(st, s.Instr):
            yield from self.instr(st)
        else:
            raise TypeError(type(st).__name__)
        return None

    def declare(self, st: s.Decl) -> None:
        if st.space == "shared":
            return
        v = self.value(st.init, array=True) if st.init is not None else fresh(st.var.type)
        self.env[st.var.name] = Buffer(list(v.data)) if isinstance(v, Buffer) else v
        if isinstance(st.var.type, Pointer) and isinstance(v, Buffer):
            self.env[st.var.name] = Ptr(v, 0)

    def assign(self, st: s.Assign) -> None:
        v = self.value(st.value)
        where = self.place(st.target)
        if st.op:
            old = self.load(where)
            v = Ptr(old.buffer, old.offset + v) if isinstance(old, Ptr) else OPS[st.op](old, v)
        self.store(where, wrap(v, st.target.type))

    def counting(self, st: s.For) -> Iterator[Any]:
        i, here, turn = self.value(st.lo), self.machine.order_of(st), 0
        while i < self.value(st.hi):
            self.machine.tick()
            self.env[st.var.name] = i
            done = yield from _inside((here, turn), self.body(st.body))
            turn += 1
            if done and done[0] == BREAK:
                break
            if done and done[0] == RETURN:
                return done
            i = wrap(self.env[st.var.name] + self.value(st.step), st.var.type)
        return None

    def loop(self, st: s.While) -> Iterator[Any]:
        first, here, turn = st.do, self.machine.order_of(st), 0
        while first or self.value(st.cond):
            self.machine.tick()
            first = False
            done = yield from _inside((here, turn), self.body(st.body))
            turn += 1
            if done and done[0] == BREAK:
                break
            if done and done[0] == RETURN:
                return done
            yield from self.body(st.step)
        return None

    def switch(self, st: s.Switch) -> Iterator[Any]:
        v = self.value(st.value)
        arm = next((c for c in st.cases if v in c.values), None)
        arm = arm or next((c for c in st.cases if not c.values), None)
        done = (yield from self.body(arm.body)) if arm else None
        return None if done and done[0] == BREAK else done

    def instr(self, st: s.Instr) -> Iterator[Any]:
        name = st.name
        if name.startswith("atomic."):
            p = self.value(st.ins[0])
            where = self.behind(p.buffer, p.offset)
            old = self.load(where)
            new = ATOMICS[name.split(".")[1]](old, *(self.value(x) for x in st.ins[1:]))
            self.store(where, wrap(new, st.ins[1].type))
            for out in st.outs:
                self.store(self.place(out), old)
        elif name == "host.alloc":
            room = Buffer([fresh(st.outs[0].type.elem) for _ in range(4096)])  # type: ignore[attr-defined]
            self.store(self.place(st.outs[0]), Ptr(room, 0))
        elif name in ("host.free", "fence", "async.commit", "async.wait"):
            pass
        elif name.split(".")[0] in ("warp", "block"):
            ins = [self.value(x) for x in st.ins]
            results = yield ("collective", st, ins, (self.machine.order_of(st),))
            for out, v in zip(st.outs, results, strict=False):
                self.store(self.place(out), wrap(v, out.type))
        else:
            raise TypeError(name)


def _inside(order: tuple[int, ...], run: Iterator[Any]) -> Iterator[Any]:
    """Passes on what a called function or an iteration waits for, told apart by where it is."""
    answer = None
    while True:
        try:
            kind, st, ins, where = run.send(answer)  # type: ignore[attr-defined]
        except StopIteration as end:
            return end.value
        answer = yield (kind, st, ins, (*order, *where))


def _idiv(a: Any, b: Any) -> Any:
    if isinstance(a, float):
        return a / b if b else math.nan
    if b == 0:
        raise Undefined("division by zero")
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


OPS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": _idiv,
    "%": lambda a, b: a - b * _idiv(a, b), "<<": lambda a, b: a << b, ">>": lambda a, b: a >> b,
    "&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
ATOMICS: dict[str, Callable[..., Any]] = {
    "add": lambda o, v: o + v, "sub": lambda o, v: o - v, "exch": lambda o, v: v,
    "min": min, "max": max, "and": lambda o, v: o & v, "or": lambda o, v: o | v,
    "xor": lambda o, v: o ^ v, "cas": lambda o, c, v: v if o == c else o,
    "inc": lambda o, v: 0 if o >= v else o + 1,
    "dec": lambda o, v: v if o == 0 or o > v else o - 1,
}  # fmt: skip
MATH: dict[str, Callable[..., Any]] = {
    "min": min, "max": max, "abs": abs, "exp": math.exp, "sqrt": lambda v: math.sqrt(abs(v)),
    "popcount": lambda v: bin(v & 0xFFFFFFFFFFFFFFFF).count("1"), "fma": lambda a, b, c: a * b + c,
    "ffs": lambda v: (v & -v).bit_length(), "clz": lambda v: 32 - (v & 0xFFFFFFFF).bit_length(),
}  # fmt: skip


def collective(name: str, lanes: dict[int, list[Any]], wave: int) -> dict[int, list[Any]]:
    """Results of a warp or block collective for the lanes that take part."""
    out: dict[int, list[Any]] = {}
    for lane, ins in lanes.items():
        out[lane] = [_result(name, lane, ins, lanes, wave)]
    return out


def _result(name: str, lane: int, ins: list[Any], lanes: dict[int, list[Any]], wave: int) -> Any:
    kind = name.split(".")[1]
    if name.startswith("block."):
        flags = [bool(v[0]) for v in lanes.values()]
        return {"count": sum(flags), "and": all(flags), "or": any(flags)}[kind]
    if kind.startswith("shfl"):
        return _shuffle(kind, lane, ins, lanes)
    if kind == "activemask":
        return sum(1 << k for k in lanes)
    if kind == "broadcast_first":
        return lanes[min(lanes)][0]
    named = {k: v for k, v in lanes.items() if ins[0] >> k & 1}
    if kind == "ballot":
        return sum(1 << k for k, v in named.items() if v[1])
    if kind in ("any", "all"):
        return int((any if kind == "any" else all)(v[1] for v in named.values()))
    if kind == "match_any":
        return sum(1 << k for k, v in named.items() if v[1] == ins[1])
    values = [v[1] for v in named.values()]
    total = values[0]
    for v in values[1:]:
        total = {**OPS, "min": min, "max": max}[REDUCE[kind.removeprefix("reduce_")]](total, v)
    return total


REDUCE = {"add": "+", "min": "min", "max": "max", "and": "&", "or": "|", "xor": "^"}


def _shuffle(kind: str, lane: int, ins: list[Any], lanes: dict[int, list[Any]]) -> Any:
    _, own, arg, width = ins
    base, inside = lane - lane % width, lane % width
    if kind == "shfl":
        source = base + arg % width
    elif kind == "shfl_up":
        source = lane - arg if inside >= arg else lane
    elif kind == "shfl_down":
        source = lane + arg if inside + arg < width else lane
    else:
        source = lane ^ arg if (lane ^ arg) < base + width else lane
    if source not in lanes:
        raise Undefined("shuffle from a lane that does not take part")
    return lanes[source][1] if source != lane else own


@dataclass
class Machine:
    """Runs functions of a program over buffers."""

    program: Program
    seed: int = 0
    budget: int = 2_000_000
    globals: dict[str, Any] = field(default_factory=dict)
    order: dict[int, int] = field(default_factory=dict)

    def order_of(self, st: s.Stmt) -> int:
        """The place of a statement in the text."""
        if not self.order:
            everything = (x for f in self.program.functions for x in _all(f.body))
            self.order = {id(x): k for k, x in enumerate(everything)}
        return self.order.get(id(st), 0)

    def tick(self) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise Deadlock("out of steps")

    def invoke(self, f: Function, args: list[Any], caller: Thread | None = None) -> Any:
        env = {p.name: a for p, a in zip(f.params, args, strict=True)}
        thread = Thread(self, env, {}, caller.axes if caller else {})
        run = thread.body(f.body)
        try:
            event = next(run)
        except StopIteration as end:
            return end.value[1] if end.value else None
        raise TypeError(f"{event} in a sequential function")

    def launch(
        self, f: Function, args: list[Any], grid: tuple[int, ...], block: tuple[int, ...],
        shared_bytes: int = 0,
    ) -> None:  # fmt: skip
        rng = random.Random(self.seed)
        blocks = [(x, y, z) for z in range(grid[2]) for y in range(grid[1]) for x in range(grid[0])]
        rng.shuffle(blocks)
        made = [self.block(f, args, grid, block, i, k) for k, i in enumerate(blocks)]
        everything = (x for g in self.program.functions for x in _all(g.body))
        together = any(isinstance(x, s.Barrier) and x.scope == "grid" for x in everything)
        for threads in [[t for b in made for t in b]] if together else made:
            _schedule(threads, self.program.wave, rng)

    def block(
        self, f: Function, args: list[Any], grid: tuple[int, ...], block: tuple[int, ...],
        index: tuple[int, ...], number: int,
    ) -> list[_Running]:  # fmt: skip
        """The threads of one block."""
        shared: dict[str, Any] = {}
        for st in _all(f.body):
            if isinstance(st, s.Decl) and st.space == "shared":
                t = st.var.type
                size = Array(t.elem, 1024) if isinstance(t, Array) and t.size is None else t
                shared[st.var.name] = fresh(size)
        threads = []
        ids = [(x, y, z) for z in range(block[2]) for y in range(block[1]) for x in range(block[0])]
        for k, tid in enumerate(ids):
            axes = {("lane", ""): k % self.program.wave, ("warp_size", ""): self.program.wave}
            for d, name in enumerate("xyz"):
                axes["thread", name], axes["block", name] = tid[d], index[d]
                axes["grid_dim", name], axes["block_dim", name] = grid[d], block[d]
            env = {p.name: a for p, a in zip(f.params, args, strict=True)}
            code = Thread(self, env, shared, axes).body(f.body)
            threads.append(_Running(number, k, code))
        return threads


@dataclass
class _Running:
    block: int
    number: int
    code: Iterator[Any]
    waits: Any = None
    done: bool = False

    def go(self, value: Any = None) -> None:
        try:
            self.waits = self.code.send(value)  # type: ignore[attr-defined]
        except StopIteration:
            self.done, self.waits = True, None


def _schedule(threads: list[_Running], wave: int, rng: random.Random) -> None:
    order = list(threads)
    rng.shuffle(order)
    for t in order:
        t.go()
    while live := [t for t in threads if not t.done]:
        served = any(_serve(group, wave, rng) for group in _groups(live, wave))
        served = served or any(_meet(group, "block", rng) for group in _groups(live, 0))
        if not served and not _meet(live, "grid", rng):
            raise Deadlock("threads wait for each other")


def _groups(live: list[_Running], wave: int) -> list[list[_Running]]:
    """Threads by warp, or by block where `wave` is 0."""
    groups: dict[tuple[int, int], list[_Running]] = {}
    for t in live:
        groups.setdefault((t.block, t.number // wave if wave else 0), []).append(t)
    return list(groups.values())


def _serve(warp: list[_Running], wave: int, rng: random.Random) -> bool:
    """Lets the lanes of a warp that wait in one warp-level instruction go on together.

    Lanes of diverged branches meet again as early as the text allows: the first in it goes first.
    """
    waiting: dict[tuple[int, ...], list[_Running]] = {}
    for t in warp:
        kind, st, _, where = t.waits
        warp_level = kind == "collective" and st.name.startswith("warp.")
        if warp_level or (kind == "barrier" and st.scope == "warp"):
            waiting.setdefault(where, []).append(t)
    for _, group in sorted(waiting.items(), key=lambda p: p[0])[:1]:
        kind, st, _, _ = group[0].waits
        results: dict[int, list[Any]] = {}
        if kind == "collective":
            results = collective(st.name, {t.number % wave: t.waits[2] for t in group}, wave)
        rng.shuffle(group)
        for t in group:
            t.go(results.get(t.number % wave))
        return True
    return False


def _meet(live: list[_Running], scope: str, rng: random.Random) -> bool:
    """Lets threads go on that all wait in one barrier or collective of the block or the grid."""
    first = live[0].waits[1]
    if any(t.waits[3] != live[0].waits[3] for t in live):
        return False
    if isinstance(first, s.Barrier) and first.scope != scope:
        return False
    results: dict[int, list[Any]] = {}
    if isinstance(first, s.Instr):
        results = collective(first.name, {t.number: t.waits[2] for t in live}, 1 << 30)
    order = list(live)
    rng.shuffle(order)
    for t in order:
        t.go(results.get(t.number))
    return True


def _all(body: s.Body) -> Iterator[s.Stmt]:
    return (x for x in walk(body) if isinstance(x, s.Stmt))
