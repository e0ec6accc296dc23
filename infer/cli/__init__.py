"""The command line: options, a run over a folder, a watched folder, exit codes."""
