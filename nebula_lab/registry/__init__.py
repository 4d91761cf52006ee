"""Plugins from a registry: its format, its client, its server, and what protects it."""
