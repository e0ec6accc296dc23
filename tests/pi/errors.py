"""Why a test on emulated systems ends."""

from __future__ import annotations


class CannotRun(Exception):
    """This machine cannot run the test at all: it is skipped, not failed."""


class Failed(Exception):
    """A system does not do what it must."""
