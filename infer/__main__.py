"""`python -m image_gender_classifier`: the same command."""

import sys

from image_gender_classifier.cli import main

sys.exit(main())
