"""Host code: kernel launches in both forms."""

from __future__ import annotations

from xpiler.frontend.convert import arithmetic, const, const_int, convert
from xpiler.frontend.cursor import Node
from xpiler.frontend.operators import deref, lane
from xpiler.frontend.reader import FunctionReader, expression
from xpiler.frontend.unit import FunctionEntry
from xpiler.ir.expr import Aggregate, Expr
from xpiler.ir.stmt import Instr, Launch
from xpiler.ir.types import I32, U32, U64, Pointer, Scalar, Vector

_CONFIGURE = ("__cudaPushCallConfiguration", "__hipPushCallConfiguration", "cudaConfigureCall",
              "hipConfigureCall")  # fmt: skip
Extent = tuple[Expr, Expr, Expr]


def is_launch(n: Node) -> bool:
    """Whether a call of a kernel is `k<<<...>>>(...)`."""
    return _configuration(n) is not None


def _configuration(n: Node) -> Node | None:
    for k in n.kids[1:2]:
        inner = k.stripped()
        if inner.kind == "CALL_EXPR" and inner.name in _CONFIGURE:
            return inner
    return None


def launch(r: FunctionReader, n: Node, callee: Node) -> Expr:
    """`k<<<grid, block, shared, stream>>>(args)`."""
    from xpiler.frontend.calls import arguments

    config = _configuration(n)
    assert config is not None
    if len(config.args) < 2:
        r.fail("XP0207", "the configuration of this launch is not understood")
    grid, block, *rest = config.args
    kernel = _kernel(r, callee)
    if r.unit.words.launch == "tasks":
        return _task_launch(r, n, callee, kernel, grid, block)
    g, b = extent(r, r.expr(grid)), extent(r, r.expr(block))
    shared = _shared(r, rest[0]) if rest else None
    args = arguments(r, n, Node(callee.c.get_definition() or callee.c))
    return _launched(r, kernel, Launch(kernel.name, g, b, tuple(args), shared))


def _launched(r: FunctionReader, kernel: FunctionEntry, launch: Launch) -> Expr:
    """The launch, if it gives what the kernel takes: the parser goes on where it does not."""
    taken = len(kernel.done.params) if kernel.done is not None else len(launch.args)
    if len(launch.args) != taken:
        given = len(launch.args)
        r.fail("XP0207", f"{kernel.name} takes {taken} arguments, but this launch gives {given}")
    r.emit(launch)
    return const(0, I32)


