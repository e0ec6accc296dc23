"""Options of runs that print predictions: which pictures, and what goes with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_gender_classifier.cli.options import Options, parse_options
from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs.settings import STANDARD_OUTPUT


def streamed(options: Options) -> list[str]:
    return [target.option for target in options.outputs if target.is_streamed]


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ("a.jpg", ("a.jpg",)),
        ("a.jpg --json b --threshold 0.5 c.jpg", ("a.jpg", "b", "c.jpg")),
        ("--json a.jpg -- --json -x.jpg", ("a.jpg", "--json", "-x.jpg")),
        ("- --csv -", ("-",)),
    ],
)
def test_pictures_and_options_stand_in_any_order(arguments: str, paths: tuple[str, ...]) -> None:
    options = parse_options(arguments.split())
    assert options.paths == paths
    assert options.prints_predictions and not options.writes_files


def test_json_is_the_jsonl_table_on_standard_output(folder: Path, out: Path) -> None:
    for extra in ([], ["-o", str(out)]):
        given = ["-i", str(folder), *extra]
        assert parse_options([*given, "--json"]) == parse_options([*given, "--jsonl", "-"])
    assert streamed(parse_options(["--json", "a.jpg"])) == ["--jsonl"]


def test_a_file_called_like_standard_output_is_refused(
    folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["-i", str(folder), "-o", str(out), "--csv"]
    assert parse_options([*given, "-"]).outputs[1].path == STANDARD_OUTPUT
    with pytest.raises(UsageError, match="not supported"):
        parse_options([*given, "./-"])


def test_a_watched_folder_can_be_streamed(folder: Path, out: Path) -> None:
    options = parse_options(["-i", str(folder), "-o", str(out), "--watch", "--json"])
    assert options.watch and streamed(options) == ["--jsonl"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "give pictures, or -i and -o"),
        ("-i {folder}", "-i needs -o"),
        ("-o {folder}", "-o needs -i"),
        ("{folder} -o {folder}", "with -o, give the folder of pictures with -i"),
        ("-i {folder} a.jpg", "a.jpg: cannot be used with -i"),
        ("a.jpg --csv t.csv", "--csv needs -i and -o"),
        ("a.jpg --annotate {folder}", "--annotate needs -i and -o"),
        ("a.jpg --resume", "--resume needs -i and -o"),
        ("a.jpg --watch", "--watch needs -i and -o"),
        ("-i {folder} --json --profile", "--profile needs -o"),
        ("a.jpg --csv - --json", "--csv and --jsonl -: both would print to standard output"),
        ("a.jpg --json --jsonl t", "--json stands for --jsonl -"),
        ("a.jpg --parquet -", "--parquet needs -i and -o"),
        ("-i {folder} -o {folder} --parquet -", "standard output is not supported"),
        ("-i {folder} -o {folder} --watch --progress json", "--progress cannot be used"),
        ("- a.jpg -", "give - once"),
        ("a.jpg --nonsense b.jpg", "--nonsense"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: str, said: str, folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        parse_options(arguments.format(folder=folder).split())
    assert said in str(caught.value) and "\n" not in str(caught.value)
