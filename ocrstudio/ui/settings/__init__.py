"""The settings dialog, generated from the pydantic models."""
