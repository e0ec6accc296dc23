"""`image-gender-convert-detector`: a trained face finder in, its int8 TFLite and ONNX forms out.

Nothing is published before all of them have been compared on the same scenes.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from image_gender_classifier.convert.formats import add_formats_option
from image_gender_classifier.train.common.command import Parser, exit_code, say
from image_gender_classifier.train.common.data_options import add_data_options

PROGRAM = "image-gender-convert-detector"
REFUSED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Converts a face finder.

    Args:
        argv: Arguments without the program's name; the process's own by default.

    Returns:
        0 when at least one format is published, 1 when none of them is right (nothing is
        published), 2 after saying what else is wrong, 3 when the output cannot be written, 130
        when interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    faults: list[str] = []
    code = exit_code(PROGRAM, lambda: faults.extend(_convert(arguments)))
    if faults:
        say(f"{PROGRAM}: nothing is published: {'; '.join(faults)}", sys.stderr)
        return REFUSED
    return code


def _convert(arguments: Sequence[str]) -> list[str]:
    options = _parser().parse_args(arguments)
    # Imported late: TensorFlow takes seconds, and wrong usage should be told at once.
    from image_gender_classifier.convert.detector import export

    return export(options, shlex.join([PROGRAM, *arguments]))


def _parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Exports a trained face finder to int8 TFLite and ONNX, and to TFLite with the "
        "same integers in float32 arithmetic for tflite-runtime; compares all of them on scenes "
        "made as for training, and publishes them with their manifest.",
    )
    add_data_options(parser)
    add = parser.add_argument
    add(
        "--backgrounds", type=Path, required=True, metavar="DIR",
        help="folder of pictures without people",
    )  # fmt: skip
    add("--model", type=Path, required=True, metavar="FILE", help="the trained .keras model")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to publish into")
    add_formats_option(parser)
    return parser
