"""Faults like those that people and models make in kernels: some 40 kinds, at seeded places."""

from xpiler.repair.faults.inject import edits, inject, parses, shuffled, tree_of
from xpiler.repair.faults.model import KINDS, Edit, Fault, Faulty

__all__ = [
    "KINDS", "Edit", "Fault", "Faulty", "edits", "inject", "parses", "shuffled", "tree_of",
]  # fmt: skip
