"""Views: terminal, JSON, Markdown, and the page of diagnostics."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xpiler.diagnostics import CodeEntry, Diagnostic, SourceLoc, all_codes
from xpiler.pipeline import Translation
from xpiler.report import (
    Terminal,
    bench_markdown,
    direction_table,
    failure_table,
    step_table,
    translation_data,
    translation_markdown,
    wants_colour,
)
from xpiler.report.docs import RANGES, index, main
from xpiler.report.tables import Table
from xpiler.report.terminal import plain_table
from xpiler.trace import Trace
from xpiler.verify.verdict import Verdict

ROOT = Path(__file__).parents[2]
SUMMARY: dict[str, Any] = {
    "directions": {
        "cuda-c": {
            "kernels": 12, "parsed": 12, "translated": 11, "compiled": 11, "verified": 10,
            "refused": 1, "unverified": 1, "unsound_source": 0, "wrong": 0,
            "median_s": 1.5, "p95_s": 9.25, "failures": {"XP0301": 1, "XP0203": 1},
            "unexpected": ["a|b.cu"],
        },
        "hip-c": {"kernels": 3, "failures": {"XP0203": 2}},
    }
}  # fmt: skip
FAULT = Diagnostic(
    "XP0203", "unknown function", loc=SourceLoc("k.cu", 3, 5), source_line="    foo(x);",
    reason="not in the tables", help="define it",
)  # fmt: skip


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def translation(**more: Any) -> Translation:
    trace = Trace("k.cu", "cuda", "c", seed=7)
    with trace.step("read") as step:
        step.after = "text"
        step.checks["well formed"] = "yes"
    verdict = Verdict("verified", "tested", 4, tolerance="1e-6", assumptions=("n > 0",))
    given = {"text": "void f(void)\n{\n}\n", "verdict": verdict, "diagnostics": []}
    return Translation("k.cu", "cuda", "c", trace, **(given | more))


@pytest.mark.parametrize(
    ("env", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"NO_COLOR": ""}, True)],
)
def test_colour_is_for_terminals_that_want_it(env: dict[str, str], colour: bool) -> None:
    assert wants_colour(Screen(), env) is colour
    assert not wants_colour(io.StringIO(), env)


def test_a_pipe_gets_plain_text_and_never_loads_rich() -> None:
    code = (
        "import sys; from xpiler.report import Terminal; from xpiler.diagnostics import Diagnostic;"
        "Terminal().diagnostic(Diagnostic('XP0203', 'no [bold]markup[/bold]'));"
        "assert not any(m.split('.')[0] == 'rich' for m in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("error[XP0203]: no [bold]markup[/bold]\n", "")


def test_a_verdict_is_told_once_with_its_notes_and_how_to_see_it_again() -> None:
    verdict = Verdict(
        "unverified", "tested", 3, seed=9, code="XP0705", reason="out of time", notes=("slow",)
    )
    out = io.StringIO()
    Terminal(out, colour=False).translation(translation(verdict=verdict), "k.c")
    assert out.getvalue() == "k.cu -> k.c: not verified: out of time\n    note: slow\n"
    assert verdict.diagnostics()[0].help == "--seed 9 repeats the run"
    Terminal(out, colour=False).translation(translation(verdict=None), None)
    assert out.getvalue().endswith("k.cu -> c: not verified\n")


def test_a_terminal_gets_the_same_words_in_colour() -> None:
    plain, screen = io.StringIO(), Screen()
    for stream, colour in ((plain, False), (screen, True)):
        Terminal(stream, colour).translation(translation(diagnostics=[FAULT]), "k.c")
        Terminal(stream, colour).diagnostics([FAULT])
    assert plain.getvalue().splitlines() == [
        "k.cu -> k.c: partial: tested (4 inputs; tolerance 1e-6)",
        "    given that n > 0",
        "k.cu:3:5: error[XP0203]: unknown function",
        "        foo(x);",
        "        ^",
        "    why: not in the tables",
        "    help: define it",
    ]
    assert "\033[" in screen.getvalue()
    assert re.sub(r"\033\[[0-9;]*m", "", screen.getvalue()) == plain.getvalue()


def test_tables_line_up_and_empty_ones_vanish() -> None:
    table = Table("T", ("name", "n"), (("a", "1"), ("long", "12")), 1)
    assert plain_table(table) == ["name   n", "a      1", "long  12"]
    out = io.StringIO()
    Terminal(out, colour=False).table(Table("T", ("x",), ()))
    assert out.getvalue() == ""


def test_bench_tables_count_by_direction_and_by_cause() -> None:
    directions = direction_table(SUMMARY)
    assert directions.rows[0][:2] == ("cuda -> c", "12")
    assert directions.rows[0][-2:] == ("1.50", "9.25")
    failures = failure_table(SUMMARY)
    assert [(r[0], r[2]) for r in failures.rows] == [("XP0203", "3"), ("XP0301", "1")]
    assert failures.rows[0][1] == all_codes()["XP0203"].title


def test_steps_say_what_changed_and_what_was_checked() -> None:
    row = step_table(translation().trace).rows[0]
    assert row[:4] == ("read", "symbolic", "yes", "well formed: yes")


def test_json_holds_everything_and_the_text_only_for_standard_output() -> None:
    data = translation_data(translation(diagnostics=[FAULT]), "k.c")
    assert json.loads(json.dumps(data))["verdict"]["assumptions"] == ["n > 0"]
    assert (data["status"], data["seed"], "text" in data) == ("partial", 7, False)
    assert data["diagnostics"][0]["where"] == {"file": "k.cu", "line": 3, "column": 5}
    assert translation_data(translation(), "-")["text"].startswith("void f")
    assert translation_data(translation(text=None, verdict=None), None)["status"] == "refused"


def test_markdown_keeps_tables_and_fences_whole() -> None:
    report = translation_markdown(translation(text="// ```\n", diagnostics=[FAULT]))
    assert "````c\n// ```\n````" in report
    assert "**partial**: tested (4 inputs; tolerance 1e-6)" in report
    bench = bench_markdown(SUMMARY)
    assert "| cuda -> c | 12 | 12 | 11 |" in bench
    assert "- `a|b.cu`" in bench


def test_the_index_of_diagnostics_is_up_to_date(tmp_path: Path) -> None:
    assert main([str(tmp_path / "page.md")]) == 0
    page = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    assert page == (tmp_path / "page.md").read_text(encoding="utf-8"), (
        "run python -m xpiler.report.docs"
    )


def test_the_index_fences_examples_and_escapes_html() -> None:
    text = "Calls of `f<T>` and g<T>.\n\n    f<4>(x);\n\nRemedy."
    page = index([CodeEntry("XP0299", "title", "error", text)])
    assert "Calls of `f<T>` and g&lt;T>." in page
    assert "```text\nf<4>(x);\n```" in page
    assert "## XP02: Constructs" in page


def test_the_sources_use_every_code_that_is_explained_and_no_other() -> None:
    used = set()
    for path in (ROOT / "src" / "xpiler").rglob("*.py"):
        used |= set(re.findall(r"XP\d{4}", path.read_text(encoding="utf-8")))
    assert sorted(used) == list(all_codes())


def test_every_group_of_codes_has_a_title() -> None:
    assert {code[:4] for code in all_codes()} == RANGES.keys()
