"""Joins the choices of the teacher panel to configurations, tasks, keys and counts, and starts batches."""

from collections import deque
from pathlib import Path

from pydantic import SecretStr
from PySide6.QtCore import QObject, QTimer

from ocrstudio.domain.embedded import EMBEDDED
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.label import teacher_source
from ocrstudio.domain.wording import count_of
from ocrstudio.services.runs import RunOverview
from ocrstudio.settings.app import AppSettings
from ocrstudio.settings.secrets import ApiKey, delete_key, find_api_key, remember_key, store_key, stored_key
from ocrstudio.settings.teacher import ApiConfig, TeacherConfig
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task, get_task, load_tasks, usable
from ocrstudio.ui.background import Background
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.jobs.students import student_options
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.pages.model import PageListModel
from ocrstudio.ui.session import Session
from ocrstudio.ui.teachers.choices import (
    TokenUse,
    cost_in_words,
    load_choice,
    save_server,
    server_of,
    teacher_choices,
    token_use,
)
from ocrstudio.ui.teachers.drafts import Drafts
from ocrstudio.ui.teachers.panel import TeacherPanel
from ocrstudio.ui.teachers.scope import Scope, count_in, listed, pages_in

_COUNT_MS = 300
_MEASURED_PAGES = 20
_KEY_WORDS = {
    "configuration": "from the configuration file",
    "typed": "kept until the program ends",
    "keyring": "kept in the keyring",
    "environment": "from OPENAI_API_KEY",
    "none": "none; type one if needed",
}
_NO_KEYRING = (
    "The key is used until the program ends and is written nowhere. To keep it longer, set the environment "
    "variable OPENAI_API_KEY."
)
_ABOUT = {
    "offline": "Works without a network: the text layer of a page where it is usable, elsewhere OCR.",
    "local": "The student drafts in a process of its own; its first page waits for the model to load.",
}


