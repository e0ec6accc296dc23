"""The registry of runtimes: one entry for each value of `--runtime` except `auto`.

To add a runtime, write a module in this folder with a function `open_model(data: bytes) -> Runtime`
and add its entry to `RUNTIMES`. `--runtime`, its help, the search for model files and the error
messages follow from the entry. CONTRIBUTING.md has the remaining steps. This module imports no
runtime and no NumPy.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

AUTO = "auto"
"""Value of `--runtime` for the first available runtime."""


class RuntimeEntry(NamedTuple):
    """A runtime that `--runtime` offers.

    Attributes:
        name: Value of `--runtime`.
        title: Product name for messages and help.
        format: Format of its model files, which is also their suffix without the dot.
        module: Name of the module with `open_model`. Importing the module must not open a device.
        install: Shell command that installs the library.
        fork_safe: Whether a model opened before a fork works in the child process. If not, each
            process opens the model at its first picture.
        single_rounding: Whether the int8 kernels round each sum once when they requantise it; None
            if this depends on the installed library, and the module defines `SINGLE_ROUNDING`. A
            runtime that rounds twice runs the float32 variant of a model.
        automatic: Whether `--runtime auto` tries it. Requires shipped models in its format.
        distributions: Packages with the library, in the order in which the module tries them;
            `--version` shows the first that is installed.
    """

    name: str
    title: str
    format: str
    module: str
    install: str
    fork_safe: bool
    single_rounding: bool | None
    automatic: bool = False
    distributions: tuple[str, ...] = ()


# In the order in which `auto` tries them. LiteRT starts faster and needs less memory
# (docs/performance.md).
RUNTIMES: dict[str, RuntimeEntry] = {
    entry.name: entry
    for entry in (
        RuntimeEntry(
            name="tflite",
            title="LiteRT or tflite-runtime",
            format="tflite",
            module="image_gender_classifier.runtimes.tflite",
            distributions=("ai-edge-litert", "tflite-runtime"),
            install="pip install ai-edge-litert",
            fork_safe=True,
            single_rounding=None,  # LiteRT rounds once, tflite-runtime twice
            automatic=True,
        ),
        RuntimeEntry(
            name="onnx",
            title="ONNX Runtime",
            format="onnx",
            module="image_gender_classifier.runtimes.onnx",
            distributions=("onnxruntime",),
            install="pip install onnxruntime",
            fork_safe=True,
            single_rounding=True,
            automatic=True,
        ),
    )
}


def runtime_names() -> tuple[str, ...]:
    """Returns the names of all runtimes, in order of preference."""
    return tuple(RUNTIMES)


def describe_installed() -> str:
    """Returns the package and version of the first installed runtime of `--runtime auto`.

    Returns `no runtime is installed` if there is none. Imports no runtime.
    """
    from importlib import metadata  # late: only `--version` needs it

    for entry in automatic_runtimes():
        for distribution in entry.distributions:
            with suppress(metadata.PackageNotFoundError):
                return f"{distribution} {metadata.version(distribution)}"
    return "no runtime is installed"


def runtime_choices() -> tuple[str, ...]:
    """Returns the values of `--runtime`."""
    return (AUTO, *RUNTIMES)


def describe_runtimes() -> str:
    """Returns the names and titles of all runtimes in one line, for `--help`."""
    return ", ".join(f"{entry.name} ({entry.title})" for entry in RUNTIMES.values())


def automatic_runtimes() -> list[RuntimeEntry]:
    """Returns the runtimes that `auto` tries, in order of preference."""
    return [entry for entry in RUNTIMES.values() if entry.automatic]


def model_formats() -> list[str]:
    """Returns the model formats of all runtimes, such as `tflite`, without duplicates."""
    return list(dict.fromkeys(entry.format for entry in RUNTIMES.values()))


def runtimes_for_format(model_format: str) -> list[RuntimeEntry]:
    """Returns the runtimes that run a model format, in order of preference; empty if unknown."""
    return [entry for entry in RUNTIMES.values() if entry.format == model_format]
