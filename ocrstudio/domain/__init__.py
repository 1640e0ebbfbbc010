"""The words of the program as frozen dataclasses, and the tree of errors a user may be shown.

Standard library only: no third-party import, no input or output. Every other layer may import this one.
"""
