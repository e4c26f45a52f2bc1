"""A whole folder ported: which files, under which names, what changed, what is up to date."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xpiler.diagnostics import Diagnostic, SourceLoc, XpilerError
from xpiler.platforms.registry import all_platforms
from xpiler.port.model import Change, Ported
from xpiler.port.port import can_port, port

if TYPE_CHECKING:
    from xpiler.platforms.registry import Platform

Status = Literal["ported", "unchanged", "already", "unreadable"]
PLAIN = (".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".hxx", ".inl", ".inc", ".ipp", ".tpp")
MANIFEST = ".xpiler-port.json"
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"[^\n]*\n?', re.MULTILINE)
_SKIPPED = {"build", "node_modules", "__pycache__"}


@dataclass(frozen=True, slots=True)
class PortedFile:
    """One file: its path in the source folder and in the output, its text there, what was done.

    `kernel`: it is a source file of the source platform (others are headers, or plain C and C++).
    """

    path: str
    out: str
    status: Status
    kernel: bool
    lines: int = 0
    text: str | None = None
    changes: tuple[Change, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def changed_lines(self) -> int:
        return len({c.line for c in self.changes})

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


@dataclass(frozen=True, slots=True)
class FolderPort:
    """A ported folder, not yet written."""

    root: Path
    source: Platform
    target: Platform
    files: tuple[PortedFile, ...] = field(default=())

    def count(self, status: Status) -> int:
        return sum(f.status == status for f in self.files)

    def by_api(self) -> dict[str, int]:
        """How many edits each part of the API tables took, most first."""
        counts = Counter(c.group for f in self.files for c in f.changes)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def source_of(root: Path, target: Platform, named: Platform | None = None) -> Platform | None:
    """The platform that the folder's kernels are written for, if port mode can carry it."""
    family = [p for p in all_platforms() if can_port(p, target)]
    if named is not None:
        return named if named in family else None
    counts = {p.name: sum(f.name.lower().endswith(p.suffixes) for f in _walk(root)) for p in family}
    best = max(family, key=lambda p: counts[p.name], default=None)
    return best if best is not None and counts[best.name] else None


def port_folder(
    root: Path,
    source: Platform,
    target: Platform,
    *,
    skip: Path | None = None,
    arch: str | None = None,
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str] = (),
) -> FolderPort:
    """Port every C, C++ and kernel file under `root`; nothing is written. `skip` is left out."""
    found = []
    for path in _walk(root):
        if skip is not None and path.resolve().is_relative_to(skip.resolve()):
            continue
        if not path.name.lower().endswith((*source.suffixes, *target.suffixes, *PLAIN)):
            continue
        found.append(_one(root, path, source, target, arch, defines or {}, include_dirs))
    return FolderPort(root, source, target, tuple(found))


