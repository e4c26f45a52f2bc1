"""The page on the passes is what the passes do."""

from __future__ import annotations

from pathlib import Path

from xpiler.passes.steps import REGISTRY
from xpiler.report.passes import EXAMPLES, page

PAGE = Path(__file__).parents[2] / "docs" / "passes.md"


def test_the_page_is_what_the_passes_do():
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m xpiler.report.passes`"


def test_every_pass_has_an_example():
    assert list(EXAMPLES) == list(REGISTRY)
