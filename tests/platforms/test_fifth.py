"""A platform is one folder: a made-up accelerator outside the package is a target at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from xpiler import translate
from xpiler.platforms import registry

ACME = Path(__file__).parent / "acme"
KERNELS = Path(__file__).parent.parent / "kernels"


@pytest.fixture
def acme() -> Iterator[registry.Platform]:
    yield registry.register_platform(ACME)
    registry._added.pop("acme")


@pytest.mark.parametrize("name", ["add/plain.c", "softmax/rows.c", "transpose/tiled.c"])
def test_our_kernels_are_written_for_it(acme: registry.Platform, name: str) -> None:
    path = KERNELS / name
    result = translate(path.read_text(encoding="utf-8"), acme.name, file=str(path))
    assert result.verified, result.verdict and result.verdict.render()
    assert result.text is not None
    assert "ACME_KERNEL" in result.text
    assert "acmeStart(" in result.text
    assert "__global__" not in result.text


def test_files_that_a_table_names_lie_beside_the_folder_or_are_ours(tmp_path: Path) -> None:
    (tmp_path / "own" / "stubs").mkdir(parents=True)
    (tmp_path / "own" / "platform.toml").write_text(
        'name = "own"\ninherits = ["_simt/math.toml"]\n'
        '[frontend]\nstubs = ["own/stubs", "_simt/stubs"]\n'
    )
    words = registry.load_platform(tmp_path / "own").words
    assert words.stubs == (str(tmp_path / "own/stubs"), str(registry.HERE / "_simt/stubs"))
    assert words.math["expf"].func == "exp"


def test_it_is_gone_without_its_folder() -> None:
    assert "acme" not in registry.platforms()
