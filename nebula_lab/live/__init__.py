"""What a live view is told of the manager and may ask of it, by whatever way; no Jupyter."""
