"""Launches: what a kernel's extents are in terms of its own parameters, and launches as calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import children, fresh_name, map_children, variables, walk
from xpiler.ir.types import U32, U64, VOID, Array, Scalar, Struct, Type, Vector
from xpiler.passes.recovery import flow as fl
from xpiler.passes.recovery import nodes as n
from xpiler.passes.recovery.shape import DIMS, Extents, LaunchShape, constant, u32

SLOTS = ("grid_x", "grid_y", "grid_z", "block_x", "block_y", "block_z", "shared_bytes")


class NoShape(Exception):
    """A kernel's launch shape is not known; `slots` are the missing extents."""

    def __init__(self, slots: list[str]) -> None:
        super().__init__(", ".join(slots))
        self.slots = slots


@dataclass(frozen=True)
class Site:
    """One launch of a kernel, its values as expressions in the kernel's parameters (None: not)."""

    launch: s.Launch
    values: tuple[e.Expr | None, ...]


@dataclass
class KernelLaunch:
    """How a kernel becomes a function: its extents, parameters added, assumptions made."""

    extents: Extents
    extra: dict[str, e.Var] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)
    hosted: bool = False


def slot_values(st: s.Launch) -> tuple[e.Expr, ...]:
    """Grid, block and bytes of dynamic shared memory of a launch."""
    shared = st.shared_bytes if st.shared_bytes is not None else e.Const(0, U64)
    return (*(u32(x) for x in st.grid), *(u32(x) for x in st.block), shared)


@dataclass
class HostFlow:
    """What a host function's variables hold where it launches."""

    function: Function

    def __post_init__(self) -> None:
        self.body = n.fresh_statements(self.function.body)
        self.graph = fl.build(self.body)
        self.names = fl.local_names(self.body)
        params = {p.name for p in self.function.params}
        self.before = fl.reaching(self.graph, self.names | params)
        self.lent = {v for x in n.statements(self.body) for h in n.heads(x) for v in fl.lent(h)}

    def resolve(self, x: e.Expr, at: int) -> e.Expr:
        """`x` at node `at` with local variables replaced by what they were computed from."""

        def go(node: e.Expr) -> e.Expr:
            if isinstance(node, e.Var):
                return self._value(node, at)
            if isinstance(node, e.Field) and isinstance(node.base, e.Var):
                return self._component(node, node.base, at)
            new: e.Expr = map_children(node, go)
            return _lane(new)

        return go(x)

    def _value(self, v: e.Var, at: int) -> e.Expr:
        sites = self.before[at].get(v.name, set())
        if v.name not in self.names or len(sites) != 1 or v.name in self.lent:
            return v
        site = next(iter(sites))
        st = self.graph.nodes[site].stmt
        value = _whole(st, v.name)
        if value is None or not _plain(value) or not self._same(value, site, at):
            return v
        inner = self.resolve(value, site)
        return inner if self._same(inner, site, at) else value

    def _component(self, x: e.Field, v: e.Var, at: int) -> e.Expr:
        """`grid.x` where `grid` was given all its components at once."""
        sites = self.before[at].get(v.name, set())
        value = _whole(self.graph.nodes[min(sites)].stmt, v.name) if len(sites) == 1 else None
        k = "xyzw".find(x.name)
        if not isinstance(value, e.Aggregate) or k >= len(value.items) or k < 0:
            return x
        site = min(sites)
        part = value.items[k]
        if not _plain(part) or not self._same(part, site, at):
            return x
        inner = self.resolve(part, site)
        return inner if self._same(inner, site, at) else part

    def _same(self, x: e.Expr, site: int, at: int) -> bool:
        """Whether the variables of `x` hold at `at` what they held at the definition `site`."""
        names = variables(x)
        if names & self.lent:
            return False
        seen: set[tuple[int, bool]] = set()
        work = [(k, False) for k in self.graph.nodes[site].succ]
        while work:
            i, dirty = work.pop()
            if (i, dirty) in seen:
                continue
            seen.add((i, dirty))
            if i == at and dirty:
                return False
            node = self.graph.nodes[i]
            if i != site:
                dirty = dirty or bool((node.defs | node.weak) & names)
                work += [(k, dirty) for k in node.succ]
        return True


def _whole(st: s.Stmt | None, name: str) -> e.Expr | None:
    if isinstance(st, s.Decl):
        return st.init
    if isinstance(st, s.Assign) and not st.op and isinstance(st.target, e.Var):
        return st.value if st.target.name == name else None
    return None


