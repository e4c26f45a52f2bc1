"""Directory mode of `xpiler translate`: a folder ported to another platform of its family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpiler.cli.common import defines_of, spec_of, write_text
from xpiler.diagnostics import Diagnostic, XpilerError

if TYPE_CHECKING:
    from xpiler.port.folder import FolderPort


def takes(files: tuple[str, ...], targets: list[str], given: dict[str, Any]) -> bool:
    """Whether the command line asks for a folder to be ported as a whole."""
    from xpiler.platforms.registry import platform
    from xpiler.port.folder import source_of

    if len(files) != 1 or len(targets) != 1 or not Path(files[0]).is_dir() or not given["output"]:
        return False
    named = platform(given["source"]) if given["source"] else None
    return source_of(Path(files[0]), platform(targets[0]), named) is not None


def run(root: str, target: str, given: dict[str, Any]) -> int:
    """Port the folder and say what happened; exit code 0: all carried, 1: not all, 2: error."""
    from xpiler.cli.output import failed

    try:
        return _run(Path(root), target, given)
    except XpilerError as why:
        return failed(why.diagnostics, given["as_json"])


def _run(root: Path, target: str, given: dict[str, Any]) -> int:
    from xpiler.platforms.registry import platform
    from xpiler.port.folder import port_folder, source_of, stale, write

    goal, out = platform(target), Path(given["output"])
    source = source_of(root, goal, platform(given["source"]) if given["source"] else None)
    assert source is not None
    ported = port_folder(
        root,
        source,
        goal,
        skip=out if out.resolve() != root.resolve() else None,
        arch=given["arch"],
        defines=defines_of(given["defines"]),
        include_dirs=given["include_dirs"],
    )
    if given["check"]:
        return _check(stale(ported, out), out, given)
    written = write(ported, out, force=given["force"])
    verdicts = {} if given["no_verify"] else _verdicts(ported, given)
    _report(ported, verdicts, written, given)
    sure = all(ok for ok, _ in verdicts.values())
    return 0 if sure and not any(f.errors for f in ported.files) else 1


def _check(behind: list[str], out: Path, given: dict[str, Any]) -> int:
    from xpiler.cli.output import problems

    if given["as_json"]:
        print(json.dumps({"up_to_date": not behind, "files": behind}, indent=2))
    elif behind:
        more = f" and {len(behind) - 10} more" if len(behind) > 10 else ""
        problems([Diagnostic("XP1010", f"{out} is behind: {', '.join(behind[:10])}{more}")])
    else:
        print(f"{out} is up to date")
    return 1 if behind else 0


def _verdicts(ported: FolderPort, given: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    """What running each kernel file against its port shows; files without an entry are left out."""
    from xpiler.port.folder import flatten

    before = {f.path: _read(ported.root / f.path) for f in ported.files}
    after = {f.out: f.text or "" for f in ported.files}
    out: dict[str, tuple[bool, str]] = {}
    for f in ported.files:
        if not f.kernel or f.status != "ported" or f.errors or f.text is None:
            continue
        texts = flatten(before[f.path], f.path, before), flatten(f.text, f.out, after)
        verdict = _verdict(texts, ported.root / f.path, ported, given)
        if verdict is not None:
            out[f.path] = verdict
    return out


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _verdict(
    texts: tuple[str, str], path: Path, ported: FolderPort, given: dict[str, Any]
) -> tuple[bool, str] | None:
    from xpiler.containment import internal_error
    from xpiler.pipeline import Options
    from xpiler.verify.session import verify_pair

    options = Options(
        target=ported.target.name,
        source=ported.source.name,
        arch=given["arch"],
        spec=spec_of(str(path), given),
        defines=defines_of(given["defines"]),
        include_dirs=(*given["include_dirs"], str(path.parent)),
        seed=given["seed"],
        sandbox="off" if given["no_sandbox"] else "required",
    )
    try:
        found = verify_pair(*texts, str(path), options)
    except XpilerError as why:
        first = why.diagnostics[0]
        return None if first.code == "XP0302" else (False, f"not run: {first.message}")
    except Exception as why:
        return False, internal_error(why, str(path)).message
    return found.ok or found.outcome == "unsound_source", found.render()


def _report(
    ported: FolderPort,
    verdicts: dict[str, tuple[bool, str]],
    written: list[str],
    given: dict[str, Any],
) -> None:
    from xpiler.cli.output import problems
    from xpiler.port import summary

    said = {name: text for name, (_, text) in verdicts.items()}
    where: Path | None = given["report"]
    if where is not None and where.suffix == ".json":
        write_text(where, json.dumps(summary.data(ported, said, written), indent=1))
    elif where is not None:
        write_text(where, summary.full(ported, said, written))
    if given["as_json"]:
        print(json.dumps(summary.data(ported, said, written), indent=2))
        return
    print(summary.brief(ported, said, written))
    problems([d for f in ported.files for d in f.diagnostics if d.severity != "note"])
