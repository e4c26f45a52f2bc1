"""The platform's prelude, parsed once and kept: reading a small kernel then costs half.

A precompiled header is only an accelerator: whenever it cannot be made or does not fit, the text
is parsed without it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from xpiler.frontend.words import Words
from xpiler.host.cache import cache_dir, content_key, store


def prelude_arguments(words: Words, arguments: list[str]) -> list[str]:
    """Command-line arguments that bring the prelude in, precompiled where possible."""
    if not words.prelude:
        return []
    plain = ["-include", words.prelude]
    if os.environ.get("XPILER_NO_PCH"):
        return plain
    try:
        path = _path(words, arguments)
        if not path.exists():
            _make(words, arguments, path)
    except Exception:  # no cache folder, no space, a parser that cannot save: all the same
        return plain
    return ["-include-pch", str(path)] if path.exists() else plain


def _path(words: Words, arguments: list[str]) -> Path:
    from clang import cindex

    parts = [cindex.__file__, str(os.path.getsize(cindex.__file__)), words.prelude, *arguments]
    for folder in words.stubs:
        beside = Path(folder).parent
        meanings = [*beside.glob("semantics.cpp"), *beside.glob("semantics/*.cpp")]
        for f in sorted([*Path(folder).glob("*.h"), *meanings]):
            parts += [str(f), str(f.stat().st_mtime_ns)]
    return cache_dir("prelude") / f"{content_key(parts)}.pch"


def _make(words: Words, arguments: list[str], path: Path) -> None:
    from clang import cindex

    header = store(path.with_suffix(".h"), f"#include <{words.prelude}>\n".encode())
    tu: Any = cindex.Index.create().parse(
        str(header), arguments, None, cindex.TranslationUnit.PARSE_INCOMPLETE
    )
    if any(d.severity >= 3 for d in tu.diagnostics):
        return
    scratch = path.with_suffix(f".{os.getpid()}")
    tu.save(str(scratch))
    os.replace(scratch, path)
