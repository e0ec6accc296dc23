"""An HTML page with small copies of the pictures that a person should look at.

The copies stand in the page itself, so it is one file to keep or send; it needs nothing from
anywhere else, and grows by a piece a picture, however many there are.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape

from image_gender_classifier.outputs.xml import confidence_text, printable
from image_gender_classifier.results import Drawings, Prediction

HEAD = """\
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Pictures to look at</title>
<style>
  body { font: 14px sans-serif; margin: 16px; background: #eee; color: #111 }
  main { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-end }
  figure { margin: 0; max-width: 256px }
  img { display: block }
  figcaption { overflow-wrap: anywhere; padding-top: 2px }
</style>
<h1>Pictures to look at</h1>
<p>Uncertain: nobody's gender is sure enough. No face: none was found.</p>
<main>
"""
FOOT = "</main>\n</html>\n"


def piece(prediction: Prediction, drawings: Drawings) -> str:
    """Gives a picture's piece of the page; none for a picture that is not doubtful."""
    if drawings.thumbnail is None:
        return ""
    words = prediction.status.replace("_", " ")
    if prediction.confidence is not None:
        words += f" ({confidence_text(prediction.confidence)})"
    data = b64encode(drawings.thumbnail).decode("ascii")
    name = escape(printable(prediction.file))
    return (
        f'<figure><img alt="" loading="lazy" src="data:image/jpeg;base64,{data}">'
        f"<figcaption>{name}<br>{words}</figcaption></figure>\n"
    )
