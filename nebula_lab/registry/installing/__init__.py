"""Brings plugins of registries into a folder of plugins, and newer versions of them later."""
