"""Puts this folder on the import path: `interp` and other helpers of the passes' tests."""
