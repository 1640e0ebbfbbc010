"""Is a confirmed label ever lost? ``python -m benchmarks.store_kills [KILLS]``.

A process saves edits in a loop and confirms each one on its standard output. It is killed with SIGKILL at a
random moment, again and again, always on the same workspace. The script fails unless every confirmed edit is
there after each kill and the database is intact.
"""

import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.store import Workspace

KILLS = 200
LONGEST_LIFE_S = 0.25

WRITER = """
import itertools, sys
from pathlib import Path
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
with Workspace.open(Path(sys.argv[1])) as ws:
    print("ready", flush=True)
    for number in itertools.count():
        text = f"{sys.argv[2]}:{number} " + "word " * 400
        print(labelling.save_edit(ws, 1 + number % 10, text).id, flush=True)
"""


def main(kills: int) -> int:
    generator = random.Random(0)
    confirmed: set[int] = set()
    lost = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        with Workspace.create(root) as ws:
            ws.documents.add(
                name="report",
                path="documents/report.pdf",
                kind=DocumentKind.PDF,
                sha256="x",
                page_sizes=[(595.0, 842.0)] * 10,
            )
        for kill in range(kills):
            confirmed |= write_until_killed(root, kill, generator.uniform(0, LONGEST_LIFE_S))
            with Workspace.open(root) as ws:
                kept = {r.id for row in ws.pages.list() for r in ws.labels.history(row.page.id)}
                problems = ws.check_integrity()
            lost = len(confirmed - kept)
            if lost or problems:
                print(f"kill {kill + 1}: {lost} confirmed edits lost; {problems or 'database intact'}")
                return 1
    print(f"{kills} kills, {len(confirmed):,} confirmed edits, {lost} lost, database intact after each kill")
    return 0


def write_until_killed(root: Path, kill: int, life: float) -> set[int]:
    """Ids of the revisions that the process had confirmed when it died."""
    command = [sys.executable, "-c", WRITER, str(root), str(kill)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()  # it has opened the workspace
        timer = threading.Timer(life, writer.send_signal, [signal.SIGKILL])
        timer.start()
        said = writer.stdout.read()
        timer.join()
    return {int(line) for line in said.splitlines(keepends=True) if line.endswith("\n")}


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS))
