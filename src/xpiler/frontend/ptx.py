"""Inline PTX: matrix instructions, asynchronous copies, common arithmetic, loads and stores."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from xpiler.frontend.addresses import as_pointer
from xpiler.frontend.asmtext import (
    AsmText,
    PtxInstruction,
    asm_statements,
    pretty,
    ptx_instructions,
)
from xpiler.frontend.convert import arithmetic, const, convert
from xpiler.frontend.cursor import Node
from xpiler.frontend.operators import lane, store
from xpiler.frontend.reader import FunctionReader, statement, writes
from xpiler.frontend.types import size_of
from xpiler.ir.expr import (
    Aggregate,
    Axis,
    Binary,
    BinaryOp,
    Bits,
    Call,
    Cast,
    Const,
    Expr,
    Index,
    Select,
    Unary,
    Var,
)
from xpiler.ir.rewrite import walk_exprs
from xpiler.ir.stmt import Barrier, If, Instr
from xpiler.ir.types import (
    BF16,
    BOOL,
    F16,
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Scalar,
    Type,
    Vector,
)

TYPES: dict[str, Type] = {
    "s8": I8, "s16": I16, "s32": I32, "s64": I64, "u8": U8, "u16": U16, "u32": U32, "u64": U64,
    "b8": U8, "b16": U16, "b32": U32, "b64": U64, "f16": F16, "bf16": BF16, "f32": F32, "f64": F64,
    "f16x2": Vector(F16, 2), "bf16x2": Vector(BF16, 2), "pred": BOOL,
}  # fmt: skip
_OPS: dict[str, BinaryOp] = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "rem": "%", "and": "&", "or": "|", "xor": "^",
    "shl": "<<", "shr": ">>",
}  # fmt: skip
_FUNCTIONS = {
    "min": "min", "max": "max", "abs": "abs", "sqrt": "sqrt", "rsqrt": "rsqrt", "rcp": "rcp",
    "ex2": "exp2", "lg2": "log2", "sin": "sin", "cos": "cos", "tanh": "tanh", "popc": "popcount",
    "clz": "clz", "brev": "brev", "prmt": "byte_perm", "copysign": "copysign",
}  # fmt: skip
_COMPARE: dict[str, BinaryOp] = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "lo": "<", "ls": "<=",
    "hi": ">", "hs": ">=",
}  # fmt: skip
_AXES = {"laneid": ("lane", ""), "WARP_SZ": ("warp_size", "")} | {
    f"{p}.{d}": (level, d)
    for p, level in (
        ("tid", "thread"),
        ("ctaid", "block"),
        ("ntid", "block_dim"),
        ("nctaid", "grid_dim"),
    )
    for d in "xyz"
}
_IGNORED = ("prefetch", "griddepcontrol", "nanosleep", "prefetchu", "discard", "applypriority")
_SHAPE = re.compile(r"m\d+n\d+k\d+")
_FLOAT = re.compile(r"0[fF]([0-9a-fA-F]{8})$")
_DOUBLE = re.compile(r"0[dD]([0-9a-fA-F]{16})$")


@dataclass
class _Block:
    """One assembly statement being read."""

    r: FunctionReader
    operands: list[Expr]
    registers: dict[str, Var] = field(default_factory=dict)


@statement("ASM_STMT", "GCC_ASM_STMT", "MSASM_STMT")
def _asm(r: FunctionReader, n: Node) -> None:
    text = _text(r, n)
    operands = _operands(r, n, text)
    block = _Block(r, operands)
    registers, instructions = ptx_instructions(text.template)
    for name, kind in registers:
        block.registers[name] = Var(r.fresh(re.sub(r"\W", "", name)), TYPES.get(kind, U32))
        r.emit(_decl(block.registers[name]))
    for ins in instructions:
        _guarded(block, ins)


def _decl(var: Var):  # type: ignore[no-untyped-def]
    from xpiler.ir.stmt import Decl

    return Decl(var)


def _text(r: FunctionReader, n: Node) -> AsmText:
    """The statement's text: the k-th assembly of its function, as clang prints that."""
    root = r.frame.root or r.root
    nodes = [k for k in root.walk() if k.kind == n.kind]
    at = next((i for i, k in enumerate(nodes) if k.c == n.c), None)
    texts = asm_statements(pretty(root))
    if at is None or at >= len(texts):
        r.fail("XP0208", "the text of this assembly is not known")
    return texts[at]


