"""Serves one plugin over the wire, from inside whatever sandbox it runs in."""
