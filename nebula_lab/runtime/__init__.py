"""What the manager is made of: records, life cycle, calls, supervision, events."""
