"""A real Home Assistant, driven from outside: the demo, its check, and the pieces to build other runs from.

Nothing in here is a pytest test: `script/demo` and the interoperability runs use it.
"""
