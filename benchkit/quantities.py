"""Numbers as people write them: times, rates and sizes with their units."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """A time to three significant digits with its unit: ``12.3 µs``."""
    if seconds >= 100:
        return f"{seconds:.0f} s"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale * 0.9995:
            return f"{seconds / scale:#.3g}".rstrip(".") + f" {unit}"
    return f"{seconds * 1e9:#.3g}".rstrip(".") + " ns"


def rate_text(gb_per_s: float) -> str:
    """GB/s to two significant digits, whole from 100 on."""
    return f"{gb_per_s:,.0f}" if gb_per_s >= 99.5 else f"{gb_per_s:#.2g}".rstrip(".")


def size_text(size: int) -> str:
    """A size as people write it: ``1e6`` for a power of ten, else with thousands separators."""
    digits = str(size)
    return f"1e{len(digits) - 1}" if size >= 1000 and digits.strip("0") == "1" else f"{size:,}"


def ratio_text(ratio: float) -> str:
    """A ratio to three digits, to four where it is near one: ``1.052``; ``∞`` where there is no end."""
    if ratio == float("inf"):
        return "∞"
    return f"{ratio:.3f}" if 0.8 < ratio < 1.25 else f"{ratio:.3g}"
