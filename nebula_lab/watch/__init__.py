"""Noticing that files of plugins have changed: from the file system's events to ids of plugins.

Nothing of it is imported before the first plugin is watched. See `watcher.Watcher`.
"""
