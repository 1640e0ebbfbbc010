import subprocess
import sys
import textwrap

SCRIPT = """
from PySide6.QtCore import QObject, Signal
from ocrstudio.ui.refcounts import protect_singletons

class Sender(QObject):
    signal = Signal()

protect_singletons()
protect_singletons()
sender = Sender()
sender.signal.connect(lambda: None)
for _ in range(60_000):
    sender.setObjectName("")
    sender.signal.emit()
    sender.signalsBlocked()
print("alive")
"""


def test_many_calls_of_qt_do_not_end_the_interpreter():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr
