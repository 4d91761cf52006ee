"""Why a plugin is there in the version that it is."""

from __future__ import annotations

from nebula_lab.runtime.reasons import VersionReasons
from nebula_lab.views.bullets import bullets, paragraph, stacked
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.tone import Tone


def reasons_view(reasons: VersionReasons) -> Rendered:
    """Who asks for the version, and what speaks against newer ones."""
    headline = f"{reasons.plugin_id} {reasons.version} is used ({reasons.location})."
    notes = [
        f"The configuration pins it to {reasons.pinned}." if reasons.pinned else "",
        f"The lock file has version {reasons.locked}." if reasons.locked else "",
        "" if reasons.asked_by else "No other plugin asks for it.",
    ]
    asking = bullets(
        (
            Tone.QUIET,
            f"{one.dependent} asks for {one.requirement or '*'}"
            + (", and can do without" if one.optional else ""),
            str(one.location or ""),
        )
        for one in reasons.asked_by
    )
    newer = bullets(
        (Tone.DOUBTFUL, f"Version {one.version} is not used:", "\n  ".join(one.reasons))
        for one in reasons.not_taken
    )
    said = [paragraph(note) for note in notes if note]
    return stacked([paragraph(headline), *said, asking, newer])
