"""A registry's folder on the web, with search and uploads."""
