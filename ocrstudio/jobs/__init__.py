"""Runs and child processes: run folders, event and command records, launching, attaching, stopping.

A run outlives the window: everything that is known about it is in its folder, and every process (worker,
relay, window, command line) only appends to or reads that folder. This package starts processes but never
loads the student; it must not import Qt, torch, or anything of ``worker``.
"""
