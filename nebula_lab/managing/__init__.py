"""What `PluginManager` offers, by concept: looking, calling, changing, installing."""
