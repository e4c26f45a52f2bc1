"""`xpiler doctor`: what this machine has, and what that enables."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform as machine
import shutil
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked for, whether it is there, what that means."""

    name: str
    ok: bool
    found: str
    enables: str
    required: bool = True


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="machine-readable output")
def command(as_json: bool) -> int:
    """Look at this machine and say what works here.

    Exit code 2 when something that is needed is missing.
    """
    findings = [*_packages(), _compiler(), _sandbox(), *_vendors(), *_optional()]
    if as_json:
        rows = [{k: getattr(f, k) for k in f.__slots__} for f in findings]
        click.echo(json.dumps(rows, indent=2))
    else:
        for f in findings:
            mark = "ok  " if f.ok else "MISS" if f.required else "-   "
            click.echo(f"{mark} {f.name:22} {f.found:42} {f.enables}")
    return 2 if any(f.required and not f.ok for f in findings) else 0


def _packages() -> list[Finding]:
    rows = [
        ("libclang-ng", "reading sources"),
        ("numpy", "inputs and comparison"),
        ("z3-solver", "inferring sizes, proofs"),
        ("pyelftools", "source lines of faults"),
    ]
    return [Finding(name, bool(_version(name)), _version(name), why) for name, why in rows]


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _compiler() -> Finding:
    from xpiler.diagnostics import XpilerError
    from xpiler.host.compiler import toolchain

    try:
        return Finding("C/C++ compiler", True, toolchain(None).name, "running both sides")
    except XpilerError as why:
        return Finding("C/C++ compiler", False, str(why)[:42], "install g++, or the extra [zig]")


def _sandbox() -> Finding:
    from xpiler.host.sandbox import capabilities

    report = capabilities()
    return Finding("sandbox", report.isolated, report.summary(), "running foreign text safely")


def _vendors() -> list[Finding]:
    """The compilers that make machine code for the platforms, one line each."""
    from xpiler.platforms.registry import all_platforms
    from xpiler.platforms.toolchains import toolchain_of

    specs = [spec for p in all_platforms() if (spec := toolchain_of(p.name)) is not None]
    return [
        Finding(
            f"{spec.platform} compiler",
            bool(spec.tool()),
            spec.tool() or spec.hint,
            f"machine code for {', '.join(spec.archs)}",
            False,
        )
        for spec in specs
    ]


def _optional() -> list[Finding]:
    out = [
        Finding(
            "nvcc", bool(shutil.which("nvcc")), shutil.which("nvcc") or "", "not needed", False
        ),
        Finding(
            "hipcc", bool(shutil.which("hipcc")), shutil.which("hipcc") or "", "not needed", False
        ),
        Finding(
            "ziglang",
            importlib.util.find_spec("ziglang") is not None,
            _version("ziglang"),
            "compiler in a wheel",
            False,
        ),
    ]
    out += [
        Finding(name, bool(_version(name)), _version(name), "asking a model", False)
        for name in ("openai", "anthropic")
    ]
    cpu = Finding("processor", True, f"{machine.machine()}, {machine.system()}", "", False)
    return [*out, cpu]
