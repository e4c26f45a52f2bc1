"""The command line as a user types it: output, exit codes, wrong input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from xpiler.cli.main import cli, main
from xpiler.diagnostics import Diagnostic, XpilerError, all_codes

ADD = """
__global__ void add(const float* a, const float* b, float* c, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}
"""


def xpiler(*args: str, cwd: Path, text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "xpiler.cli.main", *args]
    return subprocess.run(command, cwd=cwd, input=text, capture_output=True, timeout=120)


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "vec.cu"
    path.write_text(ADD)
    return path


def test_shortest_call_translates_and_verifies(kernel: Path) -> None:
    done = xpiler("vec.cu", "-t", "c", cwd=kernel.parent)
    assert done.returncode == 0, done.stderr.decode()
    assert b"verified: tested" in done.stdout
    assert "for (int i = 0; i < n; i += 16)" in kernel.with_suffix(".c").read_text()


def test_existing_output_is_kept(kernel: Path) -> None:
    kernel.with_suffix(".c").write_text("mine")
    done = xpiler("vec.cu", "-t", "c", "--no-verify", cwd=kernel.parent)
    assert done.returncode == 2
    assert b"XP0906" in done.stderr
    assert kernel.with_suffix(".c").read_text() == "mine"


def test_standard_input_to_standard_output_is_byte_identical(tmp_path: Path) -> None:
    call = ("translate", "-", "--from", "cuda", "-t", "c", "--no-verify")
    first, second = (xpiler(*call, cwd=tmp_path, text=ADD.encode()) for _ in range(2))
    assert first.returncode == 1, "translated, not verified"
    assert first.stdout == second.stdout
    assert first.stdout.startswith(b"// Translated from")


def test_a_dash_for_the_output_prints_it(kernel: Path) -> None:
    done = xpiler("vec.cu", "-t", "c", "--no-verify", "-o", "-", cwd=kernel.parent)
    assert done.stdout.startswith(b"// Translated from")
    assert b"not verified" in done.stderr
    assert not kernel.with_suffix(".c").exists()


def test_json_is_one_document(kernel: Path) -> None:
    done = xpiler("translate", "vec.cu", "-t", "c", "--json", "--seed", "7", cwd=kernel.parent)
    (item,) = json.loads(done.stdout)
    assert item["status"] == "verified"
    assert item["seed"] == 7
    assert item["verdict"]["runs"] > 0


@pytest.mark.parametrize(
    ("args", "content", "code"),
    [
        (("gone.cu", "-t", "c"), None, b"XP0901"),
        (("k.cu", "-t", "c"), b"", b"XP0"),
        (("k.cu", "-t", "c"), b"\x00\xff\xfe", b"XP0901"),
        (("k.cu", "-t", "fortran"), b"int x;", b"XP0"),
        (("k.cu", "-t", "cuda"), ADD.encode(), b"XP0903"),
        (("k.cu", "-t", "c", "--arg", "n"), ADD.encode(), b"XP0905"),
        (("k.cu", "-t", "c", "--arg", "n.extent=-1"), ADD.encode(), b"XP0905"),
        (("k.cu", "-t", "c", "--arg", "a.range=5"), ADD.encode(), b"XP0905"),
        (("k.cu", "-t", "c", "--arg", "size=5", "--no-verify"), ADD.encode(), b"XP0301"),
        (("k.cu", "-t", "c", "--entry", "nope"), ADD.encode(), b"XP0302"),
        (("k.cu", "-t", "c", "--trace", "k.cu/t", "--no-verify"), ADD.encode(), b"XP0901"),
        ((".", "-t", "c"), None, b"XP0901"),
        (("./", "-t", "fortran"), ADD.encode(), b"XP0106"),
    ],
)
def test_wrong_input_is_a_diagnostic(
    tmp_path: Path, args: tuple[str, ...], content: bytes | None, code: bytes
) -> None:
    if content is not None:
        (tmp_path / "k.cu").write_bytes(content)
    done = xpiler(*args, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert code in done.stderr
    assert b"Traceback" not in done.stderr


def test_unknown_option_says_so(tmp_path: Path) -> None:
    done = xpiler("translate", "k.cu", "--frobnicate", cwd=tmp_path)
    assert done.returncode == 2
    assert b"--frobnicate" in done.stderr


def test_explain_doctor_platforms(tmp_path: Path) -> None:
    assert b"XP0304" in xpiler("explain", "xp0304", cwd=tmp_path).stdout
    assert xpiler("explain", "XP9999", cwd=tmp_path).returncode == 2
    assert json.loads(xpiler("platforms", "--json", cwd=tmp_path).stdout)
    assert xpiler("doctor", cwd=tmp_path).returncode == 0


def test_options_that_diagnostics_name_exist() -> None:
    known = {*options(cli), "--help"}
    for entry in all_codes().values():
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", entry.text))
        assert sorted(named - known) == [], entry.code


def options(command: click.Command) -> set[str]:
    """All options of a command and of those below it."""
    found = {o for p in command.params for o in p.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found |= options(command.get_command(context, name) or click.Command(name))
    return found


@pytest.mark.parametrize(
    ("why", "code", "said"),
    [
        (ValueError("oh"), 2, "error[XP0999]: ValueError in test_cli.py:"),
        (XpilerError(Diagnostic("XP0106", "no such platform")), 2, "error[XP0106]: no such"),
        (click.exceptions.Abort(), 130, "error[XP0907]: interrupted"),
    ],
)
def test_what_stops_a_command_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    why: Exception,
    code: int,
    said: str,
) -> None:
    def fail(**_: object) -> None:
        raise why

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.delenv("XPILER_DEBUG", raising=False)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    assert capsys.readouterr().err.startswith(said)


def test_audit_names_the_line_of_a_race(tmp_path: Path) -> None:
    (tmp_path / "race.cu").write_text(
        "__global__ void k(float* x) {\n"
        "    __shared__ float s[64];\n"
        "    s[threadIdx.x] = x[threadIdx.x];\n"
        "    x[threadIdx.x] = s[63 - threadIdx.x];\n"
        "}\n"
    )
    done = xpiler("audit", "race.cu", cwd=tmp_path)
    assert done.returncode == 1
    assert b"race.cu:" in done.stderr
    assert b"XP0510" in done.stderr


@pytest.mark.parametrize(
    ("args", "text", "code"),
    [
        (["--entry", "nope"], ADD, b"error[XP0302]"),
        ([], "template <int B> __global__ void k(float* x) { x[B] = 0; }", b"error[XP0206]"),
        ([], "#include <vector>\n", b"error[XP0302]"),
    ],
)
@pytest.mark.parametrize("command", ["run", "audit"])
def test_what_cannot_be_run_is_an_error(
    tmp_path: Path, command: str, args: list[str], text: str, code: bytes
) -> None:
    (tmp_path / "k.cu").write_text(text)
    done = xpiler(command, "k.cu", *args, cwd=tmp_path)
    assert done.returncode == 2
    assert code in done.stderr


def test_run_prints_outputs(kernel: Path) -> None:
    done = xpiler("run", "vec.cu", cwd=kernel.parent)
    assert done.returncode == 0, done.stderr.decode()
    assert b"c[1025] = " in done.stdout


def test_bench_counts_and_says_what_was_expected(kernel: Path) -> None:
    done = xpiler("bench", ".", "--to", "c", "--json", cwd=kernel.parent)
    row = json.loads(done.stdout)["directions"]["cuda-c"]
    assert (row["kernels"], row["verified"], row["wrong"]) == (1, 1, 0)


def test_start_up_imports_nothing_heavy() -> None:
    heavy = ("numpy", "z3", "clang", "rich")
    probe = f"import sys, xpiler.cli.main; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("folder", ["both", "both/"])
def test_several_targets_go_into_a_folder(kernel: Path, folder: str) -> None:
    """One name for two files would leave the last one only."""
    done = xpiler("vec.cu", "-t", "c,hip", "-o", folder, "--no-verify", cwd=kernel.parent)
    assert done.returncode == 1, done.stderr.decode()
    assert sorted(p.name for p in (kernel.parent / "both").iterdir()) == ["vec.c", "vec.hip"]
