import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.errors import ConfigError, InputError
from ocrstudio.settings.prompts import PromptConfig
from ocrstudio.tasks import PROTECTED, Task, get_task, list_tasks, load_tasks, student_prompt, with_target

# What the model was trained with, letter for letter (deepseek-ai/DeepSeek-OCR, README).
TRAINED = {
    "document": "<|grounding|>Convert the document to markdown.",
    "ocr": "<|grounding|>OCR this image.",
    "free_ocr": "Free OCR.",
    "figure": "Parse the figure.",
    "describe": "Describe this image in detail.",
}


@pytest.fixture
def prompts(tmp_path):
    def write(text):
        path = tmp_path / "prompts.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_protected_tasks_are_the_prompts_the_model_was_trained_with():
    tasks = load_tasks()
    assert {key: tasks[key].user for key in TRAINED} == TRAINED
    located = get_task(tasks, "locate:xxxx")
    assert located.user == "Locate <|ref|>xxxx<|/ref|> in the image."
    assert {key for key, task in tasks.items() if task.protected} == set(PROTECTED)
    assert tasks["markdown"].user == "Convert this document to markdown."
    assert not tasks["markdown"].protected


@pytest.mark.parametrize("head", ["prompts:\n", ""])
def test_tasks_of_the_user_are_added(prompts, head):
    indent = "  " if head else ""
    text = f"{head}{indent}invoice:\n{indent}  user: Read the invoice.\n{indent}  description: Sums\n"
    tasks = load_tasks(prompts(text))
    assert tasks["invoice"] == Task("invoice", "", "Read the invoice.", False, "Sums", whole_page=False)
    assert list(tasks)[:2] == ["document", "ocr"]


def test_custom_shipped_tasks_may_be_reworded(prompts):
    assert load_tasks(prompts("markdown: {user: To Markdown.}\n"))["markdown"].user == "To Markdown."


@pytest.mark.parametrize("change", ["user: Other words", "{user: Free OCR., system: Be good}"])
def test_changing_a_protected_task_is_refused_with_advice(prompts, change):
    entry = change if change.startswith("{") else f"{{{change}}}"
    with pytest.raises(
        ConfigError, match=r'prompts\.yaml, line 2: the task "free_ocr" is a prompt'
    ) as caught:
        load_tasks(prompts(f"prompts:\n  free_ocr: {entry}\n"))
    assert "Add your wording as a new key" in caught.value.hint


def test_repeating_a_protected_task_unchanged_is_fine(prompts):
    assert load_tasks(prompts("free_ocr: {user: Free OCR.}\n"))["free_ocr"].protected


def test_a_teacher_may_word_every_task_for_itself():
    words = PromptConfig(
        system="You transcribe.", user="Transcribe the page.", description="", whole_page=None
    )
    tasks = load_tasks(extra={"document": words})
    assert (tasks["document"].user, tasks["document"].protected) == ("Transcribe the page.", False)
    assert load_tasks()["document"].protected


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("x: {user: 'a <image> b'}", "contains <image>"),
        ("x: {user: '  '}", "is empty"),
        ("'a:b': {user: c}", "cannot be the key"),
        ("x: {users: c}", "did you mean"),
        ("x: 5", "must be a section"),
    ],
)
def test_unusable_prompts_are_refused(prompts, entry, says):
    with pytest.raises(ConfigError, match=says):
        load_tasks(prompts(f"prompts:\n  {entry}\n"))


def test_an_empty_prompts_file_adds_nothing(prompts):
    assert load_tasks(prompts("")) == load_tasks()
    assert load_tasks(prompts("prompts:\n")) == load_tasks()


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(InputError, match=r'There is no task "markdwon"\. Did you mean "markdown"') as caught:
        get_task(load_tasks(), "markdwon")
    assert "free_ocr" in caught.value.hint


def test_the_student_prompt_is_stripped_and_starts_with_the_image():
    task = Task("x", "ignored", "  Free OCR. \n", protected=False, description="")
    assert student_prompt(task) == "<image>\nFree OCR."


def test_a_prompt_with_an_image_of_its_own_is_refused():
    with pytest.raises(InputError, match="contains <image>"):
        student_prompt(Task("x", "", "<image>\nFree OCR.", protected=False, description=""))


def test_a_target_is_filled_in_and_asked_for():
    tasks = load_tasks()
    task = get_task(tasks, "locate: the   Total ")
    assert student_prompt(task) == "<image>\nLocate <|ref|>the Total<|/ref|> in the image."
    assert task.id == "locate:the Total"
    assert tasks["locate"].needs_target
    assert not task.needs_target
    with pytest.raises(InputError, match="needs to know what to look for"):
        student_prompt(tasks["locate"])
    with pytest.raises(InputError, match="needs to know what to look for"):
        get_task(tasks, "locate:  ")
    with pytest.raises(InputError, match="needs to know what to look for"):
        get_task(tasks, "locate")
    with pytest.raises(InputError, match="takes no target"):
        get_task(tasks, "free_ocr:word")


@given(st.text(max_size=40))
def test_a_target_never_adds_tags_to_the_prompt(target):
    task = load_tasks()["locate"]
    try:
        prompt = student_prompt(with_target(task, target))
    except InputError:
        return
    assert prompt.count("<|") == 2
    assert prompt.count("<image>") == 1
    assert "\n" not in prompt.removeprefix("<image>\n")


def test_the_list_shows_protected_tasks_first(prompts):
    own = load_tasks(prompts('a_first: {user: "Two\\n lines"}\n'))
    entries = list_tasks(own.values())
    assert [entry.id for entry in entries] == [*PROTECTED, "markdown", "a_first"]
    assert entries[-1].prompt == "Two lines"
    assert [entry.protected for entry in entries] == [True] * 6 + [False] * 2


@pytest.mark.parametrize("head", ["", "prompts:\n"])
def test_a_wrong_key_of_a_task_is_found_on_its_line_with_and_without_a_head(tmp_path, head):
    path = tmp_path / "mine.yaml"
    text = "invoice:\n  user: Extract.\n  sytem: You parse.\n"
    path.write_text(head + "".join(f"  {line}" if head else line for line in text.splitlines(keepends=True)))
    line = 4 if head else 3
    expected = f'mine.yaml, line {line}: "prompts.invoice.sytem" is not a key; did you mean "system"'
    with pytest.raises(ConfigError, match=expected):
        load_tasks(path)
