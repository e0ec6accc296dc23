"""The argument parser of all commands."""

from __future__ import annotations

import argparse
from typing import NoReturn

from image_gender_classifier.errors import UsageError


class ArgumentParser(argparse.ArgumentParser):
    """A parser that raises `UsageError` for invalid arguments, instead of exiting."""

    def error(self, message: str) -> NoReturn:
        """Raises `UsageError` with the message and what to read."""
        raise UsageError(f"{message} (see {self.prog} --help)")
