"""Configuration: shipped YAML defaults, a user's file over them, overrides on top, checked by pydantic.

Every default stands once, in ``config/*.yaml``; every type, bound and description once, in the models here.
This package reads files and checks values. It must not act on them: no network, no model, no window.
"""
