"""Registries of plugins: their format, the client, and what they are made and served with."""
