"""The signals by which a manager steers a host; a warden passes them on."""

from __future__ import annotations

import signal

# To stop a call: see `nebula_lab.agent.interrupts`.
INTERRUPT = signal.SIGINT
# To have the stacks of all threads written down: see `nebula_lab.agent.stack_dumps`. A plugin may
# have a use for SIGUSR1, and the C library takes the first of the real-time signals.
STACKS = signal.SIGRTMAX - 3
# To have a warden end all that is below it, where nobody else can.
END = signal.SIGTERM
