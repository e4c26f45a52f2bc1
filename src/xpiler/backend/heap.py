"""Arrays too large for the stack: allocated where declared, freed on every way out."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpiler.backend.types import size_of
from xpiler.ir import stmt as s
from xpiler.ir.types import Array

STACK_LIMIT = 256 * 1024  # bytes; threads often have stacks of one or two MiB


@dataclass
class _Scope:
    loop: bool
    names: list[str] = field(default_factory=list)


@dataclass
class Heap:
    """The open scopes of a function with the arrays that each has to free."""

    scopes: list[_Scope] = field(default_factory=list)

    @staticmethod
    def wants(decl: s.Decl) -> bool:
        """Whether a declaration is too large for the stack."""
        t = decl.var.type
        if not isinstance(t, Array) or decl.init is not None:
            return False
        return (size_of(t) or 0) > STACK_LIMIT

    def enter(self, loop: bool) -> None:
        self.scopes.append(_Scope(loop))

    def add(self, name: str) -> None:
        self.scopes[-1].names.append(name)

    def leave(self, ended: bool) -> list[str]:
        """The calls at the end of the innermost scope; none after a jump, which has made them."""
        scope = self.scopes.pop()
        return [] if ended else _calls(scope.names)

    def frees(self) -> list[str]:
        """The calls before leaving the function."""
        return [call for scope in reversed(self.scopes) for call in _calls(scope.names)]

    def frees_to_loop(self) -> list[str]:
        """The calls before leaving an iteration."""
        out: list[str] = []
        for scope in reversed(self.scopes):
            out += _calls(scope.names)
            if scope.loop:
                break
        return out


def _calls(names: list[str]) -> list[str]:
    return [f"free({name});" for name in reversed(names)]