def _operands(r: FunctionReader, n: Node, text: AsmText) -> list[Expr]:
    """Places and values of the operands; inputs that an output may overwrite are kept."""
    nodes = [
        k
        for k in n.kids
        if not k.kind.endswith("_REF") or k.kind in ("DECL_REF_EXPR", "MEMBER_REF_EXPR")
    ]
    values = r.operands(nodes)
    if len(values) != len(text.written):
        r.fail("XP0208", "the operands of this assembly could not be told apart")
    outs = [v for v, w in zip(values, text.written, strict=True) if w]
    names = {x.name for o in outs for x in walk_exprs(o) if isinstance(x, Var)}
    several = text.template.count(";") > 1
    for i, (v, w) in enumerate(zip(values, text.written, strict=True)):
        if not w and several and any(isinstance(x, Var) and x.name in names for x in walk_exprs(v)):
            values[i] = r.temp(v, v.type)
    return values


def _guarded(block: _Block, ins: PtxInstruction) -> None:
    if not ins.predicate:
        _run(block, ins)
        return
    name = ins.predicate.lstrip("!")
    cond = convert(_value(block, name, BOOL), BOOL)
    with block.r.capture() as inner:
        _run(block, ins)
    block.r.emit(If(Unary("!", cond, BOOL) if ins.predicate[0] == "!" else cond, tuple(inner)))


def _run(block: _Block, ins: PtxInstruction) -> None:
    head = ins.parts[0]
    reader = _READERS.get(head)
    if reader is None and head in _OPS:
        reader = _arithmetic
    if reader is None and head in _FUNCTIONS:
        reader = _function
    if reader is None and head in _IGNORED:
        return
    if reader is None:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    try:
        reader(block, ins)
    except (ValueError, IndexError):
        block.r.fail("XP0208", f"the operands of {ins.name!r} are not understood")


# -- operands --------------------------------------------------------------------


def _type(block: _Block, ins: PtxInstruction) -> Type:
    """The type that the instruction's name ends with."""
    for part in reversed(ins.parts):
        if part in TYPES:
            return TYPES[part]
    block.r.fail("XP0208", f"the type of {ins.name!r} is not understood")


def _raw(block: _Block, text: str) -> Expr:
    text = text.strip()
    if text in block.registers:
        return block.registers[text]
    if re.fullmatch(r"%\d+", text):
        index = int(text[1:])
        if index < len(block.operands):
            return block.operands[index]
    special = text.replace("%", "")
    if special in _AXES:
        level, dim = _AXES[special]
        return Axis(level, dim)  # type: ignore[arg-type]
    return _immediate(block, text)


def _immediate(block: _Block, text: str) -> Const:
    if m := _FLOAT.match(text):
        return const(struct.unpack(">f", bytes.fromhex(m[1]))[0], F32)
    if m := _DOUBLE.match(text):
        return const(struct.unpack(">d", bytes.fromhex(m[1]))[0], F64)
    try:
        return const(int(text, 0), I64 if abs(int(text, 0)) > 0x7FFFFFFF else I32)
    except ValueError:
        block.r.fail("XP0208", f"the operand {text!r} of this assembly is not understood")


def _value(block: _Block, text: str, t: Type) -> Expr:
    """An operand as a value of type `t`: the same bits where the sizes agree."""
    return fit(_raw(block, text), t)


