"""API keys: where they are looked up, how they are stored, and how they stay out of every text.

Order of look-up: the configuration (a literal, or ``${NAME}`` already replaced), what was typed since this
process began, the keyring of the operating system under the service ``ocrstudio`` and the server's address,
the environment variable ``OPENAI_API_KEY``.
"""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.teacher import PLACEHOLDER_KEYS, ApiConfig

_LOG = logging.getLogger(__name__)

SERVICE = "ocrstudio"
ENVIRONMENT_VARIABLE = "OPENAI_API_KEY"
_MIN_REDACTED = 4
_typed: dict[str, SecretStr] = {}
MASK = "***"


@dataclass(frozen=True)
class ApiKey:
    """A key and where it was found.

    Attributes:
        value: The key, or None when there is none (a server on this machine needs none).
        source: Where it was found.
    """

    value: SecretStr | None
    source: Literal["configuration", "typed", "keyring", "environment", "none"]


def find_api_key(api: ApiConfig) -> ApiKey:
    """Look up the key of a server."""
    given = api.api_key.get_secret_value() if api.api_key is not None else ""
    if given.lower() not in PLACEHOLDER_KEYS:
        return ApiKey(SecretStr(given), "configuration")
    typed = _typed.get(server_name(api.base_url))
    if typed is not None:
        return ApiKey(typed, "typed")
    stored = stored_key(api.base_url)
    if stored is not None:
        return ApiKey(stored, "keyring")
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE, "")
    if from_environment:
        return ApiKey(SecretStr(from_environment), "environment")
    return ApiKey(None, "none")


def remember_key(base_url: str, key: SecretStr | None) -> None:
    """Keep the key of a server in the memory of this process, and nowhere else; None forgets it."""
    if key is None:
        _typed.pop(server_name(base_url), None)
    else:
        _typed[server_name(base_url)] = key


def stored_key(base_url: str) -> SecretStr | None:
    """The key of a server in the keyring; None when there is none, or no keyring on this machine."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        value = keyring.get_password(SERVICE, server_name(base_url))
    except (keyring.errors.KeyringError, RuntimeError, OSError) as error:
        _LOG.debug("no keyring: %s", type(error).__name__)
        return None
    return SecretStr(value) if value else None


def store_key(base_url: str, key: SecretStr) -> None:
    """Keep the key of a server in the keyring.

    Raises:
        ConfigError: This machine has no usable keyring.
    """
    with _Keyring() as keyring:
        keyring.set_password(SERVICE, server_name(base_url), key.get_secret_value())


def delete_key(base_url: str) -> None:
    """Remove the key of a server from the keyring; nothing happens when there is none.

    Raises:
        ConfigError: This machine has no usable keyring.
    """
    if stored_key(base_url) is not None:
        with _Keyring() as keyring:
            keyring.delete_password(SERVICE, server_name(base_url))


def server_name(base_url: str) -> str:
    """The name under which a server's key is kept: host and port."""
    return urlsplit(base_url).netloc.lower()


def redact(text: str, secrets: Iterable[SecretStr | str | None]) -> str:
    """A text with every secret in it replaced by ``***``; for messages of servers and libraries."""
    values = {
        secret.get_secret_value() if isinstance(secret, SecretStr) else secret or "" for secret in secrets
    }
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _MIN_REDACTED:
            text = text.replace(value, MASK)
    return text


class _Keyring:
    """The keyring module, with its failures as one sentence."""

    def __enter__(self) -> ModuleType:
        try:
            import keyring
        except ImportError:
            raise self._error("the package keyring is not installed") from None
        return keyring

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        import keyring.errors

        if isinstance(error, keyring.errors.KeyringError | RuntimeError | OSError):
            raise self._error(type(error).__name__) from None

    @staticmethod
    def _error(reason: str) -> ConfigError:
        return ConfigError(
            f"The keyring of this computer cannot be used ({reason}).",
            f"Set the environment variable {ENVIRONMENT_VARIABLE}, or write api_key: ${{NAME}} in the file.",
        )
