"""The fixture that runs kernels on the bare platform."""

from __future__ import annotations

import pytest
from bare_platform import Runner, run_bare


@pytest.fixture
def run() -> Runner:
    """`run(text, args, grid, block, ...)`."""
    return run_bare
