"""Formats an evaluation report as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from image_gender_classifier.train.evaluation.evaluation_input import TRAINED_ON
from image_gender_classifier.train.evaluation.evaluation_report import (
    find_lowest,
    format_difference,
    format_interval,
    format_percent,
    format_proportion,
    format_rate,
    sort_labels,
)
from image_gender_classifier.train.evaluation.findings import (
    Difference,
    Findings,
    accuracy_under_and_over_ten,
    compute_confusion,
    compute_difference,
)
from image_gender_classifier.train.evaluation.metrics import (
    BINS,
    GENDERS,
    RACE_AND_GENDER,
    Proportion,
)

_SHA_DIGITS = 12


def format_page(findings: Findings) -> str:
    """Formats the findings as Markdown that embeds the PNG files of `figures.draw_all_figures`.

    Args:
        findings: The contents of the report, with at least one prediction.
    """
    parts = (_head, _accuracy, _groups, _confidence, _confusion, _robustness)
    return "\n\n".join("\n".join(part(findings)) for part in parts) + "\n"


def _head(findings: Findings) -> Iterator[str]:
    setting, scores = findings.setting, findings.scores
    predicted = f"{scores.n:,}; predicted {scores.predicted:,}"
    yield "# Evaluation report"
    yield ""
    yield "Written by `image-gender-report`. Percentages, with 95 % Wilson intervals in brackets."
    yield "Accuracy is agreement with the labelled perceived gender."
    if findings.trained_on:
        yield ""
        yield f"**The data {TRAINED_ON}.**"
    yield ""
    yield from _table_lines(
        ("", ""),
        ("model", f"`{setting.model}`"),
        ("sha256", f"`{setting.sha256[:_SHA_DIGITS]}`"),
        ("threshold", f"{setting.threshold:g}"),
        ("data", f"`{setting.data}` ({setting.layout}, {setting.split})"),
        ("detector", setting.detector),
        (
            "pictures",
            f"{predicted}; unreadable {scores.unreadable:,}; no face {_no_face(findings)}",
        ),
    )


def _no_face(findings: Findings) -> str:
    scores = findings.scores
    return f"{scores.n - scores.predicted - scores.unreadable:,}"


def _accuracy(findings: Findings) -> Iterator[str]:
    scores = findings.scores
    rates = {gender: rate for gender, rate in scores.tpr.items() if rate.n}
    cells = {"all predicted": scores.accuracy}
    if scores.predicted < scores.n:
        cells["all (no prediction is wrong)"] = scores.accuracy_all
    cells |= {f"labelled {gender}": rate for gender, rate in rates.items()}
    cells |= accuracy_under_and_over_ten(findings.predictions)
    races = scores.groups.get(RACE_AND_GENDER, {})
    if races:
        label = find_lowest(races)
        cells[f"lowest {RACE_AND_GENDER} cell: {label}"] = races[label]
    yield "## Accuracy"
    yield ""
    yield from _accuracy_table("", cells)
    gap = compute_difference(scores.tpr["female"], scores.tpr["male"])
    if gap is not None:
        yield ""
        yield f"Female minus male: {_format_points(gap)} percentage points."


def _groups(findings: Findings) -> Iterator[str]:
    yield "![Accuracy of each group](groups.png)"
    for kind, cells in findings.scores.groups.items():
        yield ""
        yield from _accuracy_table(
            kind, {label: cells[label] for label in sort_labels(kind, cells)}
        )


def _confidence(findings: Findings) -> Iterator[str]:
    scores = findings.scores
    yield "## Confidence"
    yield ""
    yield from _table_lines(
        (f"threshold {findings.setting.threshold:g}", ""),
        ("classified", _format_with_interval(scores.classified)),
        ("accuracy of these", _format_with_interval(scores.classified_accuracy)),
        (f"expected calibration error ({BINS} bins from 50 to 100 %)", f"{scores.ece:.4f}"),
    )
    yield ""
    yield "![Reliability diagram](reliability.png)"
    yield ""
    yield "![Accuracy by fraction classified](coverage.png)"


def _confusion(findings: Findings) -> Iterator[str]:
    yield "## Confusion matrix"
    for threshold in (0.0, findings.setting.threshold):
        table = compute_confusion(findings.predictions, threshold)
        title = f"threshold {threshold:g}" if threshold else "any confidence"
        yield ""
        yield from _table_lines(
            (f"labelled ({title})", *(f"predicted {word}" for word in table["female"])),
            *((gender, *(f"{count:,}" for count in row.values())) for gender, row in table.items()),
        )
    yield ""
    yield "![Confusion matrices](confusion.png)"


def _robustness(findings: Findings) -> Iterator[str]:
    clean = findings.scores
    yield "## Robustness"
    yield ""
    yield "Each face is degraded before it is resized to the network's input. Differences are"
    yield "computed before rounding. The columns female and male are true positive rates. Hidden"
    yield "hair: everything outside an ellipse around the face is blurred or gets the mean colour."
    yield ""
    rows = [("original", clean, "")]
    for name, scores in findings.degraded.items():
        rows.append((name, scores, format_difference(scores.accuracy, clean.accuracy)))
    yield from _table_lines(
        ("face", "accuracy", "difference", *GENDERS, "classified", "accuracy of these"),
        *(
            (
                name,
                _format_with_interval(scores.accuracy),
                change,
                *(format_proportion(scores.tpr[gender]) for gender in GENDERS),
                format_proportion(scores.classified),
                format_proportion(scores.classified_accuracy),
            )
            for name, scores, change in rows
        ),
    )
    yield ""
    yield "![Accuracy on degraded pictures](robustness.png)"


def _accuracy_table(kind: str, cells: Mapping[str, Proportion]) -> Iterator[str]:
    rows = ((label, f"{cell.n:,}", _format_with_interval(cell)) for label, cell in cells.items())
    return _table_lines((kind, "pictures", "accuracy"), *rows)


def _table_lines(header: tuple[str, ...], *rows: tuple[str, ...]) -> Iterator[str]:
    """Yields the lines of a Markdown table; the first column is aligned left, others right."""
    for row in (header, ("---", *["---:"] * (len(header) - 1)), *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _format_with_interval(proportion: Proportion) -> str:
    text = format_rate(proportion)
    return text if proportion.value is None else f"{text} ({format_interval(proportion)})"


def _format_points(gap: Difference) -> str:
    value, low, high = (
        f"{'+' if number > 0 else ''}{format_percent(number)}"
        for number in (gap.value, gap.low, gap.high)
    )
    return f"{value} ({low} to {high})"
