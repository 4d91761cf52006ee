"""Serves plugins that are WebAssembly components: they export the world of `plugin.wit`."""
