"""Which functions of a program can be run to compare source and target."""

from __future__ import annotations

from xpiler.diagnostics import Diagnostic, XpilerError
from xpiler.ir import expr as e
from xpiler.ir import stmt as s
from xpiler.ir.program import Function, Program
from xpiler.ir.rewrite import walk
from xpiler.ir.types import Pointer, Scalar, Struct, Type, Vector
from xpiler.verify.inference.candidates import reachable


def entries(program: Program, wanted: str | None = None) -> tuple[Function, ...]:
    """The functions to run: host functions that launch, else the kernels.

    Of functions that call each other the outermost one counts; `main` and functions with
    parameters that cannot be made up are passed over. Raises XpilerError: XP0302, XP0307.
    """
    if wanted is not None:
        return (_named(program, wanted),)
    hosts = [
        f
        for f in program.functions
        if f.role == "host" and f.name != "main" and launches(program, f)
    ]
    usable = [f for f in hosts if testable(f)]
    inner = {g.name for f in usable for g in reachable(program, f) if g is not f}
    outer = tuple(f for f in usable if f.name not in inner)
    covered = {k for f in outer for k in launched(program, f)}
    loose = tuple(k for k in program.kernels() if k.name not in covered and testable(k))
    found = outer + loose
    if not found:
        kernels = program.kernels()
        code = "XP0307" if kernels or hosts else "XP0302"
        what = (
            "no function's parameters can be given values" if code == "XP0307" else "nothing to run"
        )
        raise XpilerError(Diagnostic(code, f"{program.file}: {what}", help="name one with --entry"))
    return found


def _named(program: Program, name: str) -> Function:
    for f in program.functions:
        if name in (f.name, f.symbol):
            return f
    known = ", ".join(f.name for f in program.functions) or "none"
    raise XpilerError(
        Diagnostic("XP0302", f"there is no function {name}", reason=f"known: {known}")
    )


def launched(program: Program, f: Function) -> set[str]:
    """Names of the kernels that `f` launches, directly or through others."""
    return {
        n.kernel for g in reachable(program, f) for n in walk(g.body) if isinstance(n, s.Launch)
    }


def launches(program: Program, f: Function) -> bool:
    return bool(launched(program, f))


def testable(f: Function) -> bool:
    """Whether every parameter can be given a test value."""
    return all(_testable(p.type) for p in f.params)


def _testable(t: Type) -> bool:
    if isinstance(t, Pointer):
        return isinstance(t.elem, (Scalar, Vector)) and t.elem != Scalar("void")
    return isinstance(t, (Scalar, Vector, Struct)) or _is_handle(t)


def _is_handle(t: Type) -> bool:
    from xpiler.ir.types import Opaque

    return isinstance(t, Opaque)


def scalars(f: Function) -> tuple[e.Var, ...]:
    return tuple(p for p in f.params if isinstance(p.type, Scalar))


def pointers(f: Function) -> tuple[e.Var, ...]:
    return tuple(p for p in f.params if isinstance(p.type, Pointer))
