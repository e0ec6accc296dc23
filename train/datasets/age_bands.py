"""FairFace's age bands, the one vocabulary for age over all data sets.

Sets that give years are put into the same bands, so that results per group can be compared.
"""

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
    """Gives the band of an age in years (0 to `OLDEST_YEARS`); 70 is in the last band.

    Raises:
        ValueError: No person is of that age.
    """
    if not 0 <= years <= OLDEST_YEARS:
        raise ValueError(f"age is {years}, expected 0 to {OLDEST_YEARS} years")
    if years < 3:
        return AGE_BANDS[0]
    return AGE_BANDS[min(years // 10, 7) + 1]


def band_of_label(label: str) -> str:
    """Gives the band that a label means.

    The published set writes "more than 70", copies of it "70+"; both are the band "70+".

    Raises:
        ValueError: The label is no band.
    """
    band = "70+" if label == "more than 70" else label
    if band not in AGE_BANDS:
        raise ValueError(f"age is {label!r}, expected one of {', '.join(AGE_BANDS)}")
    return band
