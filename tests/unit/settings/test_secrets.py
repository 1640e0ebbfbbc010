import sys

import keyring
import keyring.backend
import keyring.backends.fail
import keyring.errors
import pytest
from pydantic import SecretStr

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings import secrets
from ocrstudio.settings.teacher import load_teacher_config

URL = "http://server:8000/v1"


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A real backend that keeps its passwords in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.passwords = {}

    def get_password(self, service, username):
        return self.passwords.get((service, username))

    def set_password(self, service, username, password):
        self.passwords[service, username] = password

    def delete_password(self, service, username):
        del self.passwords[service, username]


@pytest.fixture
def memory_keyring(monkeypatch):
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


def api(config, key="null"):
    return load_teacher_config(config(f"api: {{base_url: '{URL}', api_key: {key}}}\n")).api


def test_the_order_is_configuration_keyring_environment(config, memory_keyring, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert secrets.find_api_key(api(config)).source == "environment"
    secrets.store_key(URL, SecretStr("from-keyring"))
    found = secrets.find_api_key(api(config))
    assert (found.source, found.value.get_secret_value()) == ("keyring", "from-keyring")
    found = secrets.find_api_key(api(config, "literal-key"))
    assert (found.source, found.value.get_secret_value()) == ("configuration", "literal-key")
    assert "literal-key" not in repr(found)


def test_no_key_at_all_is_no_error(config, memory_keyring, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for key in ("null", "your-api-key", "EMPTY"):
        assert secrets.find_api_key(api(config, key)).value is None


def test_keys_are_kept_for_each_server(memory_keyring):
    secrets.store_key(URL, SecretStr("one"))
    assert secrets.stored_key("http://server:8000/other").get_secret_value() == "one"
    assert secrets.stored_key("http://elsewhere/v1") is None
    assert memory_keyring.passwords == {("ocrstudio", "server:8000"): "one"}
    secrets.delete_key(URL)
    secrets.delete_key(URL)
    assert secrets.stored_key(URL) is None


def test_a_machine_without_a_keyring_still_works(config, no_keyring, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    assert secrets.find_api_key(api(config)).source == "environment"
    with pytest.raises(ConfigError, match="keyring of this computer cannot be used") as caught:
        secrets.store_key(URL, SecretStr("hidden-key"))
    assert "OPENAI_API_KEY" in caught.value.hint
    assert "hidden-key" not in str(caught.value)
    secrets.delete_key(URL)


def test_the_keyring_is_loaded_only_when_a_key_is_wanted():
    import subprocess

    code = "import sys, ocrstudio.settings.secrets; print('keyring' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_secrets_are_redacted_from_messages():
    text = "401: key sk-abcdef and sk-abcdef-long are wrong"
    assert (
        secrets.redact(text, [SecretStr("sk-abcdef"), "sk-abcdef-long", None, ""])
        == "401: key *** and *** are wrong"
    )
    assert secrets.redact("a cat", ["a"]) == "a cat"


def test_a_typed_key_comes_before_the_keyring_and_is_kept_for_its_server_only(config, memory_keyring):
    secrets.store_key(URL, SecretStr("from-keyring"))
    secrets.remember_key(URL, SecretStr("typed"))
    found = secrets.find_api_key(api(config))
    assert (found.source, found.value.get_secret_value()) == ("typed", "typed")
    assert secrets.find_api_key(api(config, "literal-key")).source == "configuration"
    secrets.remember_key("http://elsewhere/v1", SecretStr("other"))
    secrets.remember_key(URL, None)
    assert secrets.find_api_key(api(config)).source == "keyring"
    secrets.remember_key("http://elsewhere/v1", None)
