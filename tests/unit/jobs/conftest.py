import pytest

from tests.fakes.runs import fake_environment


@pytest.fixture
def fake_student(tmp_path_factory, monkeypatch):
    """Workers started by the test run the scripted student and keep their locks to themselves."""
    for name, value in fake_environment(tmp_path_factory.mktemp("state")).items():
        monkeypatch.setenv(name, value)
