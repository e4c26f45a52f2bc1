"""Random kernels: what the threads compute is what the recovered loops compute."""

from __future__ import annotations

import os
import random
from typing import Any

from compare import same
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ir_words import (
    BX,
    IP,
    SYNC,
    TX,
    TY,
    at,
    c,
    iff,
    ix,
    let,
    op,
    program,
    put,
    shared,
    shfl,
    var,
)

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import rewrite_stmts
from xpiler.ir.types import I32, U32, Array, Pointer

N = var("n")
OUT = var("out", IP)
THREADS = 48
SHAPES = [(1, 1, 1), (5, 1, 1), (8, 1, 1), (16, 1, 1), (20, 1, 1), (4, 4, 1), (8, 2, 2), (6, 3, 1)]
SLOTS = 4


class Maker:
    """Draws the statements of a kernel; `wave` lanes make a warp."""

    def __init__(self, rng: random.Random, block: tuple[int, int, int], wave: int) -> None:
        self.rng, self.block, self.wave = rng, block, wave
        self.made = 0
        self.grid = False
        self.functions: list[Function] = []
        self.vars: list[e.Var] = []
        self.uniform: list[e.Var] = [N]
        self.returned = False
        self.size = block[0] * block[1] * block[2]
        self.shared, self.decl = shared("mem", Array(I32, self.size))
        self.tid = op("+", op("*", op("+", op("*", ix("thread", "z"), block[1]), TY), block[0]), TX)

    def pick(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def flag(self) -> bool:
        return self.rng.random() < 0.5

    def fresh(self, stem: str = "v") -> e.Var:
        self.made += 1
        return var(f"{stem}{self.made}")

    def value(self, depth: int = 2) -> e.Expr:
        kind = self.pick("var", "const", "tid", "op", "op", "n")
        if kind == "op" and depth:
            o = self.pick("+", "-", "*", "&", "^")
            return op(o, self.value(depth - 1), self.value(depth - 1))
        if kind == "tid":
            return self.pick(self.tid, BX, ix("lane", ""), TX)
        if kind == "var" and self.vars:
            return self.pick(*self.vars)
        return N if kind == "n" else c(self.rng.randint(0, 9))

    def same_value(self) -> e.Expr:
        """The same in all threads of the block."""
        base = N if self.grid else self.pick(*self.uniform, BX)
        return op(self.pick("+", "&"), base, self.rng.randint(1, 7))

    def cond(self) -> e.Expr:
        return op(self.pick("<", ">", "=="), op("&", self.value(), 7), self.rng.randint(0, 7))

    def same_cond(self) -> e.Expr:
        return op("<", op("&", self.same_value(), 3), self.rng.randint(0, 3))

    def body(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """Statements in which threads may meet at `level` (block, warp, none)."""
        outer, outer_u = list(self.vars), list(self.uniform)
        out: list[s.Stmt] = []
        for _ in range(self.rng.randint(1, 4)):
            out += self.statement(depth, level)
        self.vars, self.uniform = outer, outer_u
        return tuple(out)

    def statement(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        kinds = ["new", "set", "write", "write"]
        kinds += ["exchange", "exchange"] if level == "block" and self.grid else []
        if depth:
            kinds += ["if", "for", "while"]
            kinds += ["switch", "array"]
            kinds += ["same_if", "same_for", "same_while", "call"] if level == "block" else []
            kinds += ["div_if", "div_while", "div_for"] if level != "none" else []
        kinds += ["phase", "phase", "count", "load"] if level == "block" else []
        kinds += ["ballot", "shuffle", "vote"] if level != "none" else []
        made: tuple[s.Stmt, ...] = getattr(self, self.pick(*kinds))(depth, level)
        return made

    def new(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        v = self.fresh()
        decl = let(v, self.value())
        self.vars.append(v)
        return (decl,)

    def set(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        own = [v for v in self.vars if v not in self.uniform]
        if not own:
            return self.new(depth, level)
        return (put(self.pick(*own), self.value(), self.pick("", "+", "^")),)

    def write(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        slot = op(
            "+", op("*", op("+", op("*", BX, self.size), self.tid), SLOTS), self.pick(0, 1, 2)
        )
        return (put(at(OUT, slot), self.value(), self.pick("", "+", "^")),)

    def if_(self, cond: e.Expr, depth: int, level: str) -> tuple[s.Stmt, ...]:
        orelse = self.body(depth - 1, level) if self.flag() else ()
        return (s.If(cond, self.body(depth - 1, level), orelse),)

    def same_if(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        return self.if_(self.same_cond(), depth, level)

    def div_if(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        return self.if_(self.cond(), depth, "warp")

    def counted(self, depth: int, level: str, end: e.Expr) -> tuple[s.Stmt, ...]:
        i = self.fresh("i")
        self.vars.append(i)
        body = list(self.body(depth - 1, level))
        self.vars.remove(i)
        return (s.For(i, c(0), end, c(1), tuple(_no_set(body, i))),)

    def same_for(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        return self.counted(depth, level, op("&", self.same_value(), 3))

    def same_while(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        w = self.fresh("w")
        body = self.body(depth - 1, level)
        jump = self.pick(s.Break(), s.Continue())
        leave = (iff(self.same_cond(), jump), *self.body(0, level)) if self.flag() else ()
        loop_ = s.While(op(">", w, 0), (*body, *leave), (put(w, 1, "-"),), do=self.flag())
        return (let(w, op("&", self.same_value(), 3)), loop_)

    def switch(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        value = self.same_value() if level == "block" else self.value()
        early = (iff(self.cond(), s.Break()),) if level != "block" and self.flag() else ()
        arms = [
            s.Case((0,), (*self.body(depth - 1, level), *early, *self.body(0, level))),
            s.Case((1, 3), self.body(depth - 1, level)),
        ]
        if self.flag():
            arms.append(s.Case((), self.body(depth - 1, level)))
        return (s.Switch(op("&", value, 3), tuple(arms)),)

    def array(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """A thread's own array, written, then read after other statements."""
        a = e.Var(self.fresh("a").name, Array(I32, 4))
        init = e.Aggregate((self.value(), c(2)), a.type)
        v = self.fresh()
        store = put(at(a, op("&", self.value(), 3)), self.value(), self.pick("", "+"))
        between = self.body(depth - 1, level)
        read = let(v, at(a, op("&", self.value(), 3)))
        self.vars.append(v)
        return (s.Decl(a, init), store, *between, read)

    def call(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """A device function in which threads meet, with an early return of its own."""
        p, v = self.fresh("p"), self.fresh()
        outer, outer_u = self.vars, self.uniform
        self.vars, self.uniform = [p], []
        self.uniform = [N]
        early = (iff(self.cond(), s.Return(self.value())),) if self.flag() else ()
        change = (put(p, self.value(), "+"),) if self.flag() else ()
        inner = self.body(depth - 1, "warp" if early else "block")
        name = f"f{p.name}"
        body = (*change, *early, *inner, s.Return(self.value()))
        args = (OUT, N, p)
        self.vars, self.uniform = outer, outer_u
        shared_ = e.Var("mem", self.shared.type)
        params = (*args, e.Var("mem", Pointer(I32)))
        self.functions.append(Function(name, params, body, ret=I32, role="device"))
        value = e.Call(name, (OUT, N, self.value(), shared_), I32)
        result = let(v, op("+", value, self.value()))
        self.vars.append(v)
        return (result,)

    def div_for(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        i = self.fresh("i")
        self.vars.append(i)
        body = self.body(depth - 1, "warp")
        self.vars.remove(i)
        low, high = op("&", self.value(), 1), op("&", self.value(), 3)
        skip = (iff(self.cond(), s.Continue()),) if self.flag() else ()
        return (
            s.For(i, low, high, c(1), (*_no_set(list(body), i), *skip, *self.write(0, "none"))),
        )

    def div_while(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        w = self.fresh("w")
        body = self.body(depth - 1, "warp")
        leave = (iff(self.cond(), s.Break()),) if self.flag() else ()
        late = self.body(0, "warp") if self.flag() else ()
        loop_ = s.While(op(">", w, 0), (*body, *leave, *late), (put(w, 1, "-"),), do=self.flag())
        return (let(w, op("&", self.value(), 3)), loop_)

    def jumps(self) -> tuple[s.Stmt, ...]:
        return (iff(self.cond(), self.pick(s.Break(), s.Continue())),) if self.flag() else ()

    def for_(self, depth: int) -> tuple[s.Stmt, ...]:
        i = self.fresh("i")
        self.vars.append(i)
        body = (*self.body(depth - 1, "none"), *self.jumps(), *self.body(0, "none"))
        self.vars.remove(i)
        return (s.For(i, c(0), op("&", self.value(), 3), c(1), tuple(_no_set(list(body), i))),)

    def while_(self, depth: int) -> tuple[s.Stmt, ...]:
        w = self.fresh("w")
        body = (*self.body(depth - 1, "none"), *self.jumps())
        loop_ = s.While(op(">", w, 0), body, (put(w, 1, "-"),), do=self.flag())
        return (let(w, op("&", self.value(), 3)), loop_)

    def phase(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """Every thread writes its slot of shared memory and reads another one."""
        v = self.fresh()
        store = put(at(self.shared, self.tid), self.value())
        guard = iff(self.cond(), store) if self.flag() else store
        other = op("%", op("+", self.tid, self.rng.randint(0, 7)), self.size)
        read = (let(v, at(self.shared, other)), SYNC) if self.flag() else (
            let(v, 3), iff(self.cond(), put(v, at(self.shared, other))), SYNC
        )  # fmt: skip
        self.vars.append(v)
        return (guard, SYNC, *read)

    def exchange(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """A value from another block, after the whole grid has met."""
        v = self.fresh()
        mine = op("+", op("*", BX, self.size), self.tid)
        other = op("%", op("+", mine, self.rng.randint(0, 2 * self.size)), 2 * self.size)
        self.vars.append(v)
        meet = s.Barrier("grid")
        return (meet, let(v, at(OUT, op("+", op("*", other, SLOTS), 1))), meet)

    def load(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        """A value from shared memory that all threads agree on."""
        v = self.fresh("u")
        where = op("%", op("&", self.same_value(), 1023), self.size)
        self.vars.append(v)
        self.uniform.append(v)
        return (SYNC, let(v, at(self.shared, where)), SYNC)

    def count_(self, kind: str, *ins: e.Expr) -> tuple[s.Stmt, ...]:
        v = self.fresh()
        self.vars.append(v)
        return (let(v, 0), s.Instr(kind, (v,), ins))

    def count(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        test = e.Cast(self.cond(), I32)
        made = self.count_(self.pick("block.count", "block.and", "block.or"), test)
        self.uniform.append(self.vars[-1])
        return made

    def active(self) -> tuple[e.Var, s.Stmt]:
        m = e.Var(self.fresh("m").name, U32)
        return m, s.Decl(m, e.Const(0, U32))

    def ballot(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        m, decl = self.active()
        v = self.fresh()
        b = e.Var(self.fresh("b").name, U32)
        kind = self.pick("ballot", "match_any", "reduce_add", "activemask")
        ins = {"ballot": (m, e.Cast(self.cond(), I32)), "activemask": ()}.get(
            kind, (m, self.value())
        )
        out: e.Expr = v if kind == "reduce_add" else b
        first = s.Instr("warp.activemask", (m,), ())
        decls = (decl, let(v, 0), s.Decl(b, e.Const(0, U32)))
        add = () if kind == "reduce_add" else (put(v, e.Cast(b, I32), "+"),)
        self.vars.append(v)
        return (*decls, first, s.Instr(f"warp.{kind}", (out,), ins), *add)

    def vote(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        full = e.Const((1 << self.wave) - 1, U32)
        kind = self.pick("warp.any", "warp.all")
        return self.count_(kind, full, e.Cast(self.cond(), I32))

    def shuffle(self, depth: int, level: str) -> tuple[s.Stmt, ...]:
        if self.returned or level != "block" or self.size % self.wave:
            return self.vote(depth, level)
        v = self.fresh()
        kind = self.pick("shfl", "shfl_xor", "shfl_up", "shfl_down")
        width = self.pick(self.wave, self.wave // 2)
        amount = c(self.rng.randint(0, width - 1))
        arg = self.pick(amount, amount, op("&", self.same_value(), width - 1))
        if kind == "shfl":
            arg = self.pick(arg, op("&", self.value(), width - 1))
        first = let(v, self.value())
        self.vars.append(v)
        return (first, shfl(kind, v, op("+", v, 1), arg, width))


def _no_set(body: list[s.Stmt], i: e.Var) -> list[s.Stmt]:
    """Statements that do not assign the loop variable."""

    def one(x: s.Stmt) -> s.Stmt | tuple[s.Stmt, ...]:
        return () if isinstance(x, s.Assign) and x.target == i else x

    return list(rewrite_stmts(tuple(body), one))


setattr(Maker, "if", lambda self, d, level: self.if_(self.cond(), d, "none"))
setattr(Maker, "for", lambda self, d, level: self.for_(d))
setattr(Maker, "while", lambda self, d, level: self.while_(d))


def kernel(rng: random.Random, grid: bool) -> tuple[Program, tuple[int, int, int], int]:
    block = rng.choice(SHAPES)
    wave = rng.choice([4, 8])
    maker = Maker(rng, block, wave)
    maker.grid = grid
    body: list[s.Stmt] = [maker.decl, put(at(maker.shared, maker.tid), maker.tid), SYNC]
    for _ in range(rng.randint(1, 5)):
        body += maker.statement(2, "block")
        if rng.randint(0, 5) == 0:
            maker.returned = True
            body.append(iff(maker.cond(), s.Return()))
    body += maker.write(0, "none")
    mine = op("*", op("+", op("*", BX, maker.size), maker.tid), SLOTS)
    body += [put(at(OUT, op("+", mine, 3)), v, "+") for v in maker.vars]
    made = program(tuple(body), (OUT, N), wave)
    made = made.with_functions((*made.functions, *maker.functions))
    return made, block, rng.randint(0, 9)


def check_kernel(rng: random.Random, grid: bool = False) -> None:
    p, block, n = kernel(rng, grid)
    threads = block[0] * block[1] * block[2]
    same(p, [[1] * (2 * threads * SLOTS), n], (2, 1, 1), block)
    if block[1:] == (1, 1):
        size = e.Var("size", I32)
        kernel_, *rest = p.functions
        asked = Function("k", (*kernel_.params, size), kernel_.body, role="kernel")
        q = p.with_functions((asked, *rest))
        args = [[1] * (2 * threads * SLOTS), n, threads]
        same(q, args, (2, 1, 1), block, symbolic=((2, 1, 1), (size, 1, 1)))


@settings(
    max_examples=int(os.environ.get("XPILER_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 1 << 40))
def test_random_kernels(seed: int) -> None:
    check_kernel(random.Random(seed), grid=seed % 8 == 0)