def _lane(x: e.Expr) -> e.Expr:
    """`{a, b, c}.y` is `b`: the extents of a `dim3`."""
    if isinstance(x, e.Field) and isinstance(x.base, e.Aggregate) and x.name in DIMS:
        k = DIMS.index(x.name)
        return x.base.items[k] if k < len(x.base.items) else e.Const(0, U32)
    return x


def _plain(x: e.Expr) -> bool:
    kinds = (
        e.Const, e.Var, e.Binary, e.Unary, e.Cast, e.Select, e.Call, e.Aggregate, e.Field,
    )  # fmt: skip
    return all(isinstance(y, kinds) for y in walk(x))


def sites(program: Program) -> dict[str, list[Site]]:
    """All launches of each kernel by the file's host functions."""
    kernels = {f.name: f for f in program.kernels()}
    found: dict[str, list[Site]] = {}
    for f in program.functions:
        if f.role != "host" or not any(isinstance(st, s.Launch) for st in n.statements(f.body)):
            continue
        flow = HostFlow(f)
        for index, node in enumerate(flow.graph.nodes):
            st = node.stmt
            if isinstance(st, s.Launch) and st.kernel in kernels:
                values = _in_parameters(flow, index, st, kernels[st.kernel])
                found.setdefault(st.kernel, []).append(Site(st, values))
    return found


def _in_parameters(
    flow: HostFlow, at: int, st: s.Launch, kernel: Function
) -> tuple[e.Expr | None, ...]:
    known = [
        (flow.resolve(a, at), a, p) for a, p in zip(st.args, kernel.params, strict=False)
        if isinstance(p.type, Scalar)
    ]  # fmt: skip
    return tuple(_renamed(flow.resolve(x, at), x, known) for x in slot_values(st))


Known = list[tuple[e.Expr, e.Expr, e.Var]]


def _renamed(x: e.Expr, direct: e.Expr, known: Known) -> e.Expr | None:
    """`x` in the kernel's parameters, or None where it needs something else."""
    for candidate in (direct, x):
        new = _translate(candidate, known)
        if new is not None:
            return new
    return None


def _translate(x: e.Expr, known: Known) -> e.Expr | None:
    if constant(x) is not None:
        return x
    for resolved, direct, param in known:
        if x in (resolved, direct) and x.type == param.type:
            return param
    if isinstance(x, e.Var):
        return _widened(x, known)
    if not _plain(x):
        return None
    parts = [_translate(c, known) for c in children(x) if isinstance(c, e.Expr)]
    if any(p is None for p in parts):
        return None
    kept = iter(parts)
    new: e.Expr = map_children(x, lambda c: next(kept))
    return new


def _widened(x: e.Var, known: Known) -> e.Expr | None:
    """A variable passed in a wider integer type keeps its value in the parameter."""
    for resolved, direct, param in known:
        for arg in (resolved, direct):
            if isinstance(arg, e.Cast) and arg.x == x and _holds(param.type, x.type):
                return e.Cast(param, x.type)
    return None


def _holds(wide: Type, narrow: Type) -> bool:
    if not isinstance(wide, Scalar) or not isinstance(narrow, Scalar):
        return False
    if not wide.is_integer or not narrow.is_integer or wide.name == "bool":
        return False
    if wide.is_signed == narrow.is_signed:
        return wide.bits >= narrow.bits
    return wide.bits > narrow.bits and wide.is_signed


def hosted(kernel: Function, found: list[Site], wave: int, taken: set[str]) -> KernelLaunch:
    """The extents of a kernel that host functions launch: agreed values, else new parameters."""
    extra: dict[str, e.Var] = {}
    values: list[e.Expr] = []
    for k, slot in enumerate(SLOTS):
        first = found[0].values[k]
        if first is not None and all(site.values[k] == first for site in found):
            values.append(first)
            continue
        t = U64 if slot == "shared_bytes" else U32
        extra[slot] = e.Var(fresh_name(slot, taken), t)
        values.append(extra[slot])
    return KernelLaunch(_extents(kernel, values, wave), extra, hosted=True)


