"""The protocol between a manager and a plugin's host, without any input or output of its own.

Bytes go in and come out; who carries them is somebody else's business. Everything here runs on
both sides of a sandbox, so it needs nothing but the standard library and msgspec.
"""
