"""Entry point of `python -m image_gender_classifier.cluster`."""

import sys

from image_gender_classifier.cluster.program import main

if __name__ == "__main__":
    sys.exit(main())
