"""Which names stand for a secret: the same in configurations, run folders and the environment."""

import re

_SECRET = re.compile(r"(key|token|secret|passw(or)?d)$", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether a value of this name (``api_key``, ``HF_TOKEN``, ``password``) must not be shown or stored."""
    return _SECRET.search(name) is not None
