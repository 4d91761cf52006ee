"""What runs is what was verified: the files of plugins as values, kept by their content, signed.

Import from the modules: `contents`, `collecting`, `store` and `policy` are there at the start of
every manager, and what needs `cryptography` is imported with the first signature that is looked at.
"""
