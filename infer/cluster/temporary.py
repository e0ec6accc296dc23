"""The temporary folders of the actors."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from image_gender_classifier.system.locking import try_lock

_PREFIX = "image-gender-ray-"


def make_folder() -> Path:
    """Creates a temporary folder, and removes those that killed processes left."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if try_lock(file) == "acquired":
                    shutil.rmtree(path)
            finally:
                os.close(file)
    folder = tempfile.mkdtemp(prefix=_PREFIX)
    try_lock(os.open(folder, os.O_RDONLY))  # held until the process ends
    return Path(folder)
