"""What the user says of loops, by OpenMP pragmas: taken as an assumption, tested like the rest."""

from __future__ import annotations

from dataclasses import replace

from xpiler.ir import stmt as s
from xpiler.ir.program import Program
from xpiler.ir.rewrite import rewrite_stmts

_SAYS = "as its OpenMP pragma says"


def claim(loop: s.For) -> str:
    """The sentence that is assumed where independence is not proved but claimed."""
    name = loop.var.name.split(".")[0]
    return f"iterations over {name} do not touch what others write, {_SAYS}"


def is_claim(sentence: str) -> bool:
    """Whether an assumption is one that a pragma makes."""
    return sentence.endswith(_SAYS)


def without_claims(program: Program) -> Program:
    """The program with only what can be proved of its loops."""

    def one(st: s.Stmt) -> s.Stmt:
        return replace(st, claimed=False) if isinstance(st, s.For) and st.claimed else st

    functions = (f.with_body(rewrite_stmts(f.body, one)) for f in program.functions)
    return replace(program, functions=tuple(functions))
