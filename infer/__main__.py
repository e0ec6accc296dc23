"""Entry point of `image-gender-classifier` and of `python -m image_gender_classifier`."""

import gc
import signal
import sys

gc.disable()  # modules create no garbage while they are imported; `cli.start` enables it again
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command is loaded, Ctrl-C ends it without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from image_gender_classifier.cli.program import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
