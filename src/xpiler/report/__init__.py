"""Views of what happened: for a terminal, as JSON, as Markdown; and the index of diagnostics."""

from xpiler.report.data import diagnostic_data, translation_data
from xpiler.report.markdown import bench_markdown, translation_markdown
from xpiler.report.tables import Table, direction_table, failure_table, step_table
from xpiler.report.terminal import Terminal, wants_colour

__all__ = [
    "Table",
    "Terminal",
    "bench_markdown",
    "diagnostic_data",
    "direction_table",
    "failure_table",
    "step_table",
    "translation_data",
    "translation_markdown",
    "wants_colour",
]
