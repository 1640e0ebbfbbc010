"""What a server has shown of itself in one batch: learnt from its first refusal, kept for the other pages.

Servers of one protocol differ in what they take: reasoning models refuse a temperature, some know
``max_tokens`` and some ``max_completion_tokens``, many refuse parameters of vLLM, and most have a limit for
pictures. None of them says so before it is asked, so the first page finds out, and whoever is refused the
same thing meanwhile just asks again.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, Literal

from ocrstudio.teachers.api import kinds
from ocrstudio.teachers.api.said import Said
from ocrstudio.teachers.page_image import EncodedImage

LIMIT_NAMES: Final = ("max_tokens", "max_completion_tokens")
"""Both names of the longest answer; a server that refuses one is offered the other."""

_COMPLAINT = re.compile(
    r"unsupported|not support|n't support|unrecogni[sz]ed|unknown|unexpected|extra|permitted|allowed"
    r"|not accept|only (the )?(default|\d)|invalid|deprecated|cannot|can't|must|forbidden|additional"
    r"|removed|no longer"
)
_BYTES = re.compile(r"\b(bytes?|[km]i?b|payload|request (body|entity)|file size)\b")
_PIXELS = re.compile(r"(\d{3,5})\s*(?:px|pixels?)\b")
_STEP = 0.7
"""Part of the longer side that is left where the server does not say what it takes: half of the area."""
_SMALLEST_SIDE = 640


@dataclass(frozen=True)
class PictureLimits:
    """How pictures are sent: their format, and the longer side in pixels or None."""

    format: Literal["png", "jpg"]
    max_side: int | None

    def fits(self, picture: EncodedImage) -> bool:
        """Whether a picture that is ready keeps to them."""
        small = self.max_side is None or max(picture.width, picture.height) <= self.max_side
        return small and (self.format == "png" or picture.mime == "image/jpeg")


class ServerProfile:
    """The parameters and pictures that a server takes.

    Args:
        wanted: Parameters of the request beside model and messages; what is None is not sent.
        pictures: How pictures are sent as long as nothing is known.

    Attributes:
        pictures: How pictures are sent.
        smaller: How the picture of a page that was refused is sent, until it is known whether that helps.
        plain_answers: Answers without thoughts so far.
    """

    def __init__(self, wanted: Mapping[str, Any], pictures: PictureLimits) -> None:
        self._wanted = {name: value for name, value in wanted.items() if value is not None}
        self._refused: dict[str, None] = {}
        self._remarks: list[str] = []
        self.pictures = pictures
        self.smaller = pictures
        self._about_pictures = ""
        self.plain_answers = 0
        self._thinks = False

    @property
    def parameters(self) -> dict[str, Any]:
        """What is sent beside model and messages."""
        sent = {}
        for name, value in self._wanted.items():
            taken = name if name not in self._refused else self._other_name(name)
            if taken is not None:
                sent[taken] = value
        return sent

    @property
    def left_out(self) -> list[str]:
        """Parameters that are wanted and not sent."""
        return [name for name in self._wanted if name in self._refused and self._other_name(name) is None]

    def learn(self, said: Said, sent: Collection[str], picture: EncodedImage, words: str) -> bool:
        """Take in a refusal; whether the same page is worth another request, made otherwise.

        Args:
            said: The error answer.
            sent: Names of the parameters of the request.
            picture: The picture of the request.
            words: The server's own sentence, fit to be shown.
        """
        if said.status not in kinds.REFUSED:
            return False
        if kinds.is_picture_limit(said):
            return self._learn_pictures(said, picture, words)
        if kinds.is_context_limit(said) or kinds.is_token_limit(said):
            return False
        names = refused_names(said, sent)
        new = [name for name in names if name not in self._refused]
        self._refused |= dict.fromkeys(new)
        self._remarks += [self._about(name, words) for name in new]
        return bool(names)

    def note_smaller_taken(self) -> None:
        """A page that was refused was answered after its picture was made smaller: so it is for all pages."""
        self.pictures = self.smaller
        if self._about_pictures:
            self._remarks.append(self._about_pictures)
            self._about_pictures = ""

    def note_thinking(self) -> None:
        """An answer held thoughts."""
        if not self._thinks:
            self._thinks = True
            self._remarks.append(
                "The model thinks before it answers; its thoughts are taken off the labels and kept in the "
                "raw output."
            )

    def take_remarks(self) -> tuple[str, ...]:
        """What has been learnt since the last call, in sentences: each is said once."""
        remarks, self._remarks = tuple(self._remarks), []
        return remarks

    def _other_name(self, name: str) -> str | None:
        """The name under which a refused parameter may still be taken."""
        if name not in LIMIT_NAMES:
            return None
        other = LIMIT_NAMES[1 - LIMIT_NAMES.index(name)]
        return None if other in self._refused or other in self._wanted else other

    def _about(self, name: str, words: str) -> str:
        other = self._other_name(name)
        what = "it is left out" if other is None else f"{other} is sent instead"
        return f"The server refused {name}, so {what}: {words}"

    def _learn_pictures(self, said: Said, picture: EncodedImage, words: str) -> bool:
        if not self.smaller.fits(picture):  # another page is finding out
            return True
        smaller = _smaller(self.smaller, said, picture)
        if smaller is None:  # the size is not what is wrong with it
            self.smaller, self._about_pictures = self.pictures, ""
            return False
        self.smaller = smaller
        size = "" if smaller.max_side is None else f" of at most {smaller.max_side:,} pixels a side"
        kind = "JPEG" if smaller.format == "jpg" else "PNG"
        self._about_pictures = (
            f"The server refused a picture of {picture.width:,} by {picture.height:,} pixels, so pages are "
            f"sent as {kind}{size}: {words}"
        )
        return True


def refused_names(said: Said, sent: Collection[str]) -> list[str]:
    """The parameters of a request that an error answer complains about.

    All that its fields point at; otherwise the first that its sentence names. Another one that is wrong, too,
    is found by the next request.

    Args:
        said: The error answer.
        sent: Names of the parameters of the request.
    """
    pointed = [name for name in sent if any(_position(name, place) is not None for place in said.names)]
    if pointed:
        return pointed
    sentence = said.sentence.lower()
    if not _COMPLAINT.search(sentence):
        return []
    places = {name: _position(name, sentence) for name in sent}
    named = sorted((place, name) for name, place in places.items() if place is not None)
    return [name for _, name in named[:1]]


def _position(name: str, text: str) -> int | None:
    found = re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", text.lower())
    return found.start() if found else None


def _smaller(now: PictureLimits, said: Said, picture: EncodedImage) -> PictureLimits | None:
    """Limits that a picture of half the size keeps to; None where it would no longer be legible.

    A limit in bytes is first met by JPEG, which keeps the pixels.
    """
    in_bytes = said.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _BYTES.search(said.words) is not None
    if now.format == "png" and in_bytes:
        return replace(now, format="jpg")
    side = max(picture.width, picture.height)
    named = [int(number) for number in _PIXELS.findall(said.words)]
    fitting = [number for number in named if _SMALLEST_SIDE <= number < side]
    target = max(fitting, default=round(side * _STEP))
    return replace(now, max_side=target) if target >= _SMALLEST_SIDE else None
