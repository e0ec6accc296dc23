"""Two folders, by hand: case, depth and stray files differ from place to place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from training_pictures import touch

from image_gender_classifier.errors import UsageError
from image_gender_classifier.train.common.split import is_held_out
from image_gender_classifier.train.datasets import DataError, LabelOptions, read_data_set
from image_gender_classifier.train.datasets.listing import list_pictures


def test_reads_both_folders_in_any_case_and_depth(tmp_path: Path) -> None:
    touch(tmp_path, "MALE/1.jpg", "Female/2020/1.JPEG", "Female/notes.txt", "Female/._1.jpg")
    reading = read_data_set("folders", tmp_path, "all")
    assert [(sample.name, sample.gender) for sample in reading.samples] == [
        ("Female/2020/1.JPEG", "female"),
        ("MALE/1.jpg", "male"),
    ]
    assert all(sample.path.is_file() for sample in reading.samples)
    assert reading.skipped == ()


def test_pictures_in_other_folders_are_reported(tmp_path: Path) -> None:
    touch(tmp_path, "male/1.jpg", "female/1.jpg", "unsure/1.jpg", "female.jpg", "x/female/2.jpg")
    reading = read_data_set("folders", tmp_path, "all")
    assert len(reading.samples) == 2
    assert reading.summary().endswith(
        "label missing: 3 ('female.jpg', 'unsure/1.jpg', 'x/female/2.jpg')"
    )


@pytest.mark.parametrize("names", [(), ("female.jpg",), ("females/1.jpg", "male/1.txt")])
def test_no_picture_in_either_folder_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="no pictures in the folders 'female' and 'male'"):
        read_data_set("folders", touch(tmp_path, *names), "all")


def test_one_gender_folder_suffices_for_an_evaluation(tmp_path: Path) -> None:
    reading = read_data_set("folders", touch(tmp_path, "female/1.jpg", "males/2.jpg"), "all")
    assert reading.summary() == ("1 sample (1 female); skipped: label missing: 1 ('males/2.jpg')")


def test_a_link_to_a_parent_folder_is_no_endless_loop(tmp_path: Path) -> None:
    touch(tmp_path, "male/1.jpg", "female/1.jpg")
    (tmp_path / "male" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert len(read_data_set("folders", tmp_path, "all").samples) == 2


def test_a_link_to_another_folder_is_followed(tmp_path: Path) -> None:
    touch(tmp_path, "root/male/1.jpg", "elsewhere/1.jpg")
    (tmp_path / "root" / "female").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert len(read_data_set("folders", tmp_path / "root", "all").samples) == 2


def test_splits_are_disjoint_complete_and_stable_when_pictures_are_added(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{gender}/{n}.jpg" for gender in ("male", "female") for n in range(100)))
    whole, train, val = (
        read_data_set("folders", tmp_path, part).samples for part in ("all", "train", "val")
    )
    assert {sample.name for sample in val} == {s.name for s in whole if is_held_out(s.name, 0.05)}
    assert sorted(sample.name for sample in (*train, *val)) == [sample.name for sample in whole]
    touch(tmp_path, *(f"male/new{n}.jpg" for n in range(50)))
    assert set(map(str, val)) <= set(map(str, read_data_set("folders", tmp_path, "val").samples))


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "male/1.jpg", "female/1.jpg")
    with pytest.raises(DataError, match=r"no sample is in the split 'val' \(all splits: 2\)"):
        read_data_set("folders", tmp_path, "val")


def test_a_label_file_requires_the_layout_user_id(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--labels can only be used with --layout user-id, not"):
        read_data_set("folders", tmp_path, "all", LabelOptions(tmp_path / "labels.csv"))
    with pytest.raises(UsageError, match="--layout user-id requires a label file"):
        read_data_set("user-id", tmp_path, "all")


@pytest.mark.parametrize("kind", ["pipe", "dangling", "loop"])
def test_a_picture_that_is_no_regular_file_is_an_error(tmp_path: Path, kind: str) -> None:
    for name in ("female", "male"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"1")
    odd = tmp_path / "male" / "odd.jpg"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to("odd.jpg" if kind == "loop" else "nowhere.jpg")
    with pytest.raises(
        DataError, match=r"odd\.jpg: this is a pipe, socket, device or broken symbolic link"
    ):
        list_pictures(tmp_path)


def test_junk_files_are_no_samples(tmp_path: Path) -> None:
    clutter = ("._1.jpg", "1.jpg.part", "@eaDir/1.jpg", "__MACOSX/1.jpg", ".Trash-0/1.jpg")
    for name in ("1.jpg", *clutter):
        (tmp_path / "male" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "male" / name).write_bytes(b"1")
    assert list_pictures(tmp_path) == ["male/1.jpg"]
    assert list_pictures(tmp_path, lambda _: True) == ["male/1.jpg"]
