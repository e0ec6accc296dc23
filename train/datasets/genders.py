"""The words for genders in label files and folder names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.datasets.sample import BinaryGender

GenderWords = Mapping[str, BinaryGender]
"""Gender by word, in lower case."""

FEMALE = ("female", "f", "woman", "women", "w")
MALE = ("male", "m", "man", "men")
WORDS: GenderWords = {**dict.fromkeys(FEMALE, "female"), **dict.fromkeys(MALE, "male")}
"""The words that need no option."""

REVIEWED_WITHOUT_GENDER = frozenset({"unknown", "no_face"})
"""Answers of a review that are no gender."""

NOT_GIVEN = frozenset({"", "?", "-", "n/a", "na", "none", "null"}) | REVIEWED_WITHOUT_GENDER
"""Values, in lower case, that say that the gender is not known."""


def add_words(female: Iterable[str] = (), male: Iterable[str] = ()) -> GenderWords:
    """Returns `WORDS` with more words, which override those of the other gender.

    So `--female mujer,m --male hombre,h` makes "m" female.

    Args:
        female: Words for female, in any case.
        male: Words for male, in any case.

    Raises:
        UsageError: A word is given for both genders.
    """
    women, men = ({word.strip().lower() for word in words} - {""} for words in (female, male))
    if both := sorted(women & men):
        raise UsageError(f"--female and --male both contain {both[0]!r}; remove it from one")
    return {**WORDS, **dict.fromkeys(women, "female"), **dict.fromkeys(men, "male")}


def find_gender(value: str, words: GenderWords) -> BinaryGender | None:
    """Returns the gender that a word stands for, in any case; None if it stands for none."""
    return words.get(value.strip().lower())


def is_given(value: str) -> bool:
    """Returns whether a field holds a value at all, even if it is not a gender."""
    return value.strip().lower() not in NOT_GIVEN
