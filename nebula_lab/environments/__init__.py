"""The Python environments that plugins run in."""