def _extents(kernel: Function, values: list[e.Expr], wave: int) -> Extents:
    grid = (u32(values[0]), u32(values[1]), u32(values[2]))
    block = (u32(values[3]), u32(values[4]), u32(values[5]))
    most = kernel.launch_bounds or 1024
    return Extents(grid, block, values[6], wave, most)


def alone(kernel: Function, shape: LaunchShape | None, wave: int, body: s.Body) -> KernelLaunch:
    """The extents of a kernel that nothing here launches, as the user or inference says them.

    A grid that nothing decides is the caller's, as it is in a launch: a parameter more. So are the
    bytes of dynamic shared memory.
    Raises NoShape where an extent is unknown that the kernel's meaning depends on.
    """
    used = {(a.level, a.dim) for a in walk(body) if isinstance(a, e.Axis)}
    assumptions: list[str] = []
    values: list[e.Expr] = []
    missing: list[str] = []
    extra: dict[str, e.Var] = {}
    taken = variables(body) | {p.name for p in kernel.params}
    given = (*shape.grid, *shape.block) if shape is not None else (None,) * 6
    for k, slot in enumerate(SLOTS[:6]):
        value = given[k]
        dim = DIMS[k % 3]
        asks = (
            {("block", dim), ("grid_dim", dim)} if k < 3 else {("thread", dim), ("block_dim", dim)}
        )
        matters = value is None and (asks & used or (dim == "x" and shape is None))
        if matters and shape is not None and k < 3:
            value = extra[slot] = e.Var(fresh_name(slot, taken), U32)
        elif matters:
            missing.append(slot)
        if value is None and not missing:
            assumptions.append(f"{kernel.name} is launched with {slot} = 1")
        values.append(u32(1 if value is None else value))
    if missing:
        raise NoShape(missing)
    bytes_ = shape.shared_bytes if shape is not None else None
    if bytes_ is None and any(isinstance(n, s.Decl) and n.dynamic for n in walk(body)):
        bytes_ = extra[SLOTS[6]] = e.Var(fresh_name(SLOTS[6], taken), U64)
    values.append(e.Const(bytes_ or 0, U64) if not isinstance(bytes_, e.Expr) else bytes_)
    return KernelLaunch(_extents(kernel, values, wave), extra, assumptions)


def as_calls(f: Function, plans: Mapping[str, KernelLaunch], lost: set[str]) -> Function:
    """A host function in which launches are calls; those of lost kernels are left out."""

    def one(st: s.Stmt) -> s.Stmt | s.Body:
        if not isinstance(st, s.Launch):
            return st
        if st.kernel in lost or st.kernel not in plans:
            note = f"launch of {st.kernel}"
            return s.LeftOut(note, "XP0402", loc=st.loc, comments=st.comments)
        values = dict(zip(SLOTS, slot_values(st), strict=True))
        more = tuple(
            x if x.type == v.type else e.Cast(x, v.type)
            for slot, v in plans[st.kernel].extra.items()
            for x in (values[slot],)
        )
        call = e.Call(st.kernel, (*st.args, *more), VOID)
        return s.Eval(call, loc=st.loc, comments=st.comments)

    return f.with_body(n.edit(f.body, one))


def size_of(t: Type, program: Program) -> int:
    """Bytes of a value of type `t`, C's natural layout."""
    if isinstance(t, Scalar):
        return t.bits // 8
    if isinstance(t, Vector):
        return size_of(t.elem, program) * t.lanes
    if isinstance(t, Array):
        return size_of(t.elem, program) * (t.size or 0)
    if isinstance(t, Struct):
        return _struct_size(t, program)
    return 8


def _struct_size(t: Struct, program: Program) -> int:
    definition = next(d for d in program.structs if d.name == t.name)
    offset, widest = 0, max(definition.align, 1)
    for _, ft in definition.fields:
        align = align_of(ft, program)
        offset = -(-offset // align) * align + size_of(ft, program)
        widest = max(widest, align)
    return -(-offset // widest) * widest


def align_of(t: Type, program: Program) -> int:
    """Alignment of a type in bytes."""
    if isinstance(t, Array):
        return align_of(t.elem, program)
    if isinstance(t, Struct):
        definition = next(d for d in program.structs if d.name == t.name)
        return max([definition.align, 1, *(align_of(ft, program) for _, ft in definition.fields)])
    size = size_of(t, program)
    return size & -size


def byte_offset(x: e.Expr) -> e.Expr:
    return x if x.type == U64 else e.Cast(x, U64)
