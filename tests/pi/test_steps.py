"""Reading the install steps of a document, and those of docs/raspberry-pi.md."""

from __future__ import annotations

from pathlib import Path

from pi.steps import Steps, read_steps
from pi.systems import SYSTEMS

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "raspberry-pi.md"

EXAMPLE = """\
# Boards

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


def test_blocks_are_read_by_name() -> None:
    assert read_steps(EXAMPLE) == {
        "first": Steps(
            ("python3-venv", "python3-numpy"),
            ("python3 -m venv ~/igc", "~/igc/bin/pip install ~/wheel-*.whl 'numpy<2'"),
        ),
        "second": Steps((), ("~/igc/bin/pip install --no-deps onnxruntime",)),
    }


def test_blocks_can_follow_one_another() -> None:
    blocks = read_steps(EXAMPLE)
    both = blocks["first"] + blocks["second"]
    assert both.packages == ("python3-venv", "python3-numpy")
    assert both.pip_arguments() == [["~/wheel-*.whl", "numpy<2"], ["--no-deps", "onnxruntime"]]


def test_every_block_of_the_document_is_run_and_every_one_run_is_there() -> None:
    run = {
        name
        for system in SYSTEMS
        for installation in system.installations
        for name in installation.steps
    }
    assert set(read_steps(DOCUMENT.read_text("utf-8"))) == run
