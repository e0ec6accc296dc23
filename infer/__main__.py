"""Entry point of the command, also for `python -m image_gender_classifier`."""

import gc
import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command is loaded, Ctrl-C ends it without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Runs the command; returns its exit code."""
    gc.disable()  # modules create no garbage while they are imported; `cli.start` enables it again
    from image_gender_classifier.cli import program

    return program.main()


if __name__ == "__main__":
    sys.exit(main())
