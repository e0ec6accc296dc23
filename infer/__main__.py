"""Entry point of the command, also for `python -m image_gender_classifier`."""

import gc
import os
import signal
import sys
from typing import NoReturn

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command is loaded, Ctrl-C ends it without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> NoReturn:
    """Runs the command and ends the process with its exit code.

    Raises:
        SystemExit: After `--help` or `--version`, or if a standard stream cannot be written to.
    """
    gc.disable()  # modules create no garbage while they are imported; `cli.start` enables it again
    from image_gender_classifier.cli import program

    code = program.main()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)  # freeing every object first would take several milliseconds


if __name__ == "__main__":
    main()
