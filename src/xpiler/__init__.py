"""Xpiler: a transcompiler for tensor programs.

>>> import xpiler
>>> result = xpiler.translate(open("softmax.cu").read(), to="c", file="softmax.cu")
>>> print(result.text, result.verdict.render())
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from xpiler import verify

__version__ = "0.1.0"
__all__ = ["Options", "Translation", "XpilerError", "audit", "run", "translate", "verify"]

_HOME = {
    "Options": "xpiler.pipeline",
    "Translation": "xpiler.pipeline",
    "XpilerError": "xpiler.diagnostics",
    "audit": "xpiler.api",
    "run": "xpiler.api",
    "translate": "xpiler.api",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for, so that importing xpiler costs nothing."""
    if name not in _HOME:
        raise AttributeError(f"module 'xpiler' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)


class _Callable(ModuleType):
    """The package `xpiler.verify`, which is the function of that name, too."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from xpiler import api

        return api.verify(*args, **options)


verify.__class__ = _Callable
