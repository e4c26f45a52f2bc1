"""A budget is kept, also by several processes that spend from one purse."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from xpiler.neural.budget import Budget, Cost, Limits, parse_limits
from xpiler.neural.provider import ModelFault


def test_parse() -> None:
    assert parse_limits("tokens=5,usd=0.5") == Limits(5, 0.5)
    assert parse_limits("seconds=2", Limits(tokens=7)) == Limits(7, None, 2.0)


def test_reserved_then_settled() -> None:
    budget = Budget(Limits(tokens=100))
    budget.reserve(Cost(80))
    with pytest.raises(ModelFault, match="110 of 100 tokens"):
        budget.reserve(Cost(30))
    budget.settle(Cost(80), Cost(10))
    budget.reserve(Cost(30))
    assert budget.spent.tokens == 40


def _spend(purse: Path) -> int:
    budget = Budget(Limits(tokens=50), purse)
    done = 0
    for _ in range(40):
        try:
            budget.reserve(Cost(1))
        except ModelFault:
            break
        budget.settle(Cost(1), Cost(1))
        done += 1
    return done


def test_one_purse_for_several_processes(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3) as pool:
        spent = list(pool.map(_spend, [tmp_path / "purse"] * 3))
    assert sum(spent) == 50
