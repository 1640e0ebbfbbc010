"""What a worker says while it works, as lines on standard error."""

from collections.abc import Mapping

import click

_STEP = 10  # per cent between two lines about the same thing


class NoticeLines:
    """Prints a line for each new message, and then one for every tenth of its work."""

    def __init__(self) -> None:
        self._message = ""
        self._told = 0

    def show(self, notice: Mapping[str, object]) -> None:
        """Print what is new in a notice."""
        message = str(notice.get("message", ""))
        done, total = notice.get("done"), notice.get("total")
        if message != self._message:
            self._message, self._told = message, 0
            click.echo(f"{message} …", err=True)
        if isinstance(done, int) and isinstance(total, int) and total:
            percent = 100 * done // total
            if percent >= self._told + _STEP:
                self._told = percent
                click.echo(f"{message}: {percent} %", err=True)
