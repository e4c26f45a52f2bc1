"""`xpiler translate`: kernels in, the same computation for another platform out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xpiler.cli.common import (
    defines_of,
    kernel_options,
    model_options,
    model_settings,
    read_source,
    spec_of,
    write_text,
)

if TYPE_CHECKING:
    from xpiler.pipeline import Options, Translation


@click.command("translate")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "-t",
    "--to",
    "targets",
    multiple=True,
    required=True,
    metavar="PLATFORM",
    help="target platform; several may be given",
)
@click.option("-o", "--output", help="output file (- prints it), or folder for several")
@click.option("--force", is_flag=True, help="overwrite existing output files")
@click.option("--no-verify", is_flag=True, help="do not run source and target against each other")
@click.option("--plain", is_flag=True, help="C without vector instructions")
@click.option("--check", is_flag=True, help="folder: write nothing, exit 1 if it is behind")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    help="folder: every edit by API and line, as text or (.json) JSON",
)
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path),
    help="write the trace (of several the last one) as JSON",
)
@click.option("--dry-run", is_flag=True, help="say what a model would be asked and what it costs")
@model_options
@kernel_options
def command(files: tuple[str, ...], targets: tuple[str, ...], **given: Any) -> int:
    """Translate FILES (kernels or folders; - is standard input) and verify each translation.

    A folder with -o goes over as a whole between CUDA and HIP, headers and all (docs/porting.md).

    Exit code 0: all verified; 1: something is not verified or only partly translated; 2: error.
    """
    from xpiler.cli import folder
    from xpiler.cli.output import Reporter
    from xpiler.diagnostics import XpilerError

    report = Reporter(as_json=given["as_json"])
    try:
        asked = _targets(targets)
        if folder.takes(files, asked, given):
            return folder.run(files[0], asked[0], given)
        tasks = _tasks(files, asked)
    except XpilerError as why:
        report.failed(", ".join(files), ", ".join(targets), why.diagnostics)
        report.finish()
        return 2
    if (proposer := _proposer(report, given)) is False:
        return 2
    if given["dry_run"]:
        from xpiler.cli import dry_run

        return dry_run.run(tasks, given)
    given["by"] = proposer
    given["written"] = set()
    several = len(files) > 1 or len(asked) > 1 or _is_folder(given["output"])
    codes = [
        _one(path, target, given, report, several or path not in files) for path, target in tasks
    ]
    report.finish()
    return max(codes)


def _tasks(files: tuple[str, ...], targets: list[str]) -> list[tuple[str, str]]:
    """What to translate: each file to each target, but for a folder's files that are its own.

    Raises XpilerError for a platform that is not known, and where there is nothing to do.
    """
    from xpiler.diagnostics import Diagnostic, XpilerError
    from xpiler.platforms.registry import platform, source_suffixes

    own = {t: tuple(platform(t).suffixes) for t in targets}
    found = [
        (path, t)
        for path in _expand(files)
        for t in targets
        if path in files or not path.lower().endswith(own[t])
    ]
    if not found:
        hint = f"files are known by their suffixes: {' '.join(source_suffixes())}"
        message = f"nothing to translate in {', '.join(files)}"
        raise XpilerError(Diagnostic("XP0901", message, help=hint))
    return found


def _proposer(report: Any, given: dict[str, Any]) -> Any:
    """Who proposes beside the symbolic passes, if anybody; False after an error."""
    from xpiler.diagnostics import XpilerError

    try:
        chosen = model_settings(given)
        if given["dry_run"] or chosen.proposer == "symbolic":
            return None
        from xpiler.proposers import proposer_of

        return proposer_of(chosen, click_echo_log)
    except XpilerError as why:
        report.failed("", "", why.diagnostics)
        report.finish()
        return False


def click_echo_log(line: str) -> None:
    """A remark of a provider's (a pause, a fault that passed) on standard error."""
    click.echo(f"model: {line}", err=True)


def _expand(files: tuple[str, ...]) -> list[str]:
    from xpiler.api import sources

    return [f for item in files for f in ([item] if item == "-" else map(str, sources([item])))]


def _is_folder(output: str | None) -> bool:
    return output is not None and (output.endswith("/") or Path(output).is_dir())


def _targets(targets: tuple[str, ...]) -> list[str]:
    """The platforms asked for, each once; raises XpilerError (XP0905) where none is named."""
    from xpiler.diagnostics import Diagnostic, XpilerError

    found = [t.strip() for item in targets for t in item.split(",") if t.strip()]
    if not found:
        raise XpilerError(Diagnostic("XP0905", "--to names no platform"))
    return list(dict.fromkeys(found))


def _one(path: str, target: str, given: dict[str, Any], report: Any, many: bool) -> int:
    """Translate one file to one target; its exit code."""
    from xpiler.diagnostics import XpilerError

    try:
        options = options_of(path, target, given)
        result = _run(read_source(path), path, options, report, given["by"])
        where = _write(result, path, given, many)
        if given["trace_file"]:
            write_text(given["trace_file"], result.trace.to_json())
    except XpilerError as why:
        report.failed(path, target, why.diagnostics)
        return 2
    report.translated(result, where)
    if result.text is None:
        return 2
    return 0 if result.verified else 1


def _run(text: str, path: str, options: Options, report: Any, proposer: Any) -> Translation:
    name = "<stdin>" if path == "-" else path
    with report.progress(f"{path} -> {options.target}"):
        if proposer is None:
            from xpiler.pipeline import translate

            return translate(text, name, options)
        from xpiler.proposers import translate as propose

        return propose(text, name, options, proposer)


def options_of(path: str, target: str, given: dict[str, Any]) -> Options:
    """The pipeline's options from the command line's; raises XpilerError."""
    from xpiler.pipeline import Options

    return Options(
        target=target,
        source=given["source"],
        arch=given["arch"],
        spec=spec_of(path, given),
        defines=defines_of(given["defines"]),
        include_dirs=given["include_dirs"],
        seed=given["seed"],
        verify=not given.get("no_verify", False),
        sandbox="off" if given["no_sandbox"] else "required",
        plain=given.get("plain", False),
    )


def _write(result: Translation, path: str, given: dict[str, Any], many: bool) -> str | None:
    """Write the text where it belongs; the path, "-" for standard output, None when refused."""
    from xpiler.diagnostics import Diagnostic, XpilerError
    from xpiler.platforms.registry import platform

    if result.text is None:
        return None
    output: Path | None = Path(given["output"]) if given["output"] else None
    if given["output"] == "-" or (output is None and path == "-"):
        if not given["as_json"]:
            sys.stdout.write(result.text)
        return "-"
    suffix = platform(result.target).suffixes[0]
    if output is None:
        output = Path(path).with_name(_stem(path) + suffix)
    elif many:
        output = _inside(output, path, suffix, given["written"])
    given["written"].add(output)
    if output.exists() and not given["force"]:
        raise XpilerError(Diagnostic("XP0906", f"{output} exists", help="give --force"))
    write_text(output, result.text)
    return str(output)


def _stem(path: str) -> str:
    return Path(path).name.split(".")[0]


def _inside(folder: Path, path: str, suffix: str, written: set[Path]) -> Path:
    """A path in `folder` that no file of this run has, as short as can be."""
    origin, stem = Path(path), _stem(path)
    flavour = origin.name.split(".")[1] if "." in origin.name else ""
    for name in (f"{stem}{suffix}", f"{stem}.{flavour}{suffix}"):
        for place in (folder / name, folder / origin.parent.name / name):
            if place not in written:
                return place
    return folder / origin.parent / f"{stem}.{flavour}{suffix}"
