"""The few lines appended to a unit of text that call its entry, and the files exchanged with it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np

from xpiler.verify.dtypes import Bools, encode, storage
from xpiler.verify.invocation import RETURNED, Array, BufferArg, Invocation, Memory, ScalarArg

DRIVER_FILE = "<driver>"
_SCALARS = {
    "bool": "?", "char": "b", "signed char": "b", "unsigned char": "B", "short": "h",
    "unsigned short": "H", "int": "i", "unsigned": "I", "unsigned int": "I", "long": "q",
    "unsigned long": "Q", "long long": "q", "unsigned long long": "Q", "size_t": "Q",
    "ssize_t": "q", "ptrdiff_t": "q", "int8_t": "b", "uint8_t": "B", "int16_t": "h",
    "uint16_t": "H", "int32_t": "i", "uint32_t": "I", "int64_t": "q", "uint64_t": "Q",
    "float": "f", "double": "d", "half": "e", "__half": "e", "_Float16": "e", "_Bool": "?",
    "uint": "I", "uchar": "B", "ushort": "H", "ulong": "Q",
}  # fmt: skip
_BRAIN = {"bf16", "__nv_bfloat16", "nv_bfloat16", "__hip_bfloat16", "hip_bfloat16", "__bf16"}


Taken = Sequence[tuple[int, ScalarArg | BufferArg]]


def _spelled(index: int, arg: ScalarArg | BufferArg) -> str:
    """An argument as C takes it: a pointer to anything, a number or a struct as it is called."""
    if isinstance(arg, BufferArg):
        return f"*({arg.ctype or 'void'} **)argv[{index}]"
    if arg.lent:
        return f"*(void **)argv[{index}]"
    return f"*({arg.ctype} *)argv[{index}]" if arg.ctype else "0"


def _described(index: int, arg: ScalarArg | BufferArg) -> str:
    """An argument as a type of `_runtime/xprt_call.h`, which makes of it what the entry takes."""
    if isinstance(arg, BufferArg) or arg.lent:
        return f"xprt::call::Buffer<{index}>"
    if not arg.ctype:
        return "xprt::call::Nothing"
    if isinstance(arg.value, bytes):
        return f"xprt::call::Object<{len(arg.value)}, {index}>"
    return f"xprt::call::Number<{arg.ctype}, {index}>"


def _applied(entry: str, taken: Taken, overloaded: bool) -> str:
    """The entry's value in C++: a single function says itself what it takes.

    Of several, the elements of the buffers pick one, and all else is converted to what it takes.
    """
    if not overloaded:
        given = ", ".join(_described(i, a) for i, a in taken)
        return f"xprt::call::apply(xprt::call::Types<{given}>(), {entry}, argv)"
    typed = {i for i, a in taken if isinstance(a, BufferArg) and a.ctype}
    arguments = (
        _spelled(i, a) if i in typed else f"xprt::call::Any<{_described(i, a)} >{{argv}}"
        for i, a in taken
    )
    return f"{entry}({', '.join(arguments)})"


def _call(invocation: Invocation, language: Literal["c", "c++"]) -> str:
    """The call of the entry; what it returns goes to the buffer named RETURNED, if there is one."""
    numbered = list(enumerate(invocation.args))
    inner = {k for i, a in numbered if isinstance(a, ScalarArg) for _, k in _links(i, a)}
    taken = [(i, a) for i, a in numbered if not _is_result(a) and i not in inner]
    if language == "c++":
        value = _applied(invocation.entry, taken, invocation.overloaded)
    else:
        value = f"{invocation.entry}({', '.join(_spelled(i, a) for i, a in taken)})"
    for i, a in numbered:
        if _is_result(a):
            value = f"**({a.ctype or 'int'} **)argv[{i}] = ({a.ctype or 'int'}){value}"
    return f"{value};"


def _is_result(arg: ScalarArg | BufferArg) -> bool:
    return isinstance(arg, BufferArg) and arg.name == RETURNED


def driver_text(
    invocation: Invocation, language: Literal["c", "c++"], launcher: str = "xprt"
) -> str:
    """C or C++ that defines `xprt_driver(void **argv)`: one element an argument of the entry.

    A kernel's launch shape is the last: 7 unsigned numbers (grid, block, dynamic shared bytes).
    """
    if invocation.kind == "main":
        return ""
    call = _call(invocation, language)
    linkage = 'extern "C" ' if language == "c++" else ""
    head = f'\n#line 1 "{DRIVER_FILE}"\n'
    if invocation.kind == "function":
        return (
            f"{head}{linkage}void xprt_driver(void **argv);\n"
            f"{linkage}void xprt_driver(void **argv) {{ (void)argv; {call} }}\n"
        )
    shape = len(invocation.args)
    launch = "launch_cooperative" if invocation.cooperative else "launch"
    name = invocation.entry.replace('"', "'")
    return (
        f"{head}XPRT_QUIET static void xprt_body(void *xprt_p) "
        f"{{ void **argv = (void **)xprt_p; (void)argv; {call} }}\n"
        f'extern "C" XPRT_QUIET void xprt_driver(void **argv) {{ '
        f"const unsigned *n = (const unsigned *)argv[{shape}]; "
        f"{launcher}::{launch}({{n[0], n[1], n[2]}}, {{n[3], n[4], n[5]}}, n[6], "
        f'xprt_body, argv, "{name}", 0); }}\n'
    )


def variants_text(
    invocation: Invocation,
    entries: Sequence[str],
    language: Literal["c", "c++"],
    launcher: str,
    first: int,
    shape: int,
) -> str:
    """A driver that tries each of `entries` in a process of its own (`_runtime/trials.cpp`).

    `first` is the number of the argument from which on are the expected results, `shape` that of
    a kernel's launch shape.
    """
    linkage = 'extern "C" ' if language == "c++" else ""
    quiet = "XPRT_QUIET " if language == "c++" else ""
    lines = [f'\n#line 1 "{DRIVER_FILE}"']
    for k, entry in enumerate(entries):
        call = _call(replace(invocation, entry=entry), language)
        if invocation.kind == "kernel":
            lines.append(
                f"{quiet}static void xprt_b{k}(void *p) "
                f"{{ void **argv = (void **)p; (void)argv; {call} }}"
            )
            call = (
                f"const unsigned *n = (const unsigned *)argv[{shape}]; {launcher}::launch("
                f"{{n[0], n[1], n[2]}}, {{n[3], n[4], n[5]}}, n[6], xprt_b{k}, argv, "
                f'"{invocation.entry}", 0);'
            )
        lines.append(f"{quiet}static void xprt_v{k}(void **argv) {{ (void)argv; {call} }}")
    table = ", ".join(f"xprt_v{k}" for k in range(len(entries)))
    lines += [
        f"{linkage}void xprt_try(void (*const *)(void **), unsigned, void **, unsigned);",
        f"static void (*const xprt_all[])(void **) = {{{table}}};",
        f"{linkage}void xprt_driver(void **argv);",
        f"{linkage}{quiet}void xprt_driver(void **argv) "
        f"{{ xprt_try(xprt_all, {len(entries)}, argv, {first}); }}",
    ]
    return "\n".join(lines) + "\n"


# ---- the input file (its layout is told in _runtime/main.cpp) ------------------------------------


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run of a built program is told."""

    checks: bool
    poison: int
    schedule: int
    seed: int
    warp_width: int
    shared_limit: int
    milliseconds: int
    is_main: bool
    rounding: int = 0


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 8)


