from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, features

from image_gender_classifier.system.memory import is_memory_available

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits allocations")

ALLOCATE = """
import resource, sys
from image_gender_classifier.system.memory import limit_growth
limit_growth({growth})
try:
    bytearray({size})
except MemoryError:
    sys.exit(3)
"""
DECODE = """
import sys
from pathlib import Path
from PIL import AvifImagePlugin
from image_gender_classifier.errors import UnreadablePicture
from image_gender_classifier.imaging import decoding, pillow
from image_gender_classifier.system.memory import limit_growth
data = Path(sys.argv[1]).read_bytes()
limit_growth(2**20 * int(sys.argv[2]))
try:
    decoding.decode(data)
except UnreadablePicture as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize(("growth", "size", "code"), [(2**26, 2**27, 3), (2**28, 2**27, 0)])
def test_larger_allocations_fail(growth: int, size: int, code: int) -> None:
    program = ALLOCATE.format(growth=growth, size=size)
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == code


def test_a_lower_limit_of_the_system_is_kept() -> None:
    program = (
        "import resource; from image_gender_classifier.system.memory import limit_growth\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**32)); limit_growth(2**40)\n"
        "assert resource.getrlimit(resource.RLIMIT_DATA) == (2**31, 2**32)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_memory_within_the_limit_is_available() -> None:
    program = (
        "from image_gender_classifier.system.memory import is_memory_available, limit_growth\n"
        "limit_growth(2**28); assert is_memory_available(2**27) and not is_memory_available(2**29)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_more_than_the_address_space_is_not_available() -> None:
    """On 32-bit ARM, a limit of 2^28 pixels asks for as much."""
    assert not is_memory_available(16 * sys.maxsize)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow does not read AVIF")
def test_a_picture_larger_than_it_states_is_refused(tmp_path: Path) -> None:
    """The decoder allocates the size that the compressed data states, 48 MB here."""
    file, side = io.BytesIO(), 4096
    Image.new("RGB", (side, side), "red").save(file, "AVIF", speed=10, subsampling="4:4:4")
    data = bytearray(file.getvalue())
    struct.pack_into(">II", data, data.index(b"ispe") + 8, 64, 64)
    path = tmp_path / "bomb.avif"
    path.write_bytes(data)

    def decode(megabytes: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DECODE, str(path), str(megabytes)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert decode(1000).returncode == 0
    refused = decode(30)
    assert refused.returncode == 1
    assert "AVIF" in refused.stderr or "memory" in refused.stderr
