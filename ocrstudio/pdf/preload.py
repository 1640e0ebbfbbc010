"""Importing this module loads MuPDF, for a server that forks rendering processes: they start ready."""

from ocrstudio.pdf import engine, png

__all__ = ["engine", "png"]

engine.load()