def scalar_bytes(arg: ScalarArg) -> bytes:
    """The argument's bytes as the program's compiler lays them out.

    Raises ValueError for a type that is not known, or a value that it does not hold.
    """
    if isinstance(arg.value, bytes):
        return arg.value
    name = " ".join(w for w in arg.ctype.split() if w not in {"const", "volatile"})
    if name in _BRAIN:
        return encode(np.array([arg.value], np.float64), "bf16").tobytes()
    code = _SCALARS.get(name)
    if code is None:
        raise ValueError(f"a value of type {arg.ctype} has to be given as its bytes")
    value = float(arg.value) if code in "efd" else bool(arg.value) if code == "?" else arg.value
    if isinstance(value, int) and code != "?":
        size = struct.calcsize("<" + code)
        return (int(value) & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    data: bytes = struct.pack("<" + code, value)
    return data


def _links(index: int, arg: ScalarArg) -> Iterator[tuple[int, int]]:
    """Where in argument `index` pointers lie, and the numbers of the buffers they point to."""
    return ((offset, index + 1 + k) for k, offset in enumerate(arg.pointers))


def _argument(index: int, arg: ScalarArg | BufferArg) -> Iterator[bytes | memoryview]:
    if isinstance(arg, ScalarArg):
        data = scalar_bytes(arg)
        links = b"".join(struct.pack("<2I", *link) for link in _links(index, arg))
        head = struct.pack("<4IQ", 0, len(data), 1 + arg.lent, len(links), len(data))
        yield head + _padded(links) + _padded(data)
        return
    dtype = storage(arg.dtype)
    name, size = arg.name.encode(), arg.count * dtype.itemsize
    memory = 1 + get_args(Memory).index(arg.memory)
    head = struct.pack("<4IQ", memory, dtype.itemsize, arg.data is not None, len(name), size)
    if arg.data is None:
        yield head + _padded(name)
        return
    held = np.ascontiguousarray(arg.data).reshape(-1).astype(dtype, copy=False)
    if held.nbytes != size:
        raise ValueError(f"buffer {arg.name}: {held.nbytes} bytes for {arg.count} elements")
    yield head + _padded(name)
    yield held.data
    yield bytes(-size % 8)


def input_parts(invocation: Invocation, options: RunOptions) -> Iterator[bytes | memoryview]:
    """What the program reads: options, then each argument; for a kernel its launch shape too."""
    args: tuple[ScalarArg | BufferArg, ...] = invocation.args
    if invocation.kind == "kernel":
        shape = (*invocation.grid, *invocation.block, invocation.shared_bytes)
        args = (*args, ScalarArg("", struct.pack("<7I", *shape)))
    head = struct.pack(
        "<8s10IQ", b"XPRT0001", options.checks, options.poison & 0xFFFFFFFF,
        options.schedule & 0xFFFFFFFF, options.warp_width, options.shared_limit,
        len(args), options.milliseconds, options.is_main, options.rounding, 0,
        options.seed & (2**64 - 1),
    )  # fmt: skip
    yield head
    for i, arg in enumerate(args):
        yield from _argument(i, arg)


class Buffers(NamedTuple):
    """Each buffer after a run; in a checked run also which elements were written, and read.

    `by_kernels` are the arguments that kernels touched, in a checked run.
    """

    outputs: dict[str, Array]
    written: dict[str, Bools]
    read: dict[str, Bools]
    by_kernels: set[str]


def read_outputs(invocation: Invocation, data: bytes, checks: bool) -> Buffers:
    """What the program left. Raises ValueError where the data is cut short.

    A buffer whose bits did not change is the array that was given.
    """
    found = Buffers({}, {}, {}, set())
    at = 0
    for arg in invocation.args:
        if isinstance(arg, ScalarArg):
            continue
        dtype = storage(arg.dtype)
        same = np.frombuffer(data, "<u8", 1, at)[0] != 0
        at += 8
        if same and arg.data is not None:
            flat = arg.data if arg.data.ndim == 1 else arg.data.reshape(-1)
            found.outputs[arg.name] = flat.astype(dtype, copy=False)
        else:
            found.outputs[arg.name] = np.frombuffer(data, dtype, arg.count, at).copy()
            at += arg.count * dtype.itemsize
        if checks:
            states = np.frombuffer(data, np.uint8, arg.count, at)
            found.written[arg.name], found.read[arg.name] = states & 1 != 0, states & 2 != 0
            if states.size and states[0] & 4:
                found.by_kernels.add(arg.name)
            at += arg.count
    return found
