"""What tables cannot say of a platform's language: hooks that its folder's `dialect.py` overrides.

The module defines `DIALECT`, an instance of a subclass of `Dialect`; platforms whose tables say
everything have none.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xpiler.backend.expressions import ExpressionPrinter
    from xpiler.backend.pieces import Piece
    from xpiler.ir.expr import Call
    from xpiler.ir.program import Program
    from xpiler.ir.stmt import Instr, Launch
    from xpiler.ir.types import Vector


class Dialect:
    """The hooks; None from any of them leaves the matter to the tables."""

    def prepare(self, program: Program) -> Program:
        """The program in the form in which it is written, before anything is printed."""
        return program

    def instruction(self, st: Instr, x: ExpressionPrinter) -> list[str] | None:
        """The lines of an instruction."""
        return None

    def launch(self, st: Launch, x: ExpressionPrinter) -> list[str] | None:
        """The lines of a kernel launch."""
        return None

    def call(self, n: Call, x: ExpressionPrinter) -> Piece | None:
        """A call of a function that the platform supplies (`Program.externals`) or of the IR."""
        return None

    def native_vectors(self, program: Program) -> frozenset[Vector]:
        """Vector types that have to be the compiler's own rather than the platform's classes."""
        return frozenset()


PLAIN = Dialect()


def load_dialect(folder: Path) -> Dialect:
    """The dialect in a platform's folder, or the plain one."""
    path = folder / "dialect.py"
    if not path.is_file():
        return PLAIN
    spec = importlib.util.spec_from_file_location(f"xpiler_dialect_{folder.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Dialect = module.DIALECT
    return found
