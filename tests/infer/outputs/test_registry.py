"""A new output needs one entry in the registry; the command supports it without changes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from sample_prediction import PICTURE, PREDICTION

from image_gender_classifier.outputs import registry
from image_gender_classifier.outputs.folder import OutputFolder
from image_gender_classifier.outputs.naming import PictureFile
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.registry import Entry, Target
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.outputs.table import Table
from image_gender_classifier.results import Drawings, Prediction

Command = Callable[..., CompletedProcess[str]]

RECORD = struct.Struct("<16sfB")
COPY = bytes.fromhex("ffd8ffd9")  # the start and end markers of a JPEG
MAGIC = b"\x00TOY\xff"
STATUSES = ("classified", "uncertain", "no_face", "unreadable")


def open_packed(path: Path, _: OutputSettings) -> Table:
    """Opens a binary table: a magic number, then one fixed-size record per picture."""

    def encode(row: Row) -> bytes:
        prediction = row.prediction
        status = STATUSES.index(prediction.status)
        return RECORD.pack(prediction.file.encode(), prediction.confidence or 0, status)

    return Table(path, encode, header=MAGIC)


class Sidecars(OutputFolder):
    """A folder with the size of each annotated copy, as a binary file."""

    def write(self, row: Row) -> None:
        if row.drawings.copy is not None:
            self.write_file(
                row.picture.output_path(".len"), struct.pack("<I", len(row.drawings.copy))
            )

    def can_reuse(self, picture: PictureFile, prediction: Prediction) -> bool:
        return (self._folder / picture.output_path(".len")).exists()


def open_sidecars(path: Path, _: OutputSettings) -> Sidecars:
    return Sidecars(path)


PACKED = Entry("packed", ("--packed",), "FILE", "also write records", "file", open_packed)
SIDECARS = Entry(
    "sizes",
    ("--sizes",),
    "DIR",
    "also write sizes",
    "folder",
    open_sidecars,
    ".len",
    drawing="copy",
)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "OUTPUTS", (*registry.OUTPUTS, PACKED, SIDECARS))


@pytest.mark.parametrize("name", ["xml", "annotate", "xmp"])
def test_a_folder_writes_the_file_that_is_protected_from_other_outputs(
    name: str, out: Path
) -> None:
    picture = PICTURE._replace(full="a.jpg")
    (entry,) = (entry for entry in registry.OUTPUTS if entry.name == name)
    output = entry.open_output(out, OutputSettings())
    output.write(Row(picture, PREDICTION, drawings=Drawings(COPY)))
    assert [path.name for path in out.iterdir()] == [Target(entry, out).output_path(picture)]


def records(path: Path) -> list[tuple[str, float, str]]:
    data = path.read_bytes()
    assert data.startswith(MAGIC)
    unpacked = RECORD.iter_unpack(data.removeprefix(MAGIC))
    return [(name.rstrip(b"\0").decode(), sure, STATUSES[s]) for name, sure, s in unpacked]


def test_a_binary_table_runs_through_the_command(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    options = ("-i", folder, "-o", out, "--threshold", 0.5, "--packed", tmp_path / "p")
    assert command(*options).returncode == 0
    written = records(tmp_path / "p")
    assert [(name, status) for name, _, status in written] == [
        ("astronaut.jpg", "classified"),
        ("cat.jpg", "no_face"),
        ("rocket.jpg", "no_face"),
    ]
    assert 0.5 <= written[0][1] <= 1
    resumed = command(*options, "--resume")  # kept predictions have rows, too
    assert "3 of them kept" in resumed.stdout
    assert [row[::2] for row in records(tmp_path / "p")] == [row[::2] for row in written]


def test_a_folder_receives_the_drawings_of_its_entry(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "sizes").mkdir()
    options = ("-i", folder, "-o", out, "--sizes", tmp_path / "sizes", "--resume")
    assert command(*options).returncode == 0
    files = {path.name: path.read_bytes() for path in (tmp_path / "sizes").iterdir()}
    assert set(files) == {"astronaut.len", "cat.len", "rocket.len"}
    assert all(struct.unpack("<I", data)[0] > 1000 for data in files.values())
    (tmp_path / "sizes" / "cat.len").unlink()
    assert "2 of them kept" in command(*options).stdout
    assert {path.name: path.read_bytes() for path in (tmp_path / "sizes").iterdir()} == files


def test_help_lists_a_registered_output(command: Command) -> None:
    text = command("--help").stdout
    assert "--packed FILE" in text.split("output options:")[1].split("expert options:")[0]


def test_the_checks_follow_from_the_entry(
    command: Command, folder: Path, out: Path, tmp_path: Path
) -> None:
    needed = ("-i", folder, "-o", out)
    before = (folder / "cat.jpg").read_bytes()
    for option, message in {
        ("--packed", tmp_path / "missing" / "p"): "does not exist",
        ("--packed", folder / "cat.jpg"): "would be overwritten",
        ("--packed", tmp_path / "p", "--csv", tmp_path / "p"): "give different files",
        ("--packed", tmp_path / "p", "--watch"): "cannot be used with --watch",
        ("--sizes", tmp_path / "missing"): "the folder does not exist",
    }.items():
        refused = command(*needed, *option)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert message in refused.stderr
    assert (folder / "cat.jpg").read_bytes() == before


def test_a_folder_never_overwrites_a_picture(command: Command, folder: Path, out: Path) -> None:
    (folder / "cat.jpg").rename(folder / "cat.len")  # recognised as a picture by its first bytes
    refused = command("-i", folder, "-o", out, "--sizes", folder)
    assert refused.returncode == 2
    assert "cat.len: would be overwritten" in refused.stderr
