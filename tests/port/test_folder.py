"""Folders: headers, names, what is up to date, what is never overwritten."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from xpiler.cli.translate import command
from xpiler.diagnostics import XpilerError
from xpiler.platforms.registry import platform
from xpiler.port import summary
from xpiler.port.folder import FolderPort, flatten, port_folder, stale, write

CUDA, HIP = platform("cuda"), platform("hip")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "include").mkdir(parents=True)
    (root / "include" / "scale.cuh").write_text(
        "#pragma once\n#include <cuda_runtime.h>\n"
        "__global__ void scale(float* x, int n) { int i = threadIdx.x; if (i < n) x[i] *= 2; }\n"
        "inline void run(float* x, int n) { scale<<<1, 64>>>(x, n); cudaDeviceSynchronize(); }\n"
    )
    (root / "kernels.cu").write_text('#include "include/scale.cuh"\nint part() { return 1; }\n')
    (root / "main.cu").write_text(
        '#include "kernels.cu"\n'
        'extern "C" void twice(float* x) {\n  float* d;\n  cudaMalloc(&d, 256);\n'
        "  cudaMemcpy(d, x, 256, cudaMemcpyHostToDevice);\n  run(d, 64);\n"
        "  cudaMemcpy(x, d, 256, cudaMemcpyDeviceToHost);\n  cudaFree(d);\n}\n"
    )
    (root / "host.cpp").write_text(
        "#include <cuda_runtime_api.h>\nint f() { return cudaSuccess; }\n"
    )
    (root / "plain.h").write_text("int plain();\n")
    return root


def ported(root: Path) -> FolderPort:
    return port_folder(root, CUDA, HIP)


def test_what_becomes_of_each_file(project: Path) -> None:
    files = {f.path: f for f in ported(project).files}
    assert {f.out for f in files.values()} == {
        "include/scale.cuh", "kernels.hip", "main.hip", "host.cpp", "plain.h",
    }  # fmt: skip
    assert files["plain.h"].status == "unchanged"
    assert "hipDeviceSynchronize" in (files["include/scale.cuh"].text or "")
    assert '#include "kernels.hip"' in (files["main.cu"].text or "")


def test_written_once(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert len(write(ported(project), out)) == 5
    stamp = (out / "main.hip").stat().st_mtime_ns
    assert write(ported(project), out) == []
    assert stale(ported(project), out) == []
    assert (out / "main.hip").stat().st_mtime_ns == stamp


def test_a_change_of_the_source_is_carried_and_edits_are_kept(
    project: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write(ported(project), out)
    (project / "plain.h").write_text("int other();\n")
    assert write(ported(project), out) == ["plain.h"]
    (out / "host.cpp").write_text("// mine\n")
    with pytest.raises(XpilerError, match="XP0906"):
        write(ported(project), out)
    assert write(ported(project), out, force=True) == ["host.cpp"]


def test_never_in_place_and_never_twice(project: Path, tmp_path: Path) -> None:
    with pytest.raises(XpilerError, match="never ported in place"):
        write(ported(project), project)
    out = tmp_path / "out"
    write(ported(project), out)
    again = port_folder(out, CUDA, HIP)
    assert all(f.status in {"already", "unchanged"} for f in again.files)


def test_own_headers_are_written_out_for_a_run(project: Path) -> None:
    texts = {f.path: (project / f.path).read_text() for f in ported(project).files}
    flat = flatten(texts["main.cu"], "main.cu", texts)
    assert "__global__ void scale" in flat
    assert '#include "' not in flat


def test_the_report_counts(project: Path) -> None:
    made = ported(project)
    data = summary.data(made, {}, [])
    assert data["totals"]["ported"] == 3
    assert data["totals"]["errors"] == 0
    assert data["by_api"]["memory"] == 6
    lines = [c["line"] for f in data["files"] if f["file"] == "host.cpp" for c in f["changes"]]
    assert lines == [1, 2]
    assert "host.cpp -> host.cpp" in summary.full(made, {}, [])


def test_the_command(project: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    base = [str(project), "--to", "hip", "-o", str(out)]

    def run(*more: str) -> int:
        done = CliRunner().invoke(command, [*base, *more], standalone_mode=False)
        assert done.exception is None, done.output
        return int(done.return_value)

    assert run("--check") == 1
    assert not out.exists()
    assert run("--report", str(report)) == 0
    verdicts = {f["file"]: f["verdict"] for f in json.loads(report.read_text())["files"]}
    assert verdicts["main.cu"].startswith("tested")
    assert run("--check") == 0
    (project / "broken.cu").write_text("void f() { cudaBindTexture(0); }\n")
    assert run("--no-verify") == 1
