"""Where functions run: on the host, on the device, or on both, by who calls them."""

from __future__ import annotations

from xpiler.ir import expr as e
from xpiler.ir.program import Program
from xpiler.ir.rewrite import walk


def execution_places(program: Program) -> dict[str, str]:
    """ "host", "device" or "both" for every function that is no kernel."""
    calls = {
        f.name: {n.func for n in walk(f.body) if isinstance(n, e.Call)} for f in program.functions
    }
    device = _reached({f.name for f in program.functions if f.role in ("kernel", "device")}, calls)
    host = _reached({f.name for f in program.functions if f.role == "host"}, calls)
    return {
        f.name: "both" if {f.name} <= host & device else "host" if f.name in host else "device"
        for f in program.functions
        if f.role != "kernel"
    }


def _reached(start: set[str], calls: dict[str, set[str]]) -> set[str]:
    found, todo = set(start), list(start)
    while todo:
        new = calls.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found