def _task_launch(
    r: FunctionReader, n: Node, callee: Node, kernel: FunctionEntry, tasks: Node, cores: Node
) -> Expr:
    """`k<<<tasks, cores, queue>>>(args)`: groups of cores are blocks, cores their threads."""
    from xpiler.frontend.calls import arguments

    x, y, z = extent(r, r.expr(tasks))
    per = convert(r.expr(cores), U32)
    args = arguments(r, n, Node(callee.c.get_definition() or callee.c))
    known = const_int(x), const_int(per)
    if known[0] is not None and known[1]:
        groups: Expr = const(known[0] // known[1], U32)
    else:
        groups = x if known[1] == 1 else arithmetic("/", x, per)
    one = const(1, U32)
    launch = Launch(kernel.name, (groups, y, z), (per, one, one), tuple(args))
    return _launched(r, kernel, launch)


def _kernel(r: FunctionReader, callee: Node) -> FunctionEntry:
    entry = r.unit.entry(callee)
    if entry is None:
        r.fail("XP0203", f"the kernel {callee.name!r} is not defined in this file")
    if entry.failed:
        r.fail("XP0203", f"the launched kernel {callee.name!r} was left out")
    return entry


def extent(r: FunctionReader, e: Expr) -> Extent:
    """Three extents from a dim3 value (or from a number)."""
    if isinstance(e.type, Vector):
        kept = e if isinstance(e, Aggregate) else r.saved(e)
        return (lane(kept, 0), lane(kept, 1), lane(kept, 2))
    one = const(1, U32)
    return (convert(e, U32), one, one)


def _shared(r: FunctionReader, n: Node) -> Expr | None:
    if n.kind == "UNEXPOSED_EXPR" and not n.kids:
        return None
    value = convert(r.expr(n), U64)
    return None if getattr(value, "value", 1) == 0 else value


def launch_call(r: FunctionReader, n: Node, order: str) -> Expr:
    """A launch by function call; `order` names its arguments (`kernel grid block args shared`)."""
    given = dict(zip(order.split(), n.args, strict=False))
    callee = _function_in(given["kernel"])
    if callee is None:
        r.fail("XP0203", "the kernel of this launch is not known")
    kernel = _kernel(r, callee)
    g = extent(r, r.expr(given["grid"]))
    b = extent(r, r.expr(given["block"]))
    shared = _shared(r, given["shared"]) if "shared" in given else None
    args = _addressed(r, given["args"], callee)
    launch = Launch(kernel.name, g, b, tuple(args), shared, "cooperative" in order)
    _launched(r, kernel, launch)
    return const(0, r.unit.types(n.type))


def _function_in(n: Node) -> Node | None:
    for k in n.walk():
        if k.kind == "DECL_REF_EXPR" and k.ref is not None and k.ref.kind == "FUNCTION_DECL":
            return k.ref
    return None


def _addressed(r: FunctionReader, n: Node, callee: Node) -> list[Expr]:
    """The values behind the addresses in `void* args[] = {&a, &b}`."""
    inner = n.stripped()
    while inner.kind.endswith("CAST_EXPR") and inner.kids:
        inner = inner.kids[-1].stripped()
    nodes = r.address_lists.get(inner.ref.key) if inner.ref is not None else None
    if nodes is None:
        r.fail(
            "XP0203",
            "the argument list of this launch is not understood",
            "",
            "initialise an array of pointers where it is declared: void* args[] = {&a, &b}",
        )
    definition = Node(callee.c.get_definition() or callee.c)
    params = [k for k in definition.kids if k.kind == "PARM_DECL"]
    return [
        convert(_behind(r, a), r.unit.types(p.type)) for p, a in zip(params, nodes, strict=False)
    ]


def _behind(r: FunctionReader, n: Node) -> Expr:
    inner = n.stripped()
    while inner.kind.endswith("CAST_EXPR") and inner.kids:
        inner = inner.kids[-1].stripped()
    if inner.kind == "UNARY_OPERATOR" and inner.unary == "&":
        return r.expr(inner.kids[0])
    return deref(r.expr(inner))


@expression("CXX_NEW_EXPR")
def _new(r: FunctionReader, n: Node) -> Expr:
    """`new T[n]`: memory of the host; the elements start undefined."""
    t = r.unit.types(n.type)
    if r.role != "host" or not isinstance(t, Pointer):
        r.fail("XP0203", "`new` is only understood in host code")
    size = int(n.type.get_canonical().get_pointee().get_size())
    counts = [k for k in n.kids if not k.kind.endswith("_REF")]
    if len(counts) > 1 or any(k.kind in ("CALL_EXPR", "INIT_LIST_EXPR") for k in counts):
        r.fail("XP0203", "`new` with initial values is not understood")
    count = convert(r.expr(counts[0]), U64) if counts else const(1, U64)
    var = r.temp(None, t, "memory")
    amount = arithmetic("*", count, const(size, U64))
    r.emit(Instr("host.alloc", (var,), (amount,), (("kind", "host"),)))
    return var


@expression("CXX_DELETE_EXPR")
def _delete(r: FunctionReader, n: Node) -> Expr:
    r.emit(Instr("host.free", (), (r.expr(n.kids[0]),), (("kind", "host"),)))
    return const(0, I32)


__all__ = ["Scalar", "is_launch", "launch", "launch_call"]
