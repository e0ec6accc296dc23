"""What is read from callgrind's files."""

from __future__ import annotations

import pytest
from benchmarks.callgrind import parse_total
from benchmarks.stages import split_key

DUMP = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
part: 2
desc: Trigger: --dump-before=getppid
events: Ir
fn=(1) work
12 4000

totals: 818901230
"""


def test_the_total_is_read() -> None:
    assert parse_total(DUMP) == 818_901_230


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="totals"):
        parse_total("version: 1\n")


def test_a_step_is_told_with_the_size_of_its_picture() -> None:
    assert split_key("1 XML bytes", [250, 1500]) == ("XML bytes", 1500)
