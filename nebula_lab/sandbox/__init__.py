"""Where plugins run: one back end a file, behind the interface in `base`."""
