"""Makes what a registry says of plugins from their files; nothing of a plugin runs."""
