"""One question about this machine, with its answer and the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from actwin.errors import ActwinError


class Check(NamedTuple):
    """An answered question.

    Attributes:
        name: What was looked at.
        ok: Whether it is as it should be; None where it is not needed or cannot be told.
        words: What was found.
        cure: What to do about it, empty when nothing is to be done.
    """

    name: str
    ok: bool | None
    words: str
    cure: str = ""


def answered(name: str, question: Callable[[], Check]) -> Check:
    """The answer to a question; an expected error is a no, with the error's own words as the cure.

    Args:
        name: What is looked at.
        question: Looks.
    """
    try:
        return question()
    except ActwinError as error:
        found, _, cure = str(error).partition(". ")
        return Check(name, False, found.rstrip(".") + ".", cure)