def _walk(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        hidden = any(p.startswith(".") or p in _SKIPPED for p in parts)
        if not hidden and path.is_file() and not path.is_symlink():
            yield path


def _one(
    root: Path,
    path: Path,
    source: Platform,
    target: Platform,
    arch: str | None,
    defines: Mapping[str, str],
    include_dirs: Sequence[str],
) -> PortedFile:
    name = path.relative_to(root).as_posix()
    out = renamed(name, source, target)
    kernel = out != name
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        remark = Diagnostic("XP0901", f"cannot read {name}", reason=str(why))
        return PortedFile(name, out, "unreadable", kernel, diagnostics=(remark,))
    made = port(
        text, str(path), source, target, arch=arch, defines=defines, include_dirs=include_dirs
    )
    kept = tuple(d for d in _relative(made, path, name) if d.code != "XP1008")
    already = any(d.code == "XP1009" for d in kept)
    status: Status = "already" if already else "ported" if made.text != text else "unchanged"
    new = _renamed_includes(made.text, path, source, target)
    lines = text.count("\n") + 1
    return PortedFile(name, out, status, kernel, lines, new, made.changes, kept)


def _relative(made: Ported, path: Path, name: str) -> Iterator[Diagnostic]:
    """The diagnostics with the file's name as the folder knows it."""
    from dataclasses import replace

    for d in made.diagnostics:
        yield replace(d, loc=SourceLoc(name, d.loc.line, d.loc.column)) if d.loc else d


def renamed(name: str, source: Platform, target: Platform) -> str:
    """A kernel file takes the target's suffix; headers keep their names."""
    for suffix in sorted(source.suffixes, key=len, reverse=True):
        if name.lower().endswith(suffix) and not suffix.endswith("h"):
            return name[: -len(suffix)] + target.suffixes[0]
    return name


def _renamed_includes(text: str, path: Path, source: Platform, target: Platform) -> str:
    """`#include "kernel.cu"`: the file has another suffix now."""

    def exchange(found: re.Match[str]) -> str:
        name = found.group(1)
        new = renamed(name, source, target)
        if new == name or not (path.parent / name).is_file():
            return found.group()
        return found.group().replace(f'"{name}"', f'"{new}"')

    return _INCLUDE.sub(exchange, text)


def flatten(text: str, name: str, texts: Mapping[str, str]) -> str:
    """`text` with the folder's own headers written out in place, each once."""
    seen: set[str] = set()

    def inside(body: str, folder: str) -> str:
        def exchange(found: re.Match[str]) -> str:
            path = _resolve(folder, found.group(1), texts)
            if path is None:
                return found.group()
            if path in seen:
                return "\n"
            seen.add(path)
            inner = texts[path].replace("#pragma once", "")
            return inside(inner, path.rpartition("/")[0]) + "\n"

        return _INCLUDE.sub(exchange, body)

    return inside(text, name.rpartition("/")[0])


def _resolve(folder: str, name: str, texts: Mapping[str, str]) -> str | None:
    for base in (folder, "", "include", "common", "Common", "inc"):
        parts: list[str] = []
        for part in f"{base}/{name}".split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in {"", "."}:
                parts.append(part)
        if "/".join(parts) in texts:
            return "/".join(parts)
    return None


# ---- writing ------------------------------------------------------------------------------------


def stale(ported: FolderPort, out: Path) -> list[str]:
    """Files of the output that are missing or are not what a port would write now."""
    return [f.out for f in ported.files if f.text is not None and _current(out / f.out) != f.text]


def write(ported: FolderPort, out: Path, *, force: bool = False) -> list[str]:
    """Write what differs; the names written. Raises XpilerError (XP0906, XP0905).

    A file that somebody edited since the last port is not overwritten, unless by `force`: the
    manifest in `out` holds the digest of each file as it was written.
    """
    if out.resolve() == ported.root.resolve():
        raise XpilerError(
            Diagnostic("XP0905", "a folder is never ported in place", help="give another -o")
        )
    manifest = _manifest(out)
    due = [f for f in ported.files if f.out in set(stale(ported, out))]
    edited = [f.out for f in due if not force and _edited(out / f.out, manifest.get(f.out))]
    if edited:
        names = ", ".join(edited[:5])
        raise XpilerError(
            Diagnostic(
                "XP0906",
                f"changed since they were written: {names}",
                help="keep your edits elsewhere or give --force",
            )
        )
    for f in due:
        assert f.text is not None
        (out / f.out).parent.mkdir(parents=True, exist_ok=True)
        (out / f.out).write_bytes(f.text.encode("utf-8"))
    _write_manifest(out, ported.files)
    return [f.out for f in due]


def _current(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _edited(path: Path, digest: str | None) -> bool:
    now = _current(path)
    return path.exists() and (now is None or _digest(now) != digest)


def _manifest(out: Path) -> dict[str, str]:
    try:
        found = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def _write_manifest(out: Path, files: Iterable[PortedFile]) -> None:
    new = json.dumps({f.out: _digest(f.text) for f in files if f.text is not None}, indent=1)
    path = out / MANIFEST
    if _current(path) != new + "\n":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new + "\n", encoding="utf-8")
