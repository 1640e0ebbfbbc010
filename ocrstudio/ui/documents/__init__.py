"""Bringing documents into the workspace, taking them out, and bringing them back."""
