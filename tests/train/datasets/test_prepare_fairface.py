"""The subset is made from an archive, again and again, and never half."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from image_gender_classifier.train.datasets import read_data_set
from image_gender_classifier.train.datasets.prepare_fairface import (
    NAMES_FILE,
    main,
    read_picture_names,
    shrink_to_jpeg,
)

HEADER = "file,age,gender,race,service_test\n"


def make_picture(path: Path, side: int = 224) -> None:
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (side, side, 3), np.uint8)
    path.write_bytes(cv2.imencode(".jpg", cv2.blur(pixels, (9, 9)))[1].tobytes())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive with three pictures to train and one to validate, and a list of three of them."""
    root = tmp_path / "archive"
    for part, count in (("train", 3), ("val", 1)):
        (root / part).mkdir(parents=True)
        rows = ""
        for number in range(1, count + 1):
            make_picture(root / part / f"{number}.jpg")
            rows += f"{part}/{number}.jpg,more than 70,Female,Black,False\n"
        (root / f"fairface_label_{part}.csv").write_text(HEADER + rows)
    (tmp_path / "names.txt").write_text("train/1.jpg\ntrain/3.jpg\nval/1.jpg\n")
    return root


def run(archive: Path) -> int:
    folder = archive.parent
    names = str(folder / "names.txt")
    return main(["--archive", str(archive), "--out", str(folder / "out"), "--names", names])


def test_creates_the_listed_pictures_and_labels(archive: Path) -> None:
    out = archive.parent / "out"
    assert run(archive) == 0
    samples = read_data_set("fairface", out, "all").samples
    assert [sample.name for sample in samples] == ["train/1.jpg", "train/3.jpg", "val/1.jpg"]
    for sample in samples:
        pixels = cv2.imread(str(sample.path))
        assert pixels is not None
        assert pixels.shape == (128, 128, 3)
    assert (out / "fairface_label_train.csv").read_text() == HEADER + (
        "train/1.jpg,more than 70,Female,Black,False\ntrain/3.jpg,more than 70,Female,Black,False\n"
    )
    assert not list(out.rglob(".*"))


def test_a_second_run_keeps_finished_pictures(archive: Path) -> None:
    assert run(archive) == 0
    finished = archive.parent / "out" / "train" / "1.jpg"
    missing = finished.with_name("3.jpg")
    expected = missing.read_bytes()
    finished.write_bytes(b"kept")
    missing.unlink()
    missing.with_name(".3.jpg.part").write_bytes(b"torn")
    assert run(archive) == 0
    assert finished.read_bytes() == b"kept"
    assert missing.read_bytes() == expected


def test_missing_pictures_and_labels_are_reported(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive / "train" / "3.jpg").unlink()
    with (archive.parent / "names.txt").open("a") as names:
        names.write("val/9.jpg\n")
    assert run(archive) == 1
    assert "pictures or their labels are missing (2, " in (error := capsys.readouterr().err)
    assert "the first is train/3.jpg" in error
    samples = read_data_set("fairface", archive.parent / "out", "all").samples
    assert [sample.name for sample in samples] == ["train/1.jpg", "val/1.jpg"]
    make_picture(archive / "train" / "3.jpg")
    (archive.parent / "names.txt").write_text("train/1.jpg\ntrain/3.jpg\nval/1.jpg\n")
    assert run(archive) == 0
    assert len(read_data_set("fairface", archive.parent / "out", "all").samples) == 3


def test_the_release_with_a_wider_margin_is_refused(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_picture(archive / "train" / "3.jpg", side=448)
    assert run(archive) == 2
    assert "448 x 448 pixels, expected 224 x 224" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "the file is empty"), (b"no picture", "the picture is corrupt")]
)
def test_a_damaged_picture_is_named(
    archive: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    (archive / "train" / "3.jpg").write_bytes(content)
    assert run(archive) == 2
    assert f"3.jpg: {said}" in capsys.readouterr().err


def test_an_empty_picture_in_the_subset_is_created_again(archive: Path) -> None:
    assert run(archive) == 0
    out = archive.parent / "out"
    (made, *_) = sorted(out.rglob("*.jpg"))
    before = made.read_bytes()
    made.write_bytes(b"")
    assert run(archive) == 0
    assert made.read_bytes() == before


@pytest.mark.parametrize("names", ["", "train/1.jpg\n../x.jpg\n"])
def test_a_wrong_list_of_names_is_refused(archive: Path, names: str) -> None:
    (archive.parent / "names.txt").write_text(names)
    assert run(archive) == 2


def test_a_missing_archive_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--archive", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 2
    assert "fairface_label_train.csv" in capsys.readouterr().err


def test_the_archive_cannot_be_the_output(archive: Path) -> None:
    names = str(archive.parent / "names.txt")
    labels = (archive / "fairface_label_train.csv").read_bytes()
    assert main(["--archive", str(archive), "--out", str(archive), "--names", names]) == 2
    assert (archive / "fairface_label_train.csv").read_bytes() == labels


def test_an_output_that_cannot_be_written_exits_3(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (archive.parent / "out").write_text("in the way")
    assert run(archive) == 3
    shown = capsys.readouterr().err
    assert shown.startswith("image-gender-prepare-fairface: ")
    assert shown.count("\n") == 1


def test_a_usage_error_is_one_line_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--archive", "x"]) == 2
    shown = capsys.readouterr().err
    assert "--out" in shown
    assert shown.count("\n") == 1


def test_the_list_of_names_is_complete_and_sorted() -> None:
    names = read_picture_names(NAMES_FILE)
    parts = [name.partition("/")[0] for name in names]
    assert (parts.count("train"), parts.count("val")) == (39_982, 2_500)
    keys = [(part, int(Path(name).stem)) for part, name in zip(parts, names, strict=True)]
    assert keys == sorted(set(keys))


def test_the_list_of_names_equals_the_shared_subset(shared: Path) -> None:
    samples = read_data_set("fairface", shared / "fairface", "all").samples
    assert sorted(sample.name for sample in samples) == sorted(read_picture_names(NAMES_FILE))


def test_pictures_are_compressed_like_the_shared_ones(shared: Path, archive: Path) -> None:
    theirs = (shared / "fairface" / "train" / "1.jpg").read_bytes()
    assert tables(shrink_to_jpeg(archive / "train" / "1.jpg")) == tables(theirs)


def tables(jpeg: bytes) -> bytes:
    """The two quantisation tables, which stand one behind the other."""
    start = jpeg.index(b"\xff\xdb")
    return jpeg[start : start + 2 * 69]
