"""The report on a ported folder: by API and by line, as text and as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xpiler.diagnostics import Diagnostic
from xpiler.port.folder import FolderPort, PortedFile


def data(ported: FolderPort, verdicts: Mapping[str, str], written: Sequence[str]) -> dict[str, Any]:
    """Everything as plain JSON values; `verdicts` by the files' names."""
    return {
        "folder": str(ported.root),
        "from": ported.source.name,
        "to": ported.target.name,
        "files": [_file(f, verdicts.get(f.path)) for f in ported.files],
        "totals": totals(ported),
        "by_api": ported.by_api(),
        "written": list(written),
    }


def totals(ported: FolderPort) -> dict[str, int]:
    """Counts of files, lines, edits and remarks."""
    files = ported.files
    return {
        "files": len(files),
        "ported": ported.count("ported"),
        "unchanged": ported.count("unchanged"),
        "already": ported.count("already"),
        "unreadable": ported.count("unreadable"),
        "lines": sum(f.lines for f in files),
        "changed_lines": sum(f.changed_lines for f in files),
        "edits": sum(len(f.changes) for f in files),
        "errors": sum(len(f.errors) for f in files),
        "files_with_errors": sum(bool(f.errors) for f in files),
    }


def _file(f: PortedFile, verdict: str | None) -> dict[str, Any]:
    return {
        "file": f.path,
        "out": f.out,
        "status": f.status,
        "lines": f.lines,
        "changed_lines": f.changed_lines,
        "changes": [
            {"line": c.line, "column": c.column, "old": c.old, "new": c.new, "api": c.group}
            for c in f.changes
        ],
        "diagnostics": [_diagnostic(d) for d in f.diagnostics],
        "verdict": verdict,
    }


def _diagnostic(d: Diagnostic) -> dict[str, Any]:
    return {
        "code": d.code,
        "severity": d.severity,
        "line": d.loc.line if d.loc else 0,
        "column": d.loc.column if d.loc else 0,
        "message": d.message,
        "reason": d.reason,
    }


def brief(ported: FolderPort, verdicts: Mapping[str, str], written: Sequence[str]) -> str:
    """What a terminal shows: totals, the API's parts, what was not carried."""
    return "\n".join(_brief(ported, verdicts, written))


def _brief(
    ported: FolderPort, verdicts: Mapping[str, str], written: Sequence[str]
) -> Iterator[str]:
    n = totals(ported)
    yield f"{ported.root}: {ported.source.title} to {ported.target.title}"
    yield (
        f"  {n['files']} files: {n['ported']} ported, {n['unchanged']} without the API, "
        f"{n['already']} for the target already; {len(written)} written"
    )
    yield f"  {n['changed_lines']} of {n['lines']} lines changed by {n['edits']} edits"
    for api, count in ported.by_api().items():
        yield f"    {count:6} {api}"
    for name, verdict in verdicts.items():
        yield f"  {name}: {verdict}"
    if n["errors"]:
        yield f"  not carried: {n['errors']} places in {n['files_with_errors']} files"


def full(ported: FolderPort, verdicts: Mapping[str, str], written: Sequence[str]) -> str:
    """The brief report and, file by file, each edit and each remark with its line."""
    out = [brief(ported, verdicts, written)]
    for f in ported.files:
        if not f.changes and not f.diagnostics:
            continue
        out.append(f"\n{f.path} -> {f.out}")
        rows = [
            (c.line, f"{c.old or '(nothing)'} -> {c.new or '(nothing)'}  [{c.group}]")
            for c in f.changes
        ]
        rows += [
            (d.loc.line if d.loc else 0, f"{d.severity}[{d.code}]: {d.message}")
            for d in f.diagnostics
        ]
        out += [f"  {line:5}: {' '.join(text.split())}" for line, text in sorted(rows)]
    return "\n".join(out) + "\n"