class TeacherController(QObject):
    """Carries out what the teacher panel asks for.

    Args:
        session: What is open.
        panel: The panel.
        pages: The list of pages, for the ones that it shows.
        monitor: Knows the trainings whose adapters can draft.
        background: Runs the batches.
        messages: Where outcomes are said.
        settings: The user's settings.
    """

    def __init__(
        self,
        session: Session,
        panel: TeacherPanel,
        pages: PageListModel,
        monitor: RunMonitor,
        background: Background,
        messages: Messages,
        settings: AppSettings,
    ) -> None:
        super().__init__(panel)
        self._session, self._panel, self._pages = session, panel, pages
        self._background, self._messages, self._settings = background, messages, settings
        self._files: list[Path] = []
        self._config: TeacherConfig | None = None
        self._tasks: dict[str, Task] = {}
        self._use: TokenUse | None = None
        self._waiting: deque[int] = deque()
        self._drafts = Drafts(session, panel.batch, background, messages)
        self._drafts.ended.connect(self._batch_ended)
        self._count = QTimer(self)
        self._count.setSingleShot(True)
        self._count.setInterval(_COUNT_MS)
        self._count.timeout.connect(self._show_counts)
        setup = panel.setup
        session.opened.connect(self._open)
        session.closing.connect(self._close)
        session.documents_changed.connect(self._count.start)
        session.pages_changed.connect(lambda _: self._count.start())
        session.page_chosen.connect(lambda _: self._count.start())
        session.draft_requested.connect(self.draft_page)
        setup.changed.connect(self._replan)
        setup.file_chosen.connect(self._add_file)
        setup.server_edited.connect(self._keep_server)
        setup.key_given.connect(self._keep_key)
        setup.start_requested.connect(self.start)
        panel.batch.cancel_requested.connect(self._waiting.clear)
        panel.batch.retry_requested.connect(lambda: self._begin(self._drafts.failed_pages))
        monitor.listed.connect(self._show_students)
        if session.workspace is not None:
            self._open()

    @property
    def unfinished(self) -> str:
        """A sentence on the running batch, or nothing."""
        return self._drafts.unfinished

    # Choices

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        self._settings = settings

    def _open(self) -> None:
        own = self._settings.teacher_file
        self._files = [own] if own is not None else []
        self._panel.setup.show_teachers(teacher_choices(self._files), own)
        self._show_students(())
        self._replan()

    def _close(self) -> None:
        self._count.stop()
        self._waiting.clear()
        self._drafts.close()

    def _add_file(self, path: Path) -> None:
        self._files.append(path)
        self._panel.setup.show_teachers(teacher_choices(self._files), path)
        self._replan()

    def _show_students(self, runs: tuple[RunOverview, ...]) -> None:
        self._panel.setup.show_students(student_options(runs))

    def _replan(self) -> None:
        """A choice changed: form, tasks, key and sentence follow."""
        setup = self._panel.setup
        choice = setup.choice
        if choice is None or self._session.workspace is None:
            return
        overrides = {key: value for key, value in setup.overrides.items() if value != ""}
        try:
            if choice.kind == "api" and "api.base_url" not in overrides:
                overrides = {}  # the form was not filled yet
            self._config = load_choice(choice, overrides)
            self._tasks = load_tasks(self._settings.prompts_file, self._config.prompts)
        except OcrStudioError as problem:
            self._config = None
            setup.show_summary(str(problem), ready=False)
            return
        setup.show_config(self._config, self._about(self._config))
        setup.show_tasks(usable(self._tasks), self._settings.default_task)
        if self._config.api is not None and self._config.type == "api":
            self._look_up_key(self._config.api)
            self._measure_tokens(self._config.api)
        self._show_counts()

    def _about(self, config: TeacherConfig) -> str:
        if config.type == "api" and config.api is not None:
            return f"Page pictures are sent to {server_of(config.api)} and nowhere else."
        embedded = EMBEDDED.get(config.local.model_path) if config.local is not None else None
        if config.type == "local" and embedded is not None:
            return f"{embedded.title}: {embedded.note[0].lower()}{embedded.note[1:]} {_ABOUT['local']}"
        return _ABOUT[config.type]

    def _look_up_key(self, api: ApiConfig) -> None:
        def done(key: ApiKey) -> None:
            self._panel.setup.show_key_state(_KEY_WORDS[key.source])

        self._background.run(lambda _: find_api_key(api), done)

    def _measure_tokens(self, api: ApiConfig) -> None:
        """Counts the tokens of earlier drafts, where a price of tokens is set."""
        if api.price_per_1k_input_tokens is None and api.price_per_1k_output_tokens is None:
            return
        root, source = self._session.root, teacher_source(f"api:{api.model_name}")

        def done(use: TokenUse) -> None:
            self._use = use
            self._show_counts()

        self._background.run(lambda _: _measured(root, source), done)

    def _keep_server(self) -> None:
        setup = self._panel.setup
        self._replan()
        if self._config is None or self._config.api is None:
            return
        try:
            save_server(
                setup.base_url.text().strip(), setup.model_name.text().strip(), setup.concurrency.value()
            )
        except OSError as error:
            self._messages.warning(f"The server cannot be remembered: {error.strerror or error}.")

    def _keep_key(self, key: SecretStr) -> None:
        """Keeps a key in the keyring, or where there is none until the program ends; an empty one is none."""
        api = self._config.api if self._config is not None else None
        if api is None:
            return
        wanted = key if key.get_secret_value() else None
        remember_key(api.base_url, wanted)
        self._panel.setup.key.clear()

        def work(_job: object) -> None:
            if wanted is None:
                delete_key(api.base_url)
            else:
                store_key(api.base_url, wanted)
                if stored_key(api.base_url) == wanted:  # some keyrings forget at once
                    remember_key(api.base_url, None)

        def refused(problem: OcrStudioError) -> None:
            self._messages.warning(problem.message, _NO_KEYRING if wanted is not None else problem.hint)
            self._look_up_key(api)

        self._background.run(work, lambda _: self._look_up_key(api), refused)

    def _take_typed_key(self) -> None:
        """A key that was typed and not kept is used all the same, until the program ends."""
        line, choice = self._panel.setup.key, self._panel.setup.choice
        api = self._config.api if self._config is not None else None
        is_form = choice is not None and choice.kind == "api" and not choice.own
        if line.text().strip() and is_form and api is not None:
            remember_key(api.base_url, SecretStr(line.text().strip()))
            line.clear()
            self._look_up_key(api)

    def _show_counts(self) -> None:
        """Writes how many pages each scope has, and the sentence before the start."""
        workspace = self._session.workspace
        if workspace is None:
            return
        setup = self._panel.setup
        try:
            counts = workspace.pages.counts()
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        shown, page_id = self._pages.shown, self._session.page_id
        numbers = {scope: count_in(scope, counts, shown, page_id) for scope in Scope}
        setup.show_scope_counts(numbers)
        if self._config is None:
            return
        if self._drafts.busy:
            setup.show_summary("A batch is running. Ctrl+R puts the page you look at behind it.", ready=False)
            return
        pages = numbers[setup.chosen_scope]
        if pages == 0:
            nothing = "Import documents first." if not sum(counts.values()) else "No page is in this group."
            setup.show_summary(nothing, ready=False)
            return
        setup.show_summary(self._sentence(self._config, pages), ready=True)

    def _sentence(self, config: TeacherConfig, pages: int) -> str:
        words = count_of(pages, "page")
        if config.type == "api" and config.api is not None:
            cost = cost_in_words(config.api, pages, self._use)
            return f"Sends {words} to {server_of(config.api)}, model {config.api.model_name}. {cost}".strip()
        return f"Drafts {words} on this computer; nothing is sent anywhere."

    # Batches

    def start(self) -> None:
        """Drafts the chosen pages."""
        workspace = self._session.workspace
        if workspace is None:
            return
        try:
            pages = pages_in(
                self._panel.setup.chosen_scope, workspace, listed(self._pages), self._session.page_id
            )
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._begin(pages)

    def draft_page(self, page_id: int) -> None:
        """Drafts one page with the chosen teacher and task; behind a running batch if there is one."""
        if self._drafts.busy:
            if page_id not in self._waiting:
                self._waiting.append(page_id)
            self._messages.info("This page is drafted as soon as the running batch is through.")
            return
        self._begin([page_id])
        choice = self._panel.setup.choice
        if self._drafts.busy and choice is not None:
            self._messages.info(f"Drafting this page. Teacher: {choice.title}.")

    def _begin(self, page_ids: list[int]) -> None:
        if self._drafts.busy:
            return
        self._replan()
        choice = self._panel.setup.choice
        if self._config is None or choice is None:
            return
        try:
            task = get_task(self._tasks, self._panel.setup.task_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._take_typed_key()
        self._drafts.begin(page_ids, self._config, task, choice.title)
        self._show_counts()

    def _batch_ended(self) -> None:
        self._show_counts()
        if self._config is not None and self._config.api is not None:
            self._measure_tokens(self._config.api)
        if self._waiting:
            self._begin([self._waiting.popleft()])


def _measured(root: Path, source: str) -> TokenUse:
    """Tokens of some earlier drafts of a teacher."""
    with Workspace.open(root) as workspace:
        pages = [row.page.id for row in workspace.pages.list() if row.source == source][:_MEASURED_PAGES]
        revisions = [workspace.labels.current(page_id) for page_id in pages]
        return token_use(revision.parameters for revision in revisions if revision is not None)
