"""`--corrections` with the other outputs: each has what the person said, also in later runs."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree

from image_gender_classifier.cli import program
from image_gender_classifier.outputs.xml import decode_prediction
from image_gender_classifier.results import Prediction

FOLDERS = ("xmp", "sorted", "copies")


class Run(NamedTuple):
    """A run over three pictures: a face that was corrected to male, none that is one, none.

    Attributes:
        root: The folder of input, outputs and `corrections.csv`.
    """

    root: Path

    def start(self, *options: str) -> int:
        files = {"csv": "all.csv", "jsonl": "all.jsonl", "parquet": "all.parquet"}
        folders = {"xmp": "xmp", "sort-into": "sorted", "annotate": "copies"}
        outputs = {**files, **folders, "report": "report.html"}
        pairs = [(f"--{name}", str(self.root / path)) for name, path in outputs.items()]
        usual = ["-i", str(self.root / "in"), "-o", str(self.root / "out"), "--summary", "json"]
        return program.main([*usual, *(word for pair in pairs for word in pair), *options])

    def read(self, name: str) -> Prediction:
        return decode_prediction((self.root / "out" / f"{name}.xml").read_bytes())


def make_run(root: Path, samples: Path) -> Run:
    for name in ("in", "out", *FOLDERS):
        (root / name).mkdir()
    for name in ("astronaut", "cat", "rocket"):
        shutil.copy(samples / f"{name}.jpg", root / "in")
    text = "file,gender\nastronaut.jpg,male\ncat.jpg,female\n"
    (root / "corrections.csv").write_text(text)
    return Run(root)


# How the run came about: at once, or after one without corrections, which --resume keeps; whether a
# run without --corrections followed, which needs new drawings; and whether a run without --resume
# has replaced the reviews, while the sidecars still have them.
@pytest.fixture(scope="module", params=["at once", "later", "before", "again"])
def run(
    request: pytest.FixtureRequest, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    made = make_run(tmp_path_factory.mktemp("corrected"), samples)
    given = ("--corrections", str(made.root / "corrections.csv"))
    if request.param == "later":
        assert made.start() == 0
        assert made.start("--resume", *given) == 0
    elif request.param == "before":
        plain = ["-i", str(made.root / "in"), "-o", str(made.root / "out")]
        assert program.main([*plain, *given]) == 0
        assert made.start("--resume") == 0
    elif request.param == "again":
        assert made.start(*given) == 0
        plain = ["-i", str(made.root / "in"), "-o", str(made.root / "out")]
        assert program.main(plain) == 0
        assert made.start("--resume", *given) == 0
    else:
        assert made.start(*given) == 0
    return made


def test_xml_files_are_reviewed(run: Run) -> None:
    found = {name: run.read(name) for name in ("astronaut", "cat", "rocket")}
    assert [one.status for one in found.values()] == ["reviewed", "reviewed", "no_face"]
    assert [one.gender for one in found.values()] == ["male", "female", "unknown"]


def test_pictures_are_sorted_by_the_correction(run: Run) -> None:
    sorted_ = {path.relative_to(run.root / "sorted") for path in run.root.glob("sorted/*/*")}
    assert {path.as_posix() for path in sorted_} == {
        *("male/astronaut.jpg", "female/cat.jpg", "no_face/rocket.jpg")
    }


def test_sidecars_have_the_correction_and_the_regions(run: Run) -> None:
    def read(name: str) -> tuple[list[str | None], list[str | None]]:
        root = etree.fromstring((run.root / "xmp" / name).read_bytes())
        keywords = [item.text for item in root.findall(".//{*}subject//{*}li")]
        regions = root.findall(".//{*}RegionList//{*}Description")
        return keywords, [value for one in regions for value in one.attrib.values()]

    keywords, regions = read("astronaut.jpg.xmp")
    assert keywords == ["perceived gender|male"]
    assert any("male" in str(value) for value in regions)
    keywords, regions = read("cat.jpg.xmp")
    assert (keywords, regions) == (["perceived gender|female"], [])
    assert not (run.root / "xmp" / "rocket.jpg.xmp").exists()


def read_csv(root: Path) -> list[dict[str, Any]]:
    with (root / "all.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_jsonl(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "all.jsonl").read_text().splitlines()]


def read_parquet(root: Path) -> list[dict[str, Any]]:
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(root / "all.parquet").to_pylist()
    return rows


@pytest.mark.parametrize("read", [read_csv, read_jsonl, read_parquet])
def test_tables_have_the_correction(read: Callable[[Path], list[dict[str, Any]]], run: Run) -> None:
    rows = read(run.root)
    assert [(row["file"], row["status"], row["gender"]) for row in rows] == [
        ("astronaut.jpg", "reviewed", "male"),
        ("cat.jpg", "reviewed", "female"),
        ("rocket.jpg", "no_face", "unknown"),
    ]
    assert not rows[0]["confidence"] and not rows[0]["p_female"]


def test_the_report_has_the_correction_and_all_thumbnails(run: Run) -> None:
    script = (run.root / "report_files" / "data.js").read_text()
    items = json.loads(script.partition("const REVIEW = ")[2][:-2])["items"]
    assert [(item[0], item[1], item[2]) for item in items] == [
        *(("astronaut.jpg", 4, 1), ("cat.jpg", 4, 0), ("rocket.jpg", 2, 2))
    ]
    assert all(item[4] for item in items)
    assert len(list(run.root.glob("report_files/thumbnails/*/*.jpg"))) == 3


def test_the_summary_counts_reviewed_pictures_and_all_is_kept_now(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    def read() -> dict[Path, bytes]:
        files = (path for path in run.root.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files if path.name != "data.js"}

    before = read()  # data.js has the options of the run
    capsys.readouterr()
    assert run.start("--resume") == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["reviewed"], counts["kept"], counts["female"], counts["male"]) == (2, 3, 1, 1)
    assert read() == before


def test_sidecars_with_another_answer_are_replaced(samples: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    made = make_run(tmp_path, samples)
    corrections = made.root / "corrections.csv"
    given = ("--corrections", str(corrections))
    assert made.start(*given) == 0
    plain = ["-i", str(made.root / "in"), "-o", str(made.root / "out")]
    assert program.main(plain) == 0
    corrections.write_text("file,gender\nastronaut.jpg,unknown\ncat.jpg,female\n")
    assert made.start("--resume", *given) == 0
    assert made.read("astronaut").gender == "unknown"
    sidecar = (made.root / "xmp" / "astronaut.jpg.xmp").read_text()
    assert "perceived gender: unknown" in sidecar
    assert "perceived gender|male" not in sidecar
