"""The installations that `make pi-test` tries."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from bundle.systems import BOARDS, System

BUNDLE = "bundle"  # the block of steps that installs from a bundle


@dataclass(frozen=True, slots=True)
class Installation:
    """One way to install the package on one emulated processor.

    Attributes:
        name: Its name in reports and for `--system`.
        system: The system.
        processor: QEMU's name of the processor.
        steps: Names of blocks in docs/raspberry-pi.md, run in order.
        runtimes: The runtimes it then has, by the command's names.
    """

    name: str
    system: System
    processor: str
    steps: tuple[str, ...]
    runtimes: tuple[str, ...] = ("tflite",)


_BOOKWORM, _TRIXIE, _BOOKWORM_32 = BOARDS
_PC = System("bookworm", "amd64", "3.11", "x86_64", 36)
_BOTH = (("standard", "onnx"), ("tflite", "onnx"))

# Processors: Cortex-A53 is in the Raspberry Pi 3 and Zero 2 W, A76 (with dot products) in the Pi 5,
# A7 in the Pi 2. Nehalem has SSE4.2 and no AVX, Haswell AVX2 and no VNNI.
INSTALLATIONS = (
    Installation("bookworm-arm64", _BOOKWORM, "cortex-a53", *_BOTH),
    Installation("bookworm-arm64-tflite-runtime", _BOOKWORM, "cortex-a53", ("tflite-runtime",)),
    Installation("bookworm-arm64-bundle", _BOOKWORM, "cortex-a53", (BUNDLE,)),
    Installation("trixie-arm64", _TRIXIE, "cortex-a76", *_BOTH),
    Installation("bookworm-armhf", _BOOKWORM_32, "cortex-a7", ("32-bit",)),
    Installation("bookworm-amd64-sse4.2", _PC, "Nehalem", ("standard",)),
    Installation("bookworm-amd64-avx2", _PC, "Haswell", *_BOTH),
)
# `--small`: ONNX Runtime is left to x86-64 without VNNI, where its sums could saturate.
SMALL = (
    Installation("bookworm-arm64", _BOOKWORM, "cortex-a53", ("standard",)),
    Installation("bookworm-amd64-avx2", _PC, "Haswell", *_BOTH),
)


def this_system() -> System:
    """This machine, as far as it decides which wheels fit."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    glibc = int(platform.libc_ver()[1].split(".")[1])
    return System("this", "machine", python, platform.machine(), glibc)
