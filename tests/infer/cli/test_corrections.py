"""`--corrections`: what a person said replaces predictions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from PIL import Image

from image_gender_classifier.manifest.cache_key import REVIEWED, file_hash, run_hash
from image_gender_classifier.outputs.corrections import Correction, write_corrections
from image_gender_classifier.outputs.picture_content import content_hash
from image_gender_classifier.outputs.xml import decode_prediction
from image_gender_classifier.results import Prediction

CheckXml = Callable[[bytes], Any]
Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def corrections(tmp_path: Path) -> Path:
    return tmp_path / "corrections.csv"


def read(out: Path, name: str) -> Prediction:
    return decode_prediction((out / f"{name}.xml").read_bytes())


def correct(path: Path, folder: Path, **genders: Correction) -> None:
    """Writes corrections of pictures in their current state."""
    write_corrections(
        path,
        {
            f"{name}.jpg": correction._replace(
                picture=content_hash((folder / f"{name}.jpg").read_bytes())
            )
            for name, correction in genders.items()
        },
    )


def test_a_corrected_picture_is_reviewed(
    folder: Path, out: Path, corrections: Path, command: Command, check_xml: CheckXml
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert done.returncode == 0
    assert "1 female, 1 male, 0 uncertain, 1 no face" in done.stdout
    assert "2 of them reviewed" in done.stdout
    root = check_xml((out / "astronaut.xml").read_bytes())
    assert dict(root.attrib) | {"run": "", "id": ""} == {
        **{"id": "", "file": "astronaut.jpg", "gender": "male", "status": "reviewed", "run": ""}
    }
    (face,) = root
    assert face.get("gender") == "male"
    assert face.get("confidence") is None
    check_xml((out / "cat.xml").read_bytes())
    assert read(out, "cat").gender == "female"
    assert read(out, "rocket").status == "no_face"


def test_saved_corrections_are_suggested_where_pictures_are_classified(
    folder: Path, out: Path, command: Command
) -> None:
    """Without them, a reviewed picture that was moved would silently lose its review."""
    saved = out / "corrections.csv"  # where the review saves them
    correct(saved, folder, astronaut=Correction("male"))
    apply = ("-i", folder, "-o", out, "--resume", "--corrections", saved)
    assert "was not applied" not in command(*apply).stderr
    again = command("-i", folder, "-o", out, "--resume")
    assert "was not applied" not in again.stderr
    (folder / "astronaut.jpg").rename(folder / "moved.jpg")
    moved = command("-i", folder, "-o", out, "--resume")
    assert f"{saved} was not applied; with --corrections {saved}" in moved.stderr
    assert "was not applied" not in command("-i", folder, "-o", out, "--quiet").stderr
    command(*apply)
    assert read(out, "moved").status == "reviewed"


def test_resume_keeps_a_reviewed_picture_whatever_the_options(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    command("-i", folder, "-o", out)
    correct(corrections, folder, astronaut=Correction("male"))
    done = command("-i", folder, "-o", out, "--resume", "--corrections", corrections)
    assert "2 of them kept" in done.stdout
    written = (out / "astronaut.xml").read_bytes()
    for options in (["--corrections", corrections], [], ["--threshold", "0.6"]):
        command("-i", folder, "-o", out, "--resume", *options)
        assert (out / "astronaut.xml").read_bytes() == written
    done = command("-i", folder, "-o", out, "--resume", "--corrections", corrections)
    assert "1 of them kept" in done.stdout  # of the others the threshold has changed


def test_replaced_reviews_are_reported(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    apply = "-i", folder, "-o", out, "--corrections", corrections
    assert command(*apply).stderr == ""
    assert command(*apply).stderr == ""  # replaced by the same reviews
    assert command("-i", folder, "-o", out, "--resume").stderr == ""
    replaced = command("-i", folder, "-o", out)
    assert replaced.returncode == 0
    said = "2 reviewed predictions were replaced, such as that of 'astronaut.jpg'"
    assert said in replaced.stderr and "--resume --corrections FILE" in replaced.stderr
    assert command("-i", folder, "-o", out).stderr == ""
    assert command(*apply, "--resume").stderr == ""
    assert read(out, "cat").status == "reviewed"
    shutil.copy(folder / "rocket.jpg", folder / "cat.jpg")
    changed = command("-i", folder, "-o", out, "--resume")  # the same correction would not hold
    said = "1 reviewed prediction was replaced, because the picture has changed, such as that of "
    assert f"{said}'cat.jpg'; review them again" in changed.stderr
    assert read(out, "cat").status != "reviewed"


def test_resume_keeps_a_review_while_the_picture_cannot_be_read(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, cat=Correction("female"))
    command("-i", folder, "-o", out, "--corrections", corrections)
    written = (out / "cat.xml").read_bytes()
    for options in ((), ("--corrections", corrections)):
        done = command("-i", folder, "-o", out, "--resume", "--max-bytes", "1000", *options)
        assert done.returncode == 4
        assert "'cat.jpg': the file has" in done.stderr and "its review is kept" in done.stderr
        assert read(out, "astronaut").status == "unreadable"
        assert (out / "cat.xml").read_bytes() == written


def test_an_empty_file_is_no_longer_the_picture_of_the_review(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, cat=Correction("female"))
    command("-i", folder, "-o", out, "--corrections", corrections)
    (folder / "cat.jpg").write_bytes(b"")
    done = command("-i", folder, "-o", out, "--resume")
    assert done.returncode == 1
    assert "'cat.jpg': the file is empty" in done.stderr
    assert "1 reviewed prediction was replaced, because the picture has changed" in done.stderr
    assert read(out, "cat").status == "unreadable"


def test_a_replaced_review_without_a_row_is_reported(
    folder: Path, out: Path, samples: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"))
    command("-i", folder, "-o", out, "--corrections", corrections)
    corrections.unlink()
    correct(corrections, folder, cat=Correction("female"))
    shutil.copy(samples / "mona_lisa.jpg", folder / "astronaut.jpg")
    done = command("-i", folder, "-o", out, "--resume", "--corrections", corrections)
    assert "1 reviewed prediction was replaced, because the picture has changed" in done.stderr


def test_a_table_of_predictions_is_not_taken_for_corrections(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    for options in ((), ("--rows", "faces")):
        assert command("-i", folder, "-o", out, "--csv", corrections, *options).returncode == 0
        refused = command("-i", folder, "-o", out, "--corrections", corrections)
        assert refused.returncode == 2
        assert f"{corrections}, line 1: a table of predictions" in refused.stderr
        assert read(out, "cat").status == "no_face"


def test_a_changed_picture_is_asked_again(
    folder: Path, out: Path, samples: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("unknown"))
    command("-i", folder, "-o", out, "--corrections", corrections)
    shutil.copy(samples / "mona_lisa.jpg", folder / "astronaut.jpg")
    done = command("-i", folder, "-o", out, "--resume", "--corrections", corrections)
    assert read(out, "astronaut").status == "classified"
    assert "1 correction is not applied, such as that of 'astronaut.jpg'" in done.stderr
    assert "the picture has changed since" in done.stderr


def test_a_changed_mind_is_applied_with_resume(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    for correction in (Correction("no_face"), Correction("male"), Correction("female")):
        correct(corrections, folder, astronaut=correction)
        command("-i", folder, "-o", out, "--resume", "--corrections", corrections)
        prediction = read(out, "astronaut")
        assert prediction.status == "reviewed"
        gender = "unknown" if correction.gender == "no_face" else correction.gender
        assert prediction.gender == gender
        assert bool(prediction.faces) == (correction.gender != "no_face")


def test_reviewed_pictures_whose_rows_were_removed_are_reported(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    apply = "-i", folder, "-o", out, "--resume", "--corrections", corrections
    assert command(*apply).stderr == ""
    assert command(*apply).stderr == ""
    correct(corrections, folder, cat=Correction("female"))
    done = command(*apply)
    assert read(out, "astronaut").status == "reviewed"
    said = "1 reviewed picture has no row in the file of --corrections, such as 'astronaut.jpg'"
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert command(*(option for option in apply if option != "--resume")).stderr.count("\n") == 1
    assert read(out, "astronaut").status != "reviewed"
    assert command(*apply).stderr == ""


def test_corrections_follow_renamed_and_moved_pictures(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    (folder / "sub").mkdir()
    (folder / "astronaut.jpg").rename(folder / "sub" / "moved.jpg")
    shutil.copy(folder / "sub" / "moved.jpg", folder / "copy.jpg")
    apply = "-i", folder, "-o", out, "--recursive", "--resume", "--corrections", corrections
    done = command(*apply)
    said = "2 corrections are applied to pictures that were renamed or copied, such as 'copy.jpg' "
    assert f"{said}(the row is that of 'astronaut.jpg')" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "3 of them reviewed" in done.stdout
    done = command(*apply)
    assert done.stderr == ""
    assert "4 of them kept" in done.stdout
    (folder / "astronaut.jpg").write_bytes((folder / "copy.jpg").read_bytes())
    correct(corrections, folder, astronaut=Correction("female"))
    (folder / "astronaut.jpg").unlink()
    command(*apply)  # a changed mind
    assert [read(out, name).gender for name in ("copy", "sub/moved")] == ["female", "female"]


def test_corrections_follow_pictures_that_swap_their_names(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    apply = "-i", folder, "-o", out, "--corrections", corrections
    command(*apply)
    for old, new in (("astronaut", "x"), ("cat", "astronaut"), ("x", "cat")):
        (folder / f"{old}.jpg").rename(folder / f"{new}.jpg")
    for options in (["--resume"], []):
        done = command(*apply, *options)
        assert "not applied" not in done.stderr
        assert [read(out, name).gender for name in ("cat", "astronaut")] == ["male", "female"]


def test_a_correction_stays_with_its_picture_when_another_takes_the_name(
    folder: Path, out: Path, samples: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, cat=Correction("female"))
    (folder / "cat.jpg").rename(folder / "b.jpg")
    apply = "-i", folder, "-o", out, "--corrections", corrections
    command(*apply)
    shutil.copy(samples / "mona_lisa.jpg", folder / "cat.jpg")
    done = command(*apply)
    assert read(out, "b").status == "reviewed"
    assert read(out, "cat").status == "classified"
    assert "1 correction is not applied, such as that of 'cat.jpg'" in done.stderr


def test_names_of_another_unicode_normalisation_are_found_if_one_picture_fits(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    composed, decomposed, both = "caf\u00e9", "cafe\u0301", "e\u0301\u00e9"
    (folder / decomposed).mkdir()
    for name in (f"{decomposed}/{composed}.jpg", "\u00e9\u00e9.jpg", "e\u0301e\u0301.jpg"):
        shutil.copy(folder / "cat.jpg", folder / name)
    corrections.write_text(f"file,gender\n{composed}/{decomposed}.jpg,female\n{both}.jpg,male\n")
    done = command("-i", folder, "-o", out, "--recursive", "--corrections", corrections)
    assert read(out, f"{decomposed}/{composed}").gender == "female"
    assert "1 of them reviewed" in done.stdout
    assert "1 correction is for pictures that are not in this run" in done.stderr


def add_metadata(path: Path) -> None:
    """Writes a comment, as a photo manager does; the picture looks the same."""
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe\0\x09holiday" + data[2:])


def test_reviews_outlast_metadata_that_other_programs_write(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    apply = "-i", folder, "-o", out, "--corrections", corrections
    command(*apply)
    written = (out / "astronaut.xml").read_bytes()
    add_metadata(folder / "astronaut.jpg")
    for options in (apply, (*apply, "--resume"), ("-i", folder, "-o", out, "--resume")):
        assert command(*options).stderr == ""
        assert (out / "astronaut.xml").read_bytes() == written
    (folder / "astronaut.jpg").rename(folder / "b.jpg")
    said = "1 correction is applied to pictures that were renamed or copied, such as 'b.jpg'"
    assert said in command(*apply, "--resume").stderr


def test_a_review_does_not_hold_for_a_picture_that_was_turned(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    correct(corrections, folder, astronaut=Correction("male"))
    apply = "-i", folder, "-o", out, "--corrections", corrections
    command(*apply)
    data = (folder / "astronaut.jpg").read_bytes()
    exif = Image.Exif()
    exif[0x0112] = 3
    block = b"\xff\xe1" + (len(exif.tobytes()) + 2).to_bytes(2, "big") + exif.tobytes()
    (folder / "astronaut.jpg").write_bytes(data[:2] + block + data[2:])
    assert "the picture has changed since" in command(*apply, "--resume").stderr
    assert read(out, "astronaut").status != "reviewed"


def test_rows_and_xml_files_of_version_0_2_0_hold_for_unchanged_files(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    data = (folder / "astronaut.jpg").read_bytes()
    write_corrections(corrections, {"astronaut.jpg": Correction("male", picture=file_hash(data))})
    apply = "-i", folder, "-o", out, "--corrections", corrections
    assert command(*apply).stderr == ""
    current = (out / "astronaut.xml").read_bytes()
    run = read(out, "astronaut").run
    earlier = current.replace(run.encode(), run_hash(data, REVIEWED).encode())
    assert earlier != current
    for options in ((), ("--corrections", corrections), ("--xmp", out), ("--report", out / "r")):
        (out / "astronaut.xml").write_bytes(earlier)
        assert command("-i", folder, "-o", out, "--resume", *options).returncode == 0
        assert (out / "astronaut.xml").read_bytes() == current
    (folder / "astronaut.jpg").rename(folder / "b.jpg")
    assert "'b.jpg' (the row is that of 'astronaut.jpg')" in command(*apply).stderr
    renewed = (out / "b.xml").read_bytes()
    (out / "b.xml").write_bytes(renewed.replace(run.encode(), run_hash(data, REVIEWED).encode()))
    assert command(*apply, "--resume").stderr == ""  # it was applied before
    assert (out / "b.xml").read_bytes() == renewed
    add_metadata(folder / "b.jpg")
    assert read(out, "b").status == "reviewed"
    assert command("-i", folder, "-o", out, "--resume").stderr == ""
    assert read(out, "b").status == "reviewed"


def test_corrections_follow_renamed_pictures_that_are_kept_as_predicted(
    folder: Path, out: Path, corrections: Path, command: Command, tmp_path: Path
) -> None:
    correct(corrections, folder, astronaut=Correction("male"), cat=Correction("female"))
    for old, new in (("astronaut", "x"), ("cat", "astronaut"), ("x", "cat")):
        (folder / f"{old}.jpg").rename(folder / f"{new}.jpg")
    shutil.copy(folder / "cat.jpg", folder / "copy.jpg")
    (tmp_path / "copies").mkdir()
    copies = "--annotate", tmp_path / "copies"
    command("-i", folder, "-o", out, *copies)  # without corrections
    apply = "-i", folder, "-o", out, "--resume", "--corrections", corrections, *copies
    done = command(*apply)
    said = "3 corrections are applied to pictures that were renamed or copied, such as "
    assert f"{said}'astronaut.jpg' (the row is that of 'cat.jpg')" in done.stderr
    assert "1 of them kept" in done.stdout
    names = ("astronaut", "cat", "copy")
    assert [read(out, name).gender for name in names] == ["female", "male", "male"]
    done = command(*apply)
    assert done.stderr == ""
    assert "4 of them kept" in done.stdout


def test_rows_of_one_content_that_contradict_each_other_are_not_applied_to_others(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    picture = content_hash((folder / "cat.jpg").read_bytes())
    male, female = Correction("male", None, picture), Correction("female", None, picture)
    write_corrections(corrections, {"a.jpg": male, "b.jpg": female})
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert read(out, "cat").status == "no_face"
    assert "2 corrections are for pictures that are not in this run" in done.stderr


def test_a_correction_without_a_hash_holds_for_any_picture(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    corrections.write_text("file,gender\nastronaut.jpg,male\nother.jpg,male\n")
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert read(out, "astronaut").gender == "male"
    assert "1 correction is for pictures that are not in this run" in done.stderr


def test_an_unreadable_picture_can_be_corrected(
    folder: Path, out: Path, corrections: Path, command: Command, check_xml: CheckXml
) -> None:
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff broken")
    correct(corrections, folder, bad=Correction("female"))
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert done.returncode == 0
    root = check_xml((out / "bad.xml").read_bytes())
    assert (root.get("status"), root.get("message")) == ("reviewed", None)


def test_the_file_must_exist_and_is_not_overwritten(
    folder: Path, out: Path, corrections: Path, command: Command
) -> None:
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert done.returncode == 2
    assert "no such file" in done.stderr
    corrections.write_text("file,gender\n")
    done = command("-i", folder, "-o", out, "--corrections", corrections, "--csv", corrections)
    assert done.returncode == 2
    assert "would overwrite" in done.stderr
    corrections.write_text("file,gender\nastronaut.jpg,woman\n")
    done = command("-i", folder, "-o", out, "--corrections", corrections)
    assert done.returncode == 2
    assert "line 2" in done.stderr
    assert list(out.iterdir()) == []
