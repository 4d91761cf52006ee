"""What a live view of the manager is told and may ask, whatever carries the messages; no Jupyter."""
