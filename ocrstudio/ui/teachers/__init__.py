"""The teacher panel: who drafts, which task, which pages, and the batch as it goes on.

A batch runs in a thread of its own with its own event loop and its own connection to the workspace, so that
neither a slow server nor a busy disk ever holds up the window.
"""
