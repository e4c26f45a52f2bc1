"""Inference of what a file does not say: extents, sizes and launch shapes."""
