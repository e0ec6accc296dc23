"""FairFace's age bands, used for all data sets to make results per group comparable."""

from __future__ import annotations

AGE_BANDS = (
    "0-2",
    "3-9",
    "10-19",
    "20-29",
    "30-39",
    "40-49",
    "50-59",
    "60-69",
    "70+",
)
OLDEST_YEARS = 130


def band_of_years(years: int) -> str:
    """Gives the band of an age in years, 0 to `OLDEST_YEARS`.

    Raises:
        ValueError: The age is out of range.
    """
    if not 0 <= years <= OLDEST_YEARS:
        raise ValueError(f"age is {years}, expected 0 to {OLDEST_YEARS} years")
    if years < 3:
        return AGE_BANDS[0]
    return AGE_BANDS[min(years // 10, 7) + 1]


def band_of_label(label: str) -> str:
    """Gives the band of a label.

    Both "more than 70" (the published data set) and "70+" (copies) mean the band "70+".

    Raises:
        ValueError: The label is not a band.
    """
    band = "70+" if label == "more than 70" else label
    if band not in AGE_BANDS:
        raise ValueError(f"age is {label!r}, expected one of {', '.join(AGE_BANDS)}")
    return band
