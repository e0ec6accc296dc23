"""The page that shows predictions in a browser: as files without a server, or served locally."""
