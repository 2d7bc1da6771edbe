"""The task: what is observed, what is paid, what an action means, how an episode begins."""

from __future__ import annotations

from actwin.env.config import TaskConfig as TaskConfig
