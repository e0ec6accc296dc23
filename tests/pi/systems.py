"""The systems that the tool must work on, and what is installed on each."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Emulation:
    """A processor that QEMU emulates.

    Attributes:
        program: The program that does.
        processor: Its name of the processor.
    """

    program: str
    processor: str


@dataclass(frozen=True, slots=True)
class Debian:
    """A Debian release; Raspberry Pi OS is made of the same packages.

    Attributes:
        release: Its name.
        architecture: Debian's name of the processor's kind.
        emulation: What emulates the processor; None where it is this machine's own.
    """

    release: str
    architecture: str
    emulation: Emulation | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """One way to install the tool.

    Attributes:
        steps: Names of blocks in docs/raspberry-pi.md, run one after the other.
        runtimes: The runtimes that are there afterwards, by the command's name for them.
    """

    steps: tuple[str, ...]
    runtimes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class System:
    """A system.

    Attributes:
        name: What it is called here.
        python: Version of Python, as `3.11`.
        machine: Python's name of the processor's kind.
        glibc: Minor version of the C library, which decides what wheels fit.
        installations: Each is made and tried.
        debian: What Debian it is; None: a Python that uv finds or fetches, on this machine.
    """

    name: str
    python: str
    machine: str
    glibc: int
    installations: tuple[Installation, ...]
    debian: Debian | None = None


# Numpy 2 with the newest runtimes, NumPy 1 with LiteRT's predecessor, and what Debian has.
_STANDARD = Installation(("standard", "onnx"), ("tflite", "onnx"))
_LITERT = Installation(("standard",), ("tflite",))
_NUMPY_1 = Installation(("tflite-runtime",), ("tflite",))
_32_BIT = Installation(("32-bit",), ("tflite",))
BUNDLE = "bundle"
_BUNDLE = Installation((BUNDLE,), ("tflite",))
# Blocks that only add the runtime that they are named after.
ADDED_RUNTIMES = ("onnx",)

# The oldest processor of each kind leaves out what newer ones add; the newest has the dot
# products that the runtimes have code of their own for.
_PI_2 = Emulation("qemu-arm", "cortex-a7")
_PI_3 = Emulation("qemu-aarch64", "cortex-a53")
_PI_5 = Emulation("qemu-aarch64", "cortex-a76")
# A PC of 2008: no AVX, as NumPy's wheels want no more.
OLD_PC = Emulation("qemu-x86_64", "Nehalem")
# A PC of 2013 to 2019: AVX2 without VNNI, where products of uint8 and int8 may saturate.
_USUAL_PC = Emulation("qemu-x86_64", "Haswell")
_OLDEST_GLIBC = 28  # for Pythons of any origin; the newest wheels want no newer one

SYSTEMS = (
    System(
        "bookworm-arm64", "3.11", "aarch64", 36, (_STANDARD, _NUMPY_1, _BUNDLE),
        Debian("bookworm", "arm64", _PI_3),
    ),
    System("trixie-arm64", "3.13", "aarch64", 41, (_STANDARD,), Debian("trixie", "arm64", _PI_5)),
    System("bookworm-armhf", "3.11", "armv7l", 36, (_32_BIT,), Debian("bookworm", "armhf", _PI_2)),
    System(
        "bookworm-amd64", "3.11", "x86_64", 36, (_STANDARD, _NUMPY_1), Debian("bookworm", "amd64")
    ),
    System(
        "bookworm-amd64-old", "3.11", "x86_64", 36, (_LITERT,),
        Debian("bookworm", "amd64", OLD_PC),
    ),
    System(
        "bookworm-amd64-avx2", "3.11", "x86_64", 36, (_STANDARD,),
        Debian("bookworm", "amd64", _USUAL_PC),
    ),
    System("trixie-amd64", "3.13", "x86_64", 41, (_STANDARD,), Debian("trixie", "amd64")),
    System("python3.10", "3.10", "x86_64", _OLDEST_GLIBC, (_STANDARD, _NUMPY_1)),
    System("python3.11", "3.11", "x86_64", _OLDEST_GLIBC, (_STANDARD,)),
    System("python3.12", "3.12", "x86_64", _OLDEST_GLIBC, (_STANDARD,)),
    System("python3.13", "3.13", "x86_64", _OLDEST_GLIBC, (_STANDARD,)),
)  # fmt: skip


def this_machine() -> System:
    """The system that the others are compared with."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    glibc = int(platform.libc_ver()[1].split(".")[1])
    return System("this machine", python, platform.machine(), glibc, (_STANDARD,))
