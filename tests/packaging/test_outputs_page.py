"""The commands in docs/outputs.md that apply another threshold to an earlier run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "outputs.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```(sh|py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the output of a run in which all faces are uncertain."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "predictions").mkdir()
    options = ["-i", str(samples), "-o", "predictions", "--threshold", "1", "--csv", "all.csv"]
    words = [sys.executable, "-m", "image_gender_classifier", *options, "--quiet"]
    subprocess.run(words, cwd=folder, check=True)
    return folder


def lines_of(words: list[str], folder: Path) -> list[str]:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_the_xpath_selects_the_women(run: Path) -> None:
    (xpath,) = re.findall(r"--xpath '(.*?)'", BLOCKS["sh"])
    found = [etree.parse(file).xpath(xpath) for file in sorted(run.glob("predictions/*.xml"))]
    assert [file for file in found if file] == ["astronaut.jpg", "mona_lisa.jpg"]


@pytest.mark.skipif(shutil.which("xmllint") is None, reason="xmllint is not installed")
def test_xmllint_lists_the_women(run: Path) -> None:
    (command,) = re.findall(r"^for .*$", BLOCKS["sh"], re.MULTILINE)
    assert lines_of(["sh", "-c", command], run) == ["astronaut.jpg", "mona_lisa.jpg"]


def test_awk_lists_women_and_men(run: Path) -> None:
    (command,) = re.findall(r"^awk .*$", BLOCKS["sh"], re.MULTILINE)
    expected = ["aksel_andersson.jpg male", "astronaut.jpg female", "mona_lisa.jpg female"]
    assert lines_of(["sh", "-c", command], run) == expected


def test_python_lists_women_and_men(run: Path) -> None:
    expected = ["aksel_andersson.jpg male", "astronaut.jpg female", "mona_lisa.jpg female"]
    assert lines_of([sys.executable, "-c", BLOCKS["py"]], run) == expected
