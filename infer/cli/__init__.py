"""The command line: options, a single run over a folder, a watched folder, exit codes."""
