"""Finding the mirror, and reading what apt prints."""

from __future__ import annotations

import pytest
from pi.debian import DEFAULT_MIRROR, mirror_of, names_listed

DEB822 = """\
Types: deb
# http://snapshot.example.org/debian
URIs: http://mirror.example.org/debian
Suites: bookworm bookworm-updates
Components: main
"""


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([DEB822], "http://mirror.example.org/debian"),
        (["deb http://a.example.org/debian/ trixie main\n"], "http://a.example.org/debian"),
        (["deb [trusted=yes] https://b.example.org/pub/debian trixie main"],
         "https://b.example.org/pub/debian"),
        (["deb http://c.example.org/debian-security trixie-security main"], DEFAULT_MIRROR),
        (["deb http://c.example.org/ubuntu noble main", DEB822],
         "http://mirror.example.org/debian"),
        ([], DEFAULT_MIRROR),
    ],
)  # fmt: skip
def test_the_machines_mirror_is_used(sources: list[str], expected: str) -> None:
    assert mirror_of(sources) == expected


def test_names_of_archives_are_read_from_apts_list() -> None:
    listing = (
        "Reading package lists...\n"
        "'http://mirror.example.org/debian/pool/d/dash_0.5_arm64.deb' dash_0.5_arm64.deb 88 SHA:1\n"
        "'http://mirror.example.org/debian/pool/g/gmp_6_arm64.deb' gmp_2%3a6_arm64.deb 53 SHA:2\n"
    )
    assert names_listed(listing) == ["dash_0.5_arm64.deb", "gmp_2%3a6_arm64.deb"]
