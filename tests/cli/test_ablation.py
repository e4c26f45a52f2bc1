"""The ablation tells what each remedy saved, in shares of the proposals that were wrong."""

from __future__ import annotations

from xpiler.cli.ablation import saved_line


def test_shares_are_of_the_wrong_proposals() -> None:
    steps = {"taken": 30, "asked again": 1, "mended": 7, "replaced": 1, "refused": 1}
    assert saved_line(steps) == (
        "of 10 wrong proposals: 70.0 % saved by repair, 10.0 % saved by asking again,"
        " 10.0 % saved by fallback, 10.0 % by none"
    )


def test_nothing_wrong_is_said_so() -> None:
    assert saved_line({"taken": 3}) == "no proposal was wrong"
