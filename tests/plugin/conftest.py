"""Sessions of the game with the app in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from app_session import Session

from actwin.content.car import Car
from actwin.content.library import load_car


@pytest.fixture(scope="session")
def gt3() -> Car:
    return load_car("bmw_z4_gt3")


@pytest.fixture
def make_session(gt3: Car) -> Iterator[Callable[..., Session]]:
    """Makes sessions and ends them."""
    made: list[Session] = []

    def make(**arguments: Any) -> Session:
        made.append(Session(gt3, **arguments))
        return made[-1]

    yield make
    for session in made:
        session.close()


@pytest.fixture
def session(make_session: Callable[..., Session]) -> Session:
    return make_session()
