"""Source that does not parse: a bracket is never closed."""

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {"id": "typo", "version": "1.0.0"}


def plugin_entry():
    return make_plugin(
