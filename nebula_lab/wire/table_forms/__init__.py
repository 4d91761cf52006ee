"""What of pandas, polars and Arrow becomes an Arrow IPC stream, and what such a stream becomes."""
