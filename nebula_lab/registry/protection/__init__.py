"""Signed metadata of a registry, by The Update Framework (TUF): made, kept up, and checked."""
