"""Recognises system junk files and partial downloads by name: thumbnails, metadata, trash.

Operating systems, network storage and browsers create such files and folders next to the user's
pictures. The command and the data set readers skip them.
"""

from __future__ import annotations

# In lower case.
_FILES = frozenset(("thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"))
_FILE_STARTS = (
    "._",  # macOS: metadata of a file (AppleDouble)
    ".igc-",  # this package: partial output files
)
_FILE_ENDS = (  # unfinished downloads and copies
    *(".crdownload", ".download", ".filepart", ".opdownload", ".part", ".partial", ".tmp"),
)
_FOLDERS = frozenset(
    (
        *("__macosx", ".appledouble", ".trashes", ".fseventsd", ".spotlight-v100"),  # macOS
        *("$recycle.bin", "system volume information"),  # Windows
        *(".trash", ".thumbnails"),  # Linux
        *("@eadir", "#recycle", "#snapshot"),  # Synology
        *(".@__thumb", "@recycle", "@recently-snapshot"),  # QNAP
    )
)
_FOLDER_STARTS = (".trash-",)  # Linux, followed by the user ID


def is_clutter_file(name: str) -> bool:
    """Returns whether a file name is that of a system junk file or a partial download."""
    name = name.lower()
    return name.endswith(_FILE_ENDS) or name.startswith(_FILE_STARTS) or name in _FILES


def is_clutter_folder(name: str) -> bool:
    """Returns whether a folder name is that of a folder of thumbnails, metadata or trash."""
    name = name.lower()
    return name in _FOLDERS or name.startswith(_FOLDER_STARTS)
