"""Runs as files: written in the background, with progress, and read in again."""
