"""Passes: one file a pass; each is a rewrite of the tensor program with its legality check."""
