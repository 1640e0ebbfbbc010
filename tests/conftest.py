"""For all tests: the interrupt signal works, whoever started them."""

import signal


def pytest_configure() -> None:
    """Undo an ignored SIGINT, which children inherit: ``nohup`` and background jobs start programs so.

    Tests that press Ctrl+C in a child would wait for ever, and leave it running.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
