"""Sandbox Container: every plugin in a container of podman's or docker's."""
