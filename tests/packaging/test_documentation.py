"""The documentation: links, options, Python examples and the sample XML."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for folder in (".", ".github", ".github/ISSUE_TEMPLATE", "docs", "docs/report", "models")
    for path in (ROOT / folder).glob("*.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EXAMPLE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLE = re.compile(r"^<\?xml .*?^</image>\n", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Returns the anchors that GitHub gives the headings of a page."""
    headings = HEADING.findall(CODE.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_options_are_documented_in_the_order_of_the_help() -> None:
    words = [sys.executable, "-m", "image_gender_classifier", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    offered = re.findall(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)", shown, re.MULTILINE)
    rows = re.findall(r"^\| (`-.+?) \|", (ROOT / "docs/cli.md").read_text("utf-8"), re.MULTILINE)
    documented = [re.findall(r"--[\w-]+", row)[0] for row in rows]
    assert documented == offered


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, id=f"{page.name}-{number}")
        for page in PAGES
        for number, code in enumerate(EXAMPLE.findall(page.read_text("utf-8")))
    ],
)
def test_python_examples_run_in_a_folder_with_pictures(
    code: str, samples: Path, tmp_path: Path
) -> None:
    for name in ("alice", "bob"):
        shutil.copy(samples / "mona_lisa.jpg", tmp_path / f"{name}.jpg")
    shutil.copytree(samples, tmp_path / "photos")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/xml.md"])
def test_the_sample_xml_is_what_the_command_writes(
    page: str, samples: Path, tmp_path: Path
) -> None:
    (shown,) = SAMPLE.findall((ROOT / page).read_text("utf-8"))
    shutil.copy(samples / "mona_lisa.jpg", tmp_path)
    options = ["-i", str(tmp_path), "-o", str(tmp_path), "--runtime", "tflite", "--quiet"]
    subprocess.run([sys.executable, "-m", "image_gender_classifier", *options], check=True)
    assert shown == (tmp_path / "mona_lisa.xml").read_text("utf-8")


@pytest.mark.parametrize(
    ("contract", "begin", "end", "pattern"),
    [
        ("layers of infer", "## Layers of infer/", "`train/` and `convert/`;", r"`(\w+)"),
        ("layers of train", "`train/` and `convert/`;", "## Where does", r"`train/(\w+)"),
    ],
)
def test_architecture_lists_the_layers_in_the_order_of_the_contract(
    contract: str, begin: str, end: str, pattern: str
) -> None:
    text = (ROOT / "pyproject.toml").read_text().partition(f'name = "{contract}"')[2]
    listed = re.search(r"^layers = \[\n(.*?)^\]", text, re.M | re.S)
    assert listed is not None
    layers = [re.findall(r"\w+", line) for line in listed[1].splitlines()]
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = page.partition(begin)[2].partition(end)[0]
    rows = [re.findall(pattern, row.split("|")[1]) for row in section.splitlines() if "| `" in row]
    assert {name for row in rows for name in row} == {name for layer in layers for name in layer}
    heights = {name: height for height, layer in enumerate(layers) for name in layer}
    places = [heights[name] for row in rows for name in row]
    assert places == sorted(places)
