"""The command, `image-gender-classifier` or `python -m image_gender_classifier`."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While the command is being loaded, Ctrl-C ends it as the system does, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from image_gender_classifier.cli.program import main

if __name__ == "__main__":
    sys.exit(main())
