"""The API tables: both directions from one source, each row with its origin."""

import re
from importlib.resources import files

import pytest

from xpiler.port.prologue import closure
from xpiler.port.tables import tables

BOTH = [("cuda", "hip"), ("hip", "cuda")]


@pytest.mark.parametrize(("source", "target"), BOTH)
def test_every_row_has_a_source(source: str, target: str) -> None:
    known = tables(source, target)
    rows = [r for group in known.names.values() for r in group] + list(known.headers.values())
    calls = [c for group in known.calls.values() for c in group]
    assert len(rows) > 500
    assert all(r.source for r in rows)
    assert all(c.source for c in calls)


@pytest.mark.parametrize(("source", "target"), BOTH)
def test_no_counterpart_says_why(source: str, target: str) -> None:
    for name, rows in tables(source, target).names.items():
        for row in rows:
            assert row.new or row.erase or row.note, name


def test_a_shared_name_comes_back() -> None:
    there, back = tables("cuda", "hip"), tables("hip", "cuda")
    for name in ("cudaMalloc", "cudaMemcpy2DAsync", "cudaGraphLaunch", "cublasSgemm", "cuCaddf"):
        row = there.row(name)
        assert row is not None
        again = back.row(row.new)
        assert again is not None
        assert again.new == name


def test_the_number_of_arguments_chooses_a_row() -> None:
    back = tables("hip", "cuda")
    two, three = back.row("hipHostMalloc", 2), back.row("hipHostMalloc", 3)
    assert two is not None
    assert two.new == "cudaMallocHost"
    assert three is not None
    assert three.new == "cudaHostAlloc"


@pytest.mark.parametrize(("source", "target"), BOTH)
def test_every_helper_that_a_rule_needs_exists(source: str, target: str) -> None:
    known = tables(source, target)
    needed = {c.needs for calls in known.calls.values() for c in calls if c.needs}
    needed |= {n for r in known.words.get("assembly", ()) for n in r.get("needs", "").split()}
    needed |= {n for n in known.words.get("header_helpers", {}).values() if n}
    assert set(closure(target, needed)) >= needed


def codes(path: str) -> dict[str, int]:
    text = files("xpiler.platforms").joinpath(path).read_text(encoding="utf-8")
    return {name: int(value) for name, value in re.findall(r"(\w+) = (\d+)", text)}


@pytest.mark.parametrize(("source", "target"), BOTH)
def test_every_error_code_is_known_everywhere(source: str, target: str) -> None:
    known = codes(f"_simt/stubs/{source}_errors.h")
    assert known == codes(f"{source}/emulator/xp_error_codes.inc")
    there = codes(f"_simt/stubs/{target}_errors.h")
    rows = {n: r for n, (r, *_) in tables(source, target).names.items() if r.group == "error"}
    named = {n: r.new for n, r in rows.items() if re.match(r"(cuda|hip)Error[A-Z]", n)}
    assert len(named) > 60
    assert set(named) <= set(known)
    assert set(named.values()) <= set(there)
