"""Serves the page on 127.0.0.1 (`--port`).

Other programs and web pages on this computer must not get at the pictures or corrections: every
URL contains a random token; the header `Host` must name this server, against DNS rebinding; and
changes must come from the page itself, against forms and scripts of other sites.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from image_gender_classifier.errors import GenderClassifierError, UsageError
from image_gender_classifier.outputs.page.assets import SERVER_POLICY
from image_gender_classifier.review.corrections import CorrectionFile, lock_corrections
from image_gender_classifier.review.items import check_pictures, read_items
from image_gender_classifier.review.parser import Options
from image_gender_classifier.review.previewer import Previewer
from image_gender_classifier.review.site import TEXT, Response, Site
from image_gender_classifier.system.unexpected import report_unexpected

ADDRESS = "127.0.0.1"
_MAX_BODY = 4096  # bytes
_IDLE = 60  # seconds until an idle connection is closed
_HEADERS = (
    ("Content-Security-Policy", f"{SERVER_POLICY}; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
_FORBIDDEN = Response(
    403, TEXT, b"forbidden: open the address that image-gender-review printed when it started"
)


def serve(
    options: Options, port: int, announce: Callable[[str], None], warn: Callable[[str], None]
) -> None:
    """Serves the page until an exception, such as `KeyboardInterrupt`, ends it.

    Args:
        options: The options of the command.
        port: Port of the server; 0 for any free one.
        announce: Receives the address of the page.
        warn: Receives messages for the user.

    Raises:
        UsageError: A folder, the file of corrections or the port cannot be used, or another server
            saves to the file of corrections.
        RuntimeMissing: No worker process can be started.
    """
    items = read_items(options.output)
    check_pictures(options.input, items)
    with (
        lock_corrections(options.corrections),
        Previewer(options.input, options.workers, options.debug) as previewer,
    ):
        corrections = CorrectionFile(options.corrections, warn)
        site = Site(options.input, items, corrections, previewer.draw)
        try:
            server = ReviewServer(port, site, warn, options.debug)
        except OSError as error:
            raise UsageError(
                f"--port {port}: cannot be used ({error.strerror}); choose another"
            ) from None
        with server:
            announce(server.url)
            server.serve_forever()


class ReviewServer(ThreadingHTTPServer):
    """The server.

    Args:
        port: Its port; 0 for any free one.
        site: Answers the requests.
        warn: Receives messages for the user.
        debug: Whether to print the tracebacks of bugs.

    Attributes:
        site: See Args.
        token: The first part of every path.

    Raises:
        OSError: The port cannot be used.
    """

    daemon_threads = True

    def __init__(
        self, port: int, site: Site, warn: Callable[[str], None], debug: bool = False
    ) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.site = site
        self._warn = warn
        self._debug = debug
        self.token = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> tuple[str, str]:
        """The names of this server that a browser may use."""
        return f"{ADDRESS}:{self.server_port}", f"localhost:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Reports a bug; ignores connections that the browser has closed."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, ConnectionError | TimeoutError):
            self._warn(report_unexpected(error, self._debug))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE
    server: ReviewServer

    def do_GET(self) -> None:
        path = self._check()
        self._answer(_FORBIDDEN if path is None else self._call(lambda: self._site.get(path)))

    def do_POST(self) -> None:
        path = self._check()
        body = None if path is None or not self._is_from_page() else self._read_body()
        if path is None or body is None:
            self.close_connection = True  # the body may not have been read
            self._answer(_FORBIDDEN)
            return
        self._answer(self._call(lambda: self._site.post(path, body)))

    def version_string(self) -> str:
        return "image-gender-review"

    def log_message(self, *_: object) -> None:
        """Prints no log: URLs contain the token."""

    @property
    def _site(self) -> Site:
        return self.server.site

    def _check(self) -> str | None:
        """Returns the path below the token; None if the request is not for this server."""
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            return None
        token, slash, path = self.path.removeprefix("/").partition("/")
        known = secrets.compare_digest(token.encode("utf-8", "replace"), self.server.token.encode())
        return path.partition("?")[0] if known and slash else None

    def _is_from_page(self) -> bool:
        origins = [f"http://{host}" for host in self.server.hosts]
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        kind = self.headers.get("Content-Type", "")
        return (
            self.headers.get("Origin") in origins
            and site == "same-origin"
            and kind == "application/json"
        )

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        is_number = length.isascii() and length.isdigit()
        # `int` refuses thousands of digits.
        if not is_number or len(length) > len(str(_MAX_BODY)) or int(length) > _MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _call(self, answer: Callable[[], Response]) -> Response:
        try:
            return answer()
        except GenderClassifierError as error:
            return Response(500, TEXT, str(error).encode("utf-8", "replace"))

    def _answer(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            for name, value in (
                ("Content-Type", response.kind),
                ("Content-Length", str(len(response.body))),
                *_HEADERS,
                *response.headers,
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
        except (TimeoutError, ConnectionError):  # the browser has left
            self.close_connection = True
