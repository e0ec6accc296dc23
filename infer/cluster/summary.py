"""Formats the number of pictures by result."""

from __future__ import annotations

from collections import Counter

from image_gender_classifier.cluster.rows import FAILED, KEPT

_COUNTED = ("female", "male", "uncertain", "no_face", "unreadable", FAILED)


def format_summary(counts: Counter[str], seconds: float) -> str:
    """Formats the last line on standard output.

    Args:
        counts: See `PredictionSink`.
        seconds: Wall time of the run.
    """
    total = sum(counts.values())
    done = total - counts[KEPT]
    line = ", ".join(f"{counts[what]} {what.replace('_', ' ')}" for what in _COUNTED)
    kept = f"; {counts[KEPT]} of {total} kept from an earlier run" if counts[KEPT] else ""
    rate = f"{seconds:.1f} s, {done / max(seconds, 1e-9):.1f} pictures per second"
    return f"{done} picture{'s' * (done != 1)}: {line}{kept}; {rate}"
