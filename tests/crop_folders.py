"""The options for drawn faces: crops in the folders `female` and `male`."""

from __future__ import annotations

FOLDERS = ("--layout", "folders", "--detector", "none")
