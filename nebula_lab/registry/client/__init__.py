"""Asks registries: what they have, what it needs, and for the files."""
