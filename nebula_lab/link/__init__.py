"""Carries the protocol of `nebula_lab.wire` over a socket, in the same way at both ends."""
