"""What a plugin keeps from one host to the next: had from the old code, given to the new.

`keeping` asks the plugin, or has `attributes` gather what a plugin without methods for it keeps.
`writer` and `reader` take values apart and put them together as they were, cycles and sharing
included; the forms that they know are in `forms`.
"""