def fit(e: Expr, t: Type) -> Expr:
    """`e` in a register of type `t`."""
    if e.type == t:
        return e
    if isinstance(e, Const) or t == BOOL or e.type == BOOL:
        return convert(e, t)
    whole = (
        isinstance(e.type, Scalar) and isinstance(t, Scalar) and e.type.is_integer and t.is_integer
    )
    if not whole and size_of(e.type) == size_of(t):
        return Bits(e, t)
    return convert(e, t)


def _list(text: str) -> list[str]:
    """The members of `{a, b}`, or the operand itself."""
    text = text.strip()
    return [w.strip() for w in text[1:-1].split(",")] if text.startswith("{") else [text]


def _write(block: _Block, text: str, value: Expr) -> None:
    place = _raw(block, text)
    store(block.r, place, fit(value, place.type))


def _address(block: _Block, text: str, elem: Type) -> Expr:
    """`[a + 16]` as a pointer to `elem`."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    base, _, offset = inner.partition("+")
    address = _raw(block, base)
    if offset.strip():
        wide = fit(address, U64) if isinstance(address.type, Scalar) else Cast(address, U64)
        address = Binary("+", wide, const(int(offset, 0), U64), U64)
    return as_pointer(block.r, address, elem)


# -- instructions ------------------------------------------------------------------


def _arithmetic(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    head = ins.parts[0]
    if "hi" in ins.parts:
        args = tuple(_value(block, o, t) for o in ins.operands[1:])
        _write(block, ins.operands[0], Call("mulhi", args, t))
        return
    if "wide" in ins.parts:
        assert isinstance(t, Scalar)
        wide = {16: (I32 if t.is_signed else U32), 32: (I64 if t.is_signed else U64)}[t.bits]
        a, b = (convert(_value(block, o, t), wide) for o in ins.operands[1:])
        _write(block, ins.operands[0], arithmetic(_OPS[head], a, b))
        return
    a = _value(block, ins.operands[1], t)
    b = _value(block, ins.operands[2], U32 if head in ("shl", "shr") else t)
    _write(block, ins.operands[0], _lanes(block, t, lambda x, y: _binary(head, x, y), a, b))


def _binary(head: str, a: Expr, b: Expr) -> Expr:
    op = _OPS[head]
    return Binary(op, a, b, a.type) if op in ("<<", ">>") else arithmetic(op, a, b)


def _lanes(block: _Block, t: Type, f: Callable[..., Expr], *args: Expr) -> Expr:
    """`f` on scalars, or lane by lane on packed pairs."""
    if not isinstance(t, Vector):
        return f(*args)
    kept = [block.r.saved(a) for a in args]
    return Aggregate(tuple(f(*(lane(k, i) for k in kept)) for i in range(t.lanes)), t)


def _function(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    name = _FUNCTIONS[ins.parts[0]]
    args = tuple(_value(block, o, t) for o in ins.operands[1:])
    fast = "approx" in ins.parts
    result: Type = U32 if name in ("popcount", "clz") else t

    def call(*xs: Expr) -> Expr:
        scalar = result.elem if isinstance(result, Vector) else result
        return Call(name, xs, scalar, fast)

    _write(block, ins.operands[0], _lanes(block, t, call, *args))


def _fma(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    a, b, c = (_value(block, o, t) for o in ins.operands[1:4])
    floating = isinstance(t, Vector) or (isinstance(t, Scalar) and t.is_float)

    def one(x: Expr, y: Expr, z: Expr) -> Expr:
        if floating:
            return Call("fma", (x, y, z), x.type)
        return arithmetic("+", arithmetic("*", x, y), z)

    if "wide" in ins.parts or "hi" in ins.parts:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    _write(block, ins.operands[0], _lanes(block, t, one, a, b, c))


def _mov(block: _Block, ins: PtxInstruction) -> None:
    """`mov`, also packing `mov.b32 d, {a, b}` and unpacking."""
    t = _type(block, ins)
    target, source = ins.operands
    if source.startswith("{"):
        parts = [_value(block, w, U16) for w in _list(source)]
        packed = Binary(
            "|",
            convert(parts[0], U32),
            Binary("<<", convert(parts[1], U32), const(16, I32), U32),
            U32,
        )
        _write(block, target, packed)
    elif target.startswith("{"):
        whole = block.r.saved(_value(block, source, U32))
        for i, w in enumerate(_list(target)):
            _write(block, w, Cast(Binary(">>", whole, const(16 * i, I32), U32), U16))
    else:
        _write(block, target, _value(block, source, t))


def _unary(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    op = {"neg": "-", "not": "~"}[ins.parts[0]]
    a = _value(block, ins.operands[1], t)
    _write(block, ins.operands[0], _lanes(block, t, lambda x: Unary(op, x, x.type), a))  # type: ignore[arg-type]


def _cvt(block: _Block, ins: PtxInstruction) -> None:
    """`cvt.rn.f16.f32 d, a`; two sources pack a pair, the second into the low half."""
    kinds = [TYPES[p] for p in ins.parts if p in TYPES]
    if len(kinds) != 2:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    to, source = kinds
    args = [_value(block, o, source) for o in ins.operands[1:]]
    if isinstance(to, Vector):
        value: Expr = Aggregate(tuple(convert(a, to.elem) for a in reversed(args)), to)
    else:
        value = _rounded(ins, args[0], to)
    _write(block, ins.operands[0], value)


def _rounded(ins: PtxInstruction, a: Expr, to: Type) -> Expr:
    modes = {
        "rni": "round_to_int",
        "rmi": "floor_to_int",
        "rpi": "ceil_to_int",
        "rzi": "trunc_to_int",
    }
    mode = next((m for m in modes if m in ins.parts), "")
    if mode and isinstance(to, Scalar) and to.is_integer:
        return Call(modes[mode], (a,), to)
    value = convert(a, to)
    return Call("saturate", (value,), to) if "sat" in ins.parts and to == F32 else value


def _setp(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    op = next((p for p in ins.parts if p in _COMPARE), "")
    if not op:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    a, b = (_value(block, o, t) for o in ins.operands[1:3])
    _write(block, ins.operands[0], Binary(_COMPARE[op], a, b, BOOL))


def _selp(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    a, b = (_value(block, o, t) for o in ins.operands[1:3])
    cond = convert(_value(block, ins.operands[3], BOOL), BOOL)
    _write(block, ins.operands[0], Select(cond, a, b, t))


def _lop3(block: _Block, ins: PtxInstruction) -> None:
    """Any function of three bits, by its truth table, as a sum of products."""
    a, b, c = (block.r.saved(_value(block, o, U32)) for o in ins.operands[1:4])
    table = int(_immediate(block, ins.operands[4]).value)
    terms: list[Expr] = []
    for i in range(8):
        if table >> i & 1:
            bits = [x if i >> k & 1 else Unary("~", x, U32) for x, k in ((a, 2), (b, 1), (c, 0))]
            terms.append(Binary("&", Binary("&", bits[0], bits[1], U32), bits[2], U32))
    value: Expr = terms[0] if terms else const(0, U32)
    for term in terms[1:]:
        value = Binary("|", value, term, U32)
    _write(block, ins.operands[0], value)


def _load(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    p = block.r.saved(_address(block, ins.operands[1], t))
    for i, w in enumerate(_list(ins.operands[0])):
        _write(block, w, Index(p, const(i, I32), t))


def _store(block: _Block, ins: PtxInstruction) -> None:
    t = _type(block, ins)
    p = block.r.saved(_address(block, ins.operands[0], t))
    for i, w in enumerate(_list(ins.operands[1])):
        store(block.r, Index(p, const(i, I32), t), _value(block, w, t))


def _mma(block: _Block, ins: PtxInstruction) -> None:
    shape = next((p for p in ins.parts if _SHAPE.fullmatch(p)), None)
    kinds = [p for p in ins.parts if p in TYPES or p in ("tf32", "e4m3", "e5m2", "b1", "s4", "u4")]
    if shape is None or len(kinds) != 4 or "sync" not in ins.parts:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    outs = tuple(_raw(block, w) for w in _list(ins.operands[0]))
    ins_ = tuple(_raw(block, w) for o in ins.operands[1:4] for w in _list(o))
    attrs = (("satfinite", 1),) if "satfinite" in ins.parts else ()
    block.r.emit(Instr(".".join(["mma", shape, *kinds]), outs, ins_, attrs))


def _ldmatrix(block: _Block, ins: PtxInstruction) -> None:
    count = next((p for p in ins.parts if p in ("x1", "x2", "x4")), "x1")
    name = f"ldmatrix.{count}" + (".trans" if "trans" in ins.parts else "")
    outs = tuple(_raw(block, w) for w in _list(ins.operands[0]))
    block.r.emit(Instr(name, outs, (_address(block, ins.operands[1], U16),)))


def _cp(block: _Block, ins: PtxInstruction) -> None:
    """`cp.async`: the copy, the end of a group, the wait."""
    if "async" not in ins.parts or "bulk" in ins.parts or "mbarrier" in ins.parts:
        block.r.fail("XP0208", f"the instruction {ins.name!r} is not understood")
    if "commit_group" in ins.parts:
        block.r.emit(Instr("async.commit"))
    elif "wait_group" in ins.parts or "wait_all" in ins.parts:
        n = _value(block, ins.operands[0], I32) if ins.operands else const(0, I32)
        block.r.emit(Instr("async.wait", (), (n,)))
    else:
        to, source, *sizes = ins.operands[:4]
        counts = tuple(_value(block, s, I32) for s in sizes[:2])
        ends = (_address(block, to, I8), _address(block, source, I8))
        block.r.emit(Instr("async.copy", (), (*ends, *counts)))


def _bar(block: _Block, ins: PtxInstruction) -> None:
    if len(ins.operands) > 1:
        block.r.fail("XP0208", "a barrier of some threads of a block is not understood")
    block.r.emit(Barrier("warp" if "warp" in ins.parts else "block"))


def _fence(block: _Block, ins: PtxInstruction) -> None:
    scopes = {"gl": "device", "gpu": "device", "cta": "block", "sys": "system"}
    scope = next((scopes[p] for p in ins.parts if p in scopes), "device")
    block.r.emit(Instr("fence", (), (), (("scope", scope),)))


def _reduction(block: _Block, ins: PtxInstruction) -> None:
    """`red` and `atom`: an atomic operation, without or with the old value."""
    t = _type(block, ins)
    op = next(
        (
            p
            for p in ins.parts
            if p in ("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec")
        ),
        "",
    )
    operands = list(ins.operands)
    outs: tuple[Expr, ...] = ()
    if ins.parts[0] == "atom":
        outs = (_raw(block, operands.pop(0)),)
    p = _address(block, operands[0], t)
    block.r.emit(Instr(f"atomic.{op}", outs, (p, *(_value(block, o, t) for o in operands[1:]))))


def _trap(block: _Block, ins: PtxInstruction) -> None:
    block.r.emit(Instr("trap"))


_READERS: dict[str, Callable[[_Block, PtxInstruction], None]] = {
    "mma": _mma, "ldmatrix": _ldmatrix, "cp": _cp, "mov": _mov, "ld": _load, "ldu": _load,
    "st": _store, "fma": _fma, "mad": _fma, "neg": _unary, "not": _unary, "cvt": _cvt,
    "setp": _setp, "selp": _selp, "lop3": _lop3, "bar": _bar, "barrier": _bar, "membar": _fence,
    "fence": _fence, "red": _reduction, "atom": _reduction, "trap": _trap,
}  # fmt: skip
_ = writes
