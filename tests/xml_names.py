"""Names of the XML files of one folder."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from image_gender_classifier.outputs.naming import (
    LINUX_RULES,
    NameRules,
    find_name_levels,
    make_xml_name,
)


def make_xml_names(
    names: Sequence[str], rules: NameRules = LINUX_RULES, taken: Collection[str] = ()
) -> list[str]:
    """Returns the names of the XML files of all pictures of one folder, in the order of `names`."""
    levels = find_name_levels(names, rules, taken)
    return [make_xml_name(name, levels.get(name, 0), rules) for name in names]
