"""The command line: `nebula-lab`, `nebula-plugin-runner` and the demo.

Modules of this package import nothing of nebula_lab's manager before a command needs it, so that
`--help` and completion answer at once.
"""
