"""The fixed files of the page: HTML, style sheet and scripts."""

from __future__ import annotations

from html import escape
from importlib.resources import files

STYLE = "review.css"
SCRIPTS = (
    *("model.js", "storage.js", "pictures.js", "filters.js"),
    *("grid.js", "viewer.js", "summary.js", "main.js"),
)

# `file:` beside 'self': browsers differ in what 'self' means for a page that is a file.
FILE_POLICY = (
    "default-src 'none'; script-src 'self' file:; style-src 'self' file:; "
    "img-src 'self' file: data:; base-uri 'none'; form-action 'none'"
)
SERVER_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)


def read_asset(name: str) -> bytes:
    """Returns the content of a fixed file of the page."""
    return (files(__package__) / name).read_bytes()


def make_html(folder: str, policy: str) -> bytes:
    """Returns the HTML of the page.

    Args:
        folder: URL of the folder of its other files.
        policy: The content security policy.
    """
    html = read_asset("review.html").decode()
    # Not str.format: the file has no other braces today, but may get some.
    return html.replace("{csp}", escape(policy)).replace("{files}", escape(folder)).encode()
