"""Helpers that tests import: builders, process tools, waits."""
