"""The sandbox's launcher: a small process, apart from ours, that starts confined children.

It runs as its own interpreter with nothing but the standard library, so that forking it is cheap
and safe whatever threads and locks the main process has. Nothing here may import `xpiler`.
"""
