"""Completion scripts: one writer for each shell, from the command tree as values."""
