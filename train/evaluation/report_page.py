"""The Markdown page of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from image_gender_classifier.train.evaluation.evaluation_report import (
    difference_text,
    in_order,
    interval_text,
    lowest,
    percent,
    share_text,
)
from image_gender_classifier.train.evaluation.findings import (
    Difference,
    Findings,
    by_ten_years,
    confusion,
    difference,
)
from image_gender_classifier.train.evaluation.measuring import TRAINED_ON
from image_gender_classifier.train.evaluation.metrics import BINS, RACE_AND_GENDER, Proportion

_SHA_DIGITS = 12


def page(findings: Findings) -> str:
    """Formats the page; it embeds the plots of `figures.all_figures` from its folder."""
    parts = (_head, _accuracy, _groups, _confidence, _confusion, _robustness)
    return "\n\n".join("\n".join(part(findings)) for part in parts) + "\n"


def _head(findings: Findings) -> Iterator[str]:
    setting, scores = findings.setting, findings.scores
    predicted = f"{scores.n:,}; predicted {scores.predicted:,}"
    yield "# Evaluation report"
    yield ""
    yield "Made by `image-gender-report`. Shares in per cent, 95 % Wilson intervals in brackets."
    yield "Accuracy is agreement with the labelled perceived gender."
    if findings.trained_on:
        yield ""
        yield f"**The data {TRAINED_ON}.**"
    yield ""
    yield from _table(
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
    cells |= by_ten_years(findings.answers)
    races = scores.groups.get(RACE_AND_GENDER, {})
    if races:
        label = lowest(races)
        cells[f"lowest {RACE_AND_GENDER} cell: {label}"] = races[label]
    yield "## Accuracy"
    yield ""
    yield from _shares("", cells)
    gap = difference(scores.tpr["female"], scores.tpr["male"])
    if gap is not None:
        yield ""
        yield f"Female less male: {_points(gap)} percentage points."


def _groups(findings: Findings) -> Iterator[str]:
    yield "![Accuracy of each group](groups.png)"
    for kind, cells in findings.scores.groups.items():
        yield ""
        yield from _shares(kind, {label: cells[label] for label in in_order(kind, cells)})


def _confidence(findings: Findings) -> Iterator[str]:
    scores = findings.scores
    yield "## Confidence"
    yield ""
    yield from _table(
        (f"threshold {findings.setting.threshold:g}", ""),
        ("classified", _with_interval(scores.classified)),
        ("accuracy of these", _with_interval(scores.classified_accuracy)),
        (f"expected calibration error ({BINS} bins from 50 to 100 %)", f"{scores.ece:.4f}"),
    )
    yield ""
    yield "![Reliability diagram](reliability.png)"
    yield ""
    yield "![Accuracy by share classified](coverage.png)"


def _confusion(findings: Findings) -> Iterator[str]:
    yield "## Confusion matrix"
    for threshold in (0.0, findings.setting.threshold):
        table = confusion(findings.answers, threshold)
        which = f"threshold {threshold:g}" if threshold else "any confidence"
        yield ""
        yield from _table(
            (f"labelled ({which})", *(f"predicted {word}" for word in table["female"])),
            *((gender, *(f"{count:,}" for count in row.values())) for gender, row in table.items()),
        )
    yield ""
    yield "![Confusion matrices](confusion.png)"


def _robustness(findings: Findings) -> Iterator[str]:
    clean = findings.scores
    yield "## Robustness"
    yield ""
    yield "Each face is degraded before it is resized to the network's input. Differences are"
    yield "computed before rounding."
    yield ""
    rows = [("original", clean, "")]
    for name, scores in findings.degraded.items():
        rows.append((name, scores, difference_text(scores.accuracy, clean.accuracy)))
    yield from _table(
        ("face", "accuracy", "difference", "classified", "accuracy of these"),
        *(
            (
                name,
                _with_interval(scores.accuracy),
                change,
                share_text(scores.classified),
                share_text(scores.classified_accuracy),
            )
            for name, scores, change in rows
        ),
    )
    yield ""
    yield "![Accuracy on degraded pictures](robustness.png)"


def _shares(kind: str, cells: Mapping[str, Proportion]) -> Iterator[str]:
    rows = ((label, f"{cell.n:,}", _with_interval(cell)) for label, cell in cells.items())
    return _table((kind, "pictures", "accuracy"), *rows)


def _table(header: tuple[str, ...], *rows: tuple[str, ...]) -> Iterator[str]:
    """Formats a table; the first column is text, the others are numbers."""
    for row in (header, ("---", *["---:"] * (len(header) - 1)), *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _with_interval(share: Proportion) -> str:
    text = share_text(share)
    return text if share.value is None else f"{text} ({interval_text(share)})"


def _points(gap: Difference) -> str:
    value, low, high = (
        f"{'+' if number > 0 else ''}{percent(number)}" for number in (gap.value, gap.low, gap.high)
    )
    return f"{value} ({low} to {high})"
