"""The exceptions that actwin raises on purpose.

```
ActwinError                 something the user can mend: one line, exit code 1
├── ContentError            a track or car file that cannot be used (file, field, cure)
├── UnknownNameError        no track, car, feature, … of that name; lists the nearest ones
├── ConfigError             a setting that does not exist or does not fit
├── ControlError            controls that no car can follow (NaN, wrong shape)
├── SourceError             no game, no answer, or a message that is not telemetry
├── SessionError            a recorded session that cannot be used
├── CheckpointError         a checkpoint that is truncated, foreign or of another task
├── ExperienceError         driving that an agent cannot learn from (wrong shape, NaN, unknown car)
└── MissingExtraError       an optional dependency that is not installed
```

Anything else that escapes is a bug and shows its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ActwinError(Exception):
    """An expected failure: the message says what happened, why, and what to do next."""


class ContentError(ActwinError):
    """A track or car file cannot be used.

    Args:
        source: The file (or other origin) as the user knows it.
        field: Dotted name of the offending field, empty when the whole file is meant.
        problem: What is wrong.
        cure: What to do about it.
    """

    def __init__(self, source: object, field: str, problem: str, cure: str) -> None:
        self.source, self.field, self.problem, self.cure = str(source), field, problem, cure
        where = f"{source}: {field}" if field else str(source)
        super().__init__(f"{where}: {problem} {cure}")


class UnknownNameError(ActwinError, KeyError):
    """A name that is not registered.

    Args:
        kind: What was looked for, in the singular ("track").
        name: The name that was given.
        known: Every name that would have been right.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        near = difflib.get_close_matches(name.lower(), self.known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(self.known)}."
        self.message = f"Unknown {kind} '{name}'. {hint}"
        super().__init__(self.message)

    def __str__(self) -> str:  # KeyError would print the repr
        return self.message


class ConfigError(ActwinError, ValueError):
    """A setting that does not exist, does not fit its neighbours or is out of range."""


class ControlError(ActwinError, ValueError):
    """Controls that cannot be sent to a car."""


class SourceError(ActwinError, ConnectionError):
    """Telemetry cannot be read or controls cannot be sent: nothing answers, or nothing that makes sense."""


class SessionError(ActwinError):
    """A recorded session that is absent, damaged beyond recovery, or not a session."""


class CheckpointError(ActwinError):
    """A checkpoint that cannot be used here."""


class ExperienceError(ActwinError, ValueError):
    """Driving that an agent cannot learn from: of another shape, not finite, or of a car that it does not know."""


class MissingExtraError(ActwinError, ImportError):
    """An optional dependency is needed and absent.

    Args:
        package: The import that failed.
        extra: The extra of actwin that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"This needs the package '{package}', which is not installed. Run: pip install \"actwin[{extra}]\""
        )
