"""The sidecar: what it may say, and what happens when it says it wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from xpiler.diagnostics import XpilerError
from xpiler.verify.spec import ArgSpec, load_sidecar, parse_spec, size_value


def test_sizes_are_c_expressions_in_scalars() -> None:
    values = {"n": 1000, "m": 7}
    assert size_value("(n+255)/256", values) == 4
    assert size_value("-n/256", values) == -3, "division truncates, as in C"
    assert size_value("n*m%13", values) == 7000 % 13
    assert size_value(12, values) == 12


@pytest.mark.parametrize("text", ["n**2", "f(n)", "k", "1.5", "n +", "__import__('os')", "n/0"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        size_value(text, {"n": 5})


def test_options_override_the_sidecar_key_by_key() -> None:
    base = parse_spec({"args": {"x": {"extent": 5, "role": "in"}}, "launch": {"block": 32}})
    over = parse_spec({"args": {"x": {"extent": "n"}}, "launch": {"grid": [2, 3]}})
    merged = base.merged(over)
    assert merged.arg("x") == ArgSpec(extent="n", role="in")
    assert (merged.launch.grid, merged.launch.block) == ((2, 3, 1), (32, 1, 1))


@pytest.mark.parametrize(
    "body",
    ["entri = 1", "[args.x]\nextend = 3", "[args.x]\nrole = 'both'", "[args.x]\nrange = [1]", "= 3",
     "[launch]\ngrid = [1,2,3,4]", "[launch]\nblok = 3", "args = 3", "args.x = 3",
     "[args.x]\nextent = -5", "[args.x]\ndistinct = 'no'", "[args.n]\nvalue = 'many'",
     "[args.n]\nvalues = 3"],
)  # fmt: skip
def test_a_wrong_sidecar_is_a_diagnostic(tmp_path: Path, body: str) -> None:
    (tmp_path / "k.spec.toml").write_text(body)
    with pytest.raises(XpilerError) as caught:
        load_sidecar(tmp_path / "k.cu")
    assert caught.value.diagnostics[0].code == "XP0301"
