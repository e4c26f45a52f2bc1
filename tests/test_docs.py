"""Whether the pages say what is so, as far as that can be looked up."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from xpiler.passes.steps import REGISTRY

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_layers_are_those_of_the_contract() -> None:
    (contract,) = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    rooms = [re.findall(r"xpiler\.(\w+)", layer) for layer in reversed(contract["layers"])]
    said = text("docs/how-it-works.md").partition("## Layers")[2].partition(". A lower")[0]
    assert [re.findall(r"`(\w+)`", part) for part in said.split("<")] == rooms
    inside = {p.stem for p in (ROOT / "src" / "xpiler").iterdir() if p.suffix in ("", ".py")}
    assert {r for layer in rooms for r in layer} == inside - {"__init__", "__pycache__"}


def test_dependencies_are_all_listed() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    groups = (project["dependencies"], *project["optional-dependencies"].values())
    wanted = [one for group in groups for one in group]
    names = {re.match(r"[\w-]+", w)[0] for w in wanted}  # type: ignore[index]
    page = text("docs/dependencies.md").replace("`-", "`nvidia-cuda-")
    assert {n for n in names if f"`{n}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_every_page_is_linked_from_the_first() -> None:
    first = text("README.md")
    assert [p.name for p in PAGES[1:] if f"(docs/{p.name})" not in first] == []


def test_the_page_of_passes_has_them_all() -> None:
    assert re.findall(r"^## (\w+)$", text("docs/passes.md"), re.M) == list(REGISTRY)
