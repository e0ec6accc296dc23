"""FairFace's age bands, which are used for all data sets, so that results are comparable."""

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
OLDEST_YEARS = 130  # higher ages in a label are errors


def age_band_from_years(years: int) -> str:
    """Returns the age band of an age in years, such as "20-29".

    Raises:
        ValueError: `years` is not from 0 to `OLDEST_YEARS`.
    """
    if not 0 <= years <= OLDEST_YEARS:
        raise ValueError(f"age is {years}, expected 0 to {OLDEST_YEARS} years")
    if years < 3:
        return AGE_BANDS[0]
    return AGE_BANDS[min(years // 10, 7) + 1]


def age_band_from_label(label: str) -> str:
    """Returns the age band of a FairFace label; "more than 70" becomes "70+".

    Raises:
        ValueError: `label` is not an age band of FairFace.
    """
    band = "70+" if label == "more than 70" else label
    if band not in AGE_BANDS:
        raise ValueError(f"age is {label!r}, expected one of {', '.join(AGE_BANDS)}")
    return band
