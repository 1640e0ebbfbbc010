"""One named prompt."""

from dataclasses import dataclass

TARGET_FIELD = "{target}"


@dataclass(frozen=True)
class Task:
    """A named prompt.

    Attributes:
        id: Key in the prompts file; with a target, ``key:target``.
        system: System message for servers that take one; the student gets none.
        user: The prompt without the image token. It may hold ``{target}``, which the user fills in.
        protected: Whether it is a prompt that DeepSeek-OCR was trained with, in its own wording.
        description: One line for lists.
        whole_page: Whether the answer is all text of the page, and not a part or a description of it.
    """

    id: str
    system: str
    user: str
    protected: bool
    description: str
    whole_page: bool = True

    @property
    def needs_target(self) -> bool:
        """Whether the user must say what to look for before the task can be used."""
        return TARGET_FIELD in self.user
