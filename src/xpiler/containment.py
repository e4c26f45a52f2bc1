"""A failure of ours costs the functions that show it, not the file."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.ir.program import Program

Attempt = Callable[[Program], object]


def internal_error(why: BaseException, file: str) -> Diagnostic:
    """A failure of ours as a diagnostic that names the place; `XPILER_DEBUG=1` shows it whole."""
    frames = traceback.extract_tb(why.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    message = f"{type(why).__name__} in {where}: {why}"[:300]
    hint = "this is a bug in Xpiler; XPILER_DEBUG=1 shows where"
    return Diagnostic("XP0999", message, loc=SourceLoc(file, 1), help=hint)


def sound_part(program: Program, attempt: Attempt, file: str) -> tuple[Program, list[Diagnostic]]:
    """The functions on which `attempt` does not fail, and what is to be said of the others.

    A function is tried with all that it needs, and only where nothing of that has failed itself.
    """
    from xpiler.verify.session import needs

    needed = {f.name: needs(program, f) | {f.name} for f in program.functions}
    lost: dict[str, Diagnostic] = {}
    for f in sorted(program.functions, key=lambda f: len(needed[f.name])):
        if blamed := needed[f.name] & lost.keys():
            why = f"{f.name} needs {', '.join(sorted(blamed))}, on which Xpiler failed"
            lost[f.name] = Diagnostic("XP0999", why, loc=f.loc or SourceLoc(file, 1))
            continue
        try:
            attempt(_only(program, needed[f.name]))
        except XpilerError:
            pass  # a reason of its own, which the whole program shows too
        except Exception as fault:
            said = internal_error(fault, file)
            lost[f.name] = replace(said, message=f"{f.name}: {said.message}", loc=f.loc or said.loc)
    for f in program.functions:
        users = {n for n, used in needed.items() if f.name in used and n != f.name}
        if users and users <= lost.keys() and f.name not in lost:
            why = f"{f.name} is left out with {', '.join(sorted(users))}, on which Xpiler failed"
            lost[f.name] = Diagnostic("XP0999", why, loc=f.loc or SourceLoc(file, 1))
    told = [lost[f.name] for f in program.functions if f.name in lost]
    return _only(program, needed.keys() - lost.keys()), told


def _only(program: Program, names: set[str]) -> Program:
    return program.with_functions(tuple(f for f in program.functions if f.name in names))
