"""The student as a server: JSON-line requests on standard input, answers on claimed standard output.

Used by the local teacher, by ``infer`` and by the window; the parent's side is `ocrstudio.jobs.line_process`.
"""

from pathlib import Path
from typing import Any

from ocrstudio.jobs.line_server import Handler, Notify, serve_lines
from ocrstudio.services.model_download import download_model, needs_download
from ocrstudio.services.model_folder import REPOSITORY
from ocrstudio.worker.bodies import load_body


def serve(options: dict[str, Any]) -> int:
    """Load a student and answer ``predict`` requests until standard input ends.

    Args:
        options: Keyword arguments of the student's server: ``model``, ``adapter``, ``load_in_4bit``.

    Returns:
        The exit status.
    """

    def setup(notify: Notify) -> tuple[dict[str, Handler], dict[str, Any]]:
        notify({"phase": "loading", "message": "Loading the libraries of the student"})
        body = load_body("serve")
        _bring_model(str(options["model"]), notify)
        server = body(**options)

        def predict(
            images: list[str], prompts: list[str], generation: dict[str, Any]
        ) -> list[dict[str, Any]]:
            results: list[dict[str, Any]] = server.predict(
                [Path(image) for image in images], prompts, generation
            )
            return results

        return {"predict": predict}, {"model": options["model"], "adapter": options["adapter"]}

    return serve_lines(setup)


def _bring_model(model: str, notify: Notify) -> None:
    """Download the base model where it is missing, telling the parent how far it is (in bytes)."""
    if needs_download(model):
        message = f"Downloading {REPOSITORY} into {model}"
        download_model(
            Path(model),
            lambda done, total: notify(
                {"phase": "download", "message": message, "done": done, "total": total}
            ),
        )
