from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from image_gender_classifier.cli.options import Options, parse_options
from image_gender_classifier.errors import UsageError
from image_gender_classifier.imaging.limits import Limits
from image_gender_classifier.outputs.registry import OUTPUTS, Target
from image_gender_classifier.outputs.settings import OutputSettings
from image_gender_classifier.settings import Settings
from image_gender_classifier.system import cores


@pytest.fixture
def needed(folder: Path, out: Path) -> list[str]:
    return ["-i", str(folder), "-o", str(out)]


def refused(arguments: list[str]) -> str:
    with pytest.raises(UsageError) as caught:
        parse_options(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_default_options(needed: list[str], folder: Path, out: Path) -> None:
    assert parse_options(needed) == Options(
        input=folder,
        paths=(),
        outputs=(Target(OUTPUTS[0], out),),
        output_settings=OutputSettings(pictures=folder),
        settings=Settings(),
        recursive=False,
        hidden=False,
        picture_list=None,
        null=False,
        shard=None,
        workers=cores.count_cores(),
        resume=False,
        corrections=None,
        watch=False,
        profile=False,
        summary="text",
        progress="auto",
        quiet=False,
        verbose=False,
        debug=False,
    )


def test_always_is_the_threshold_that_every_confidence_reaches(needed: list[str]) -> None:
    assert parse_options([*needed, "--always"]) == parse_options([*needed, "--threshold", "0.5"])
    message = refused([*needed, "--always", "--threshold", "0.9"])
    assert message == "--always stands for --threshold 0.5; give one of the two"


@pytest.mark.parametrize("size", ["63", "2049", "big"])
def test_annotated_copies_are_neither_tiny_nor_huge(size: str, needed: list[str]) -> None:
    assert "is not a whole number from 64 to 2048" in refused([*needed, "--annotate-size", size])


def test_every_option_is_read(needed: list[str], out: Path, tmp_path: Path) -> None:
    line = "--model m.onnx --runtime onnx --detector none --recursive --threshold 0 --workers 3"
    line += " --all-faces --hidden"
    rest = ["--resume", "--csv", str(tmp_path / "c"), "--jsonl", str(tmp_path / "j"), "--quiet"]
    rest += ["--annotate", str(tmp_path), "--report", str(tmp_path / "r.html")]
    rest += ["--max-pixels", "1000", "--max-bytes", "2000"]
    rest += ["--rows", "faces", "--csv-bom", "--annotate-size", "1000"]
    options = parse_options([*needed, *line.split(), *rest])
    assert options.settings == Settings(
        "m.onnx", "onnx", "none", 0.0, all_faces=True, max_pixels=1000, max_bytes=2000
    )
    assert options.output_settings == OutputSettings(options.input, "faces", True, 1000)
    assert Limits.from_settings(options.settings) == Limits(2000, 1000)
    assert (options.recursive, options.hidden, options.workers) == (True, True, 3)
    assert (options.resume, options.quiet) == (True, True)
    assert {target.option: target.path for target in options.outputs} == {
        "-o": out,
        "--csv": tmp_path / "c",
        "--jsonl": tmp_path / "j",
        "--annotate": tmp_path,
        "--report": tmp_path / "r.html",
    }


def test_a_report_is_not_where_its_thumbnails_would_be_classified(
    needed: list[str], folder: Path, tmp_path: Path
) -> None:
    assert "would be classified" in refused([*needed, "--report", str(folder / "r.html")])
    below = folder / "out" / "deep"
    below.mkdir(parents=True)
    page = ["--report", str(below / "r.html")]
    assert "would be classified" in refused([*needed, *page])
    parse_options(["-i", str(folder), "-o", str(folder / "out"), *page])
    assert "would be classified" in refused(["-i", str(folder), "-o", str(folder), *page])
    assert "would be classified" in refused(["-i", str(folder), "-o", str(tmp_path), *page])


def test_long_options_of_the_folders(folder: Path, out: Path) -> None:
    options = parse_options(["--input", str(folder), "--output", str(out)])
    assert (options.input, options.outputs[0].path) == (folder, out)


def help_text(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        parse_options(["--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_help_has_three_groups(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_text(capsys).split("examples:")[0]
    groups = re.split(r"^(\w+) options:$", text, flags=re.MULTILINE)
    named = {
        name: set(re.findall(r"^  (?:-\w.*, )?(--[a-z-]+)", group, flags=re.MULTILINE))
        for name, group in zip(groups[1::2], groups[2::2], strict=True)
    }
    everyday = "input output recursive resume watch threshold always corrections quiet"
    everyday += " verbose help version"
    output = "csv jsonl parquet annotate xmp sort-into report rows csv-bom annotate-size"
    output += " json summary progress"
    expert = "model runtime detector min-face all-faces hidden list null shard workers max-pixels"
    expert += " max-bytes profile debug"
    assert named == {
        "everyday": {f"--{name}" for name in everyday.split()},
        "output": {f"--{name}" for name in output.split()},
        "expert": {f"--{name}" for name in expert.split()},
    }


def test_help_shows_the_default_of_every_option_with_a_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = re.split(r"\n  (?=-)", help_text(capsys).split("examples:")[0])
    with_default = {option.split()[0] for option in options if "(default:" in option}
    wanted = "threshold model runtime detector min-face shard workers max-pixels max-bytes"
    wanted += " rows annotate-size summary progress"
    assert with_default == {f"--{name}" for name in wanted.split()}


def test_help_explains_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    codes = help_text(capsys).split("exit codes:")[1]
    for code in (0, 1, 2, 3, 4, 129, 130, 141, 143):
        assert re.search(rf"\b{code} ", codes)


def test_the_examples_of_the_help_are_valid(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "results").mkdir()
    examples = re.findall(r"^    image-gender-classifier (.*)$", help_text(capsys), flags=re.M)
    files, printed = examples[:2], examples[2:]
    assert len(printed) == 2
    for example in files:
        assert parse_options(example.split()).input == Path("photos")
    assert parse_options(printed[0].split()).paths == ("alice.jpg",)
    assert parse_options(printed[1].partition(" <")[0].split()).paths == ("-",)


def test_debug_includes_verbose_and_excludes_quiet(needed: list[str]) -> None:
    options = parse_options([*needed, "--debug"])
    assert options.debug and options.verbose
    assert not parse_options([*needed, "--verbose"]).debug
    for option in ("--verbose", "--debug"):
        assert "--quiet" in refused([*needed, "--quiet", option])


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--threshold", "1.1"], "'1.1' is not valid; give a number from 0 to 1"),
        (["--threshold=-0.1"], "'-0.1' is not valid; give a number from 0 to 1"),
        (["--threshold", "nan"], "'nan' is not valid; give a number from 0 to 1"),
        (["--threshold", "high"], "'high' is not valid; give a number from 0 to 1"),
        (["--input", ""], "the folder name is empty"),
        (["--workers", "0"], "'0' is not valid; give a whole number of at least 1"),
        (["--workers=-1"], "'-1' is not valid; give a whole number of at least 1"),
        (["--workers", "1.5"], "'1.5' is not valid; give a whole number of at least 1"),
        (["--workers", "many"], "'many' is not valid; give a whole number of at least 1"),
        (["--max-pixels", "0"], "'0' is not valid; give a whole number of at least 1"),
        (["--max-pixels", "1073741825"], "'1073741825' is not valid; give at most 1073741824"),
        (["--max-bytes", str(2**63)], f"'{2**63}' is not valid; give at most {2**40}"),
        (["--max-bytes", "1M"], "'1M' is not valid; give a whole number of at least 1"),
        (["--runtime", "torch"], "--runtime"),
        (["--detector", "dnn"], "--detector"),
        (["--nonsense"], "--nonsense"),
        (["--thresh", "0.5"], "--thresh"),
        (["picture.jpg"], "picture.jpg"),
        (["--csv"], "--csv"),
    ],
)
def test_invalid_values_are_rejected(extra: list[str], said: str, needed: list[str]) -> None:
    assert said in refused([*needed, *extra])


def test_both_folders_are_required(folder: Path, out: Path) -> None:
    assert "-o" in refused(["-i", str(folder)])
    assert "-i" in refused(["-o", str(out)])
    assert "-i" in refused([])


@pytest.mark.parametrize("option", ["-i", "-o"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing", "does not exist"),
        ("missing/below", "does not exist"),
        ("file", "not a folder"),
        ("file/below", "does not exist"),
        ("n" * 300, "cannot be used (File name too long)"),
        ("a\0b", "does not exist"),
    ],
)
def test_a_folder_option_requires_a_folder(
    option: str, name: str, said: str, folder: Path, out: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    folders = {"-i": str(folder), "-o": str(out)} | {option: str(tmp_path / name)}
    message = refused([word for pair in folders.items() for word in pair])
    assert message.startswith(f"{option} ") and said in message


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is permitted to root")
@pytest.mark.parametrize(("option", "mode"), [("-i", 0o300), ("-i", 0o600), ("-o", 0o500)])
def test_a_folder_must_have_permissions(option: str, mode: int, folder: Path, out: Path) -> None:
    which = folder if option == "-i" else out
    which.chmod(mode)
    try:
        said = refused(["-i", str(folder), "-o", str(out)])
        assert "permission denied; the folder must be" in said
    finally:
        which.chmod(0o700)


def test_an_output_on_a_read_only_disk_has_no_wrong_permissions(
    folder: Path, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    message = refused(["-i", str(folder), "-o", str(small_disk)])
    assert "read-only file system" in message and "chmod" not in message


@pytest.mark.parametrize("option", ["--csv", "--jsonl"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/t", "does not exist"),
        ("", "not a regular file"),
        ("pipe", "not a regular file"),
        ("n" * 300 + "/t", "cannot be used (File name too long)"),
        ("n" * 300, "cannot be used (File name too long)"),
    ],
)
def test_a_table_must_be_a_writable_file(
    option: str, name: str, said: str, needed: list[str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    message = refused([*needed, option, str(tmp_path / name)])
    assert message.startswith(f"{option} ") and said in message


def test_a_device_is_not_replaced_by_a_table(needed: list[str]) -> None:
    assert "not a regular file" in refused([*needed, "--csv", os.devnull])


def test_two_tables_need_two_files(needed: list[str], tmp_path: Path) -> None:
    table, other_way = tmp_path / "t", tmp_path / "out" / ".." / "t"
    assert "--jsonl" in refused([*needed, "--csv", str(table), "--jsonl", str(other_way)])


def test_a_table_that_is_a_symbolic_link_is_rejected(
    folder: Path, out: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "real.csv")
    for path, message in ((link, "a symbolic link"), (Path("a/-"), "standard output")):
        with pytest.raises(UsageError, match=message):
            parse_options(["-i", str(folder), "-o", str(out), "--csv", str(path)])


@pytest.mark.parametrize(("machine", "usual"), [(1, 1), (200, 64)])
def test_default_number_of_workers(
    monkeypatch: pytest.MonkeyPatch, machine: int, usual: int, tmp_path: Path
) -> None:
    monkeypatch.setattr(cores, "count_cores", lambda: machine)
    assert parse_options(["-i", str(tmp_path), "-o", str(tmp_path)]).workers == usual
