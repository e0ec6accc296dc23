"""The Parquet table, read by pyarrow."""

from __future__ import annotations

import csv as csv_reader
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from sample_prediction import PICTURE, PREDICTION, RUN

from image_gender_classifier.errors import UsageError
from image_gender_classifier.outputs import csv, parquet
from image_gender_classifier.outputs.output import Row
from image_gender_classifier.outputs.settings import OutputSettings, Rows
from image_gender_classifier.results import Prediction

NO_FACE = Prediction("sub/\udcff<&>\n.jpg", "no_face", "unknown", run=RUN)


def read(path: Path) -> Any:
    return pytest.importorskip("pyarrow.parquet").read_table(path)


@pytest.mark.parametrize("rows", get_args(Rows))
def test_the_table_has_the_values_of_the_csv_table(rows: Rows, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    settings = OutputSettings(rows=rows)
    for module, name in ((parquet, "t.parquet"), (csv, "t.csv")):
        table = module.open_output(tmp_path / name, settings)
        for prediction in (PREDICTION, NO_FACE):
            table.write(Row(PICTURE, prediction))
        table.close()
    typed = read(tmp_path / "t.parquet").to_pylist()
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        texts = list(csv_reader.DictReader(file))
    assert [list(each) for each in typed] == [list(each) for each in texts]
    for values, written in zip(typed, texts, strict=True):
        for name, value in values.items():
            text = f"{value:.3f}" if isinstance(value, float) else value
            assert ("" if text is None else str(text)) == written[name]
    assert (typed[0]["p_female"], typed[0]["x"], typed[-1]["x"]) == (0.1, 1, None)


def test_more_rows_than_a_group(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = parquet.open_output(tmp_path / "t")
    for number in range(10_001):
        table.write(Row(PICTURE, replace(NO_FACE, file=f"{number}.jpg")))
    table.close()
    ids = read(tmp_path / "t").column("id").to_pylist()
    assert ids == [str(number) for number in range(10_001)]


def test_an_empty_table_has_its_columns(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    parquet.open_output(tmp_path / "t").close()
    assert read(tmp_path / "t").num_rows == 0


def test_the_rows_of_an_interrupted_run_are_a_table_too(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    table = parquet.open_output(tmp_path / "t")
    table.write(Row(PICTURE, PREDICTION))
    assert table.abandon() == tmp_path / "t.partial"
    assert read(tmp_path / "t.partial").num_rows == 1
    parquet.open_output(tmp_path / "t").close()
    assert list(tmp_path.iterdir()) == [tmp_path / "t"]


def test_without_pyarrow_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="pip install pyarrow"):
        parquet.open_output(tmp_path / "t")
    assert list(tmp_path.iterdir()) == []
