"""Xpiler: a transcompiler for tensor programs."""
