"""What the window remembers between two starts: place, panes and recent workspaces (QSettings)."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QSettings

_RECENT = "workspaces/recent"
_PLACES = "places"


class WindowState:
    """Typed access to the stored values."""

    def __init__(self, store: QSettings, recent_limit: int) -> None:
        self._store = store
        self.recent_limit = recent_limit

    def recent(self) -> tuple[Path, ...]:
        """Workspaces that were open lately and still exist, the last first."""
        stored = self._store.value(_RECENT, [])
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        paths = [Path(name) for name in names if isinstance(name, str)]
        return tuple(path for path in paths if path.is_dir())[: self.recent_limit]

    def remember_workspace(self, root: Path) -> None:
        """Puts a workspace at the head of the recent ones."""
        others = [path for path in self.recent() if path != root]
        self._store.setValue(_RECENT, [str(path) for path in [root, *others]][: self.recent_limit])

    def place(self, root: Path) -> dict[str, Any]:
        """What was shown of a workspace, or nothing."""
        try:
            stored = json.loads(str(self._store.value(_place_key(root), "{}")))
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}

    def set_place(self, root: Path, place: dict[str, Any]) -> None:
        """Stores what is shown of a workspace, and forgets it of those that are not recent any more."""
        key = _place_key(root)
        if not self._store.contains(key):
            known = {_place_key(path) for path in (root, *self.recent())}
            self._store.beginGroup(_PLACES)
            old = [f"{_PLACES}/{name}" for name in self._store.childKeys()]
            self._store.endGroup()
            for name in set(old) - known:
                self._store.remove(name)
        self._store.setValue(key, json.dumps(place))

    def bytes(self, key: str) -> QByteArray | None:
        """A stored geometry or splitter, or None."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def set_bytes(self, key: str, value: QByteArray) -> None:
        """Stores a geometry or splitter."""
        self._store.setValue(key, value)

    def flag(self, key: str, default: bool) -> bool:
        """A stored yes or no."""
        value = self._store.value(key, default)
        return value in (True, "true", 1, "1")

    def set_flag(self, key: str, value: bool) -> None:
        """Stores a yes or no."""
        self._store.setValue(key, value)

    def sync(self) -> None:
        """Writes everything to the disk."""
        self._store.sync()


def _place_key(root: Path) -> str:
    """A key without the characters that separate keys."""
    return f"{_PLACES}/{sha256(str(root).encode(errors='surrogatepass')).hexdigest()[:16]}"
