from collections.abc import Iterator
from pathlib import Path

import pytest

from ocrstudio.store import Workspace
from tests.fakes.workspaces import add_document


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "ws") as workspace:
        add_document(workspace)
        yield workspace


@pytest.fixture
def page_id(ws: Workspace) -> int:
    return ws.pages.list()[0].page.id
