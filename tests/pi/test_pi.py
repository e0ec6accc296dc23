"""Documented steps, comparison of answers, and instruction counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bundle.processes import Failed
from pi.answers import Answers, compare
from pi.counts import Counts, read_counts, steps_of
from pi.guest_memory import guest_size
from pi.installations import INSTALLATIONS, SMALL
from pi.steps import DOCUMENT, Steps, read_steps

EXAMPLE = """\
<!-- pi-test: first -->
```sh
sudo apt install python3-venv python3-numpy
python3 -m venv ~/igc
~/igc/bin/pip install ~/wheel-*.whl 'numpy<2'
```

```
not a step
```

<!-- pi-test: second -->
```sh
~/igc/bin/pip install --no-deps onnxruntime
```
"""
SMAPS = """\
00400000-00500000 r-xp 00000000 08:01 7 /emulator/bin/qemu
Pss:                 100 kB
01000000-02000000 rw-p 00000000 00:00 0 [heap]
Pss:                2000 kB
03000000-04000000 rwxp 00000000 00:00 0
Pss:               30000 kB
05000000-06000000 rw-p 00000000 00:00 0
Pss:                   7 kB
Pss_Dirty:             5 kB
07000000-08000000 r--p 00000000 08:01 9 /root folder/usr/lib/libpython.so
Pss:                   4 kB
"""
HERE = Answers({"a.xml": b'<image id="a" run="59d9"/>'}, (0.5, -1.0), "Python 3")


def test_steps_are_read_by_name() -> None:
    blocks = read_steps(EXAMPLE)
    assert blocks["first"] == Steps(
        ("python3-venv", "python3-numpy"),
        ("python3 -m venv ~/igc", "~/igc/bin/pip install ~/wheel-*.whl 'numpy<2'"),
    )
    both = blocks["first"] + blocks["second"]
    assert both.pip_arguments() == [["~/wheel-*.whl", "numpy<2"], ["--no-deps", "onnxruntime"]]


def test_every_documented_block_is_tried() -> None:
    tried = {name for installation in INSTALLATIONS for name in installation.steps}
    assert set(read_steps(DOCUMENT.read_text("utf-8"))) == tried
    assert {one.name for one in SMALL} <= {one.name for one in INSTALLATIONS}


def test_same_answers_pass() -> None:
    assert compare(HERE, HERE) == "Python 3: same 1 XML files, same 2 logits"


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (replace(HERE, xml={}), "in one of both only: a.xml"),
        (replace(HERE, xml={"a.xml": b'<image id="b" run="59d9"/>'}), "another XML file for 1"),
        (replace(HERE, xml={"a.xml": b'<image id="a" run="0000"/>'}), "another run for 1"),
        (replace(HERE, logits=(0.5, -1.25)), "another logit for 1 of 2"),
    ],
)
def test_other_answers_fail(found: Answers, fault: str) -> None:
    with pytest.raises(Failed, match=fault):
        compare(HERE, found)


def test_run_may_differ_with_another_model_file() -> None:
    found = replace(HERE, xml={"a.xml": b'<image id="a" run="0000"/>'})
    assert compare(HERE, found, same_model=False) == "Python 3: same 1 XML files, same 2 logits"
    other = replace(HERE, xml={"a.xml": b'<image id="b" run="0000"/>'})
    with pytest.raises(Failed, match="another XML file for 1"):
        compare(HERE, other, same_model=False)


def test_counts_are_split_at_marks_and_named() -> None:
    counts = read_counts("mark 100\nmark 130\nmark 200\nmark 201\nend 300\n")
    assert counts == Counts((100, 30, 70, 1), 300)
    assert steps_of(counts, ["0 detect", "1 detect"], ("portrait", "smaller face")) == {
        "portrait: detect": 30,
        "smaller face: detect": 1,
    }


def test_killed_process_has_no_total() -> None:
    assert read_counts("mark 100\n").total is None


def test_memory_of_the_emulator_is_not_counted() -> None:
    assert guest_size(SMAPS, "/emulator") == 11 * 1024
