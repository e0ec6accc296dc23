"""The command `image-gender-review`: shows predictions in a browser to correct them."""
