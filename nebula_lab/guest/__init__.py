"""A plugin's host inside WebAssembly: CPython there, and what `wit/python-host.wit` exports.

It is built into one component, which runs any plugin's text. It has the standard library only.
"""
