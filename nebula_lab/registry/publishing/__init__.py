"""A registry's folder, and what is changed in it."""
