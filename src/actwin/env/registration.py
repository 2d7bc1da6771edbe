"""Makes the environments known to Gymnasium."""

from __future__ import annotations

from typing import Final

TIME_TRIAL: Final = "actwin/TimeTrial-v0"
ASSETTO_CORSA: Final = "actwin/AssettoCorsa-v0"


def register() -> None:
    """Registers every environment of actwin; harmless when they are registered already."""
    from gymnasium.envs import registration

    if TIME_TRIAL not in registration.registry:
        registration.register(
            id=TIME_TRIAL,
            entry_point="actwin.env.time_trial:TimeTrialEnv",
            vector_entry_point="actwin.env.time_trial:TimeTrialVectorEnv",
        )
    if ASSETTO_CORSA not in registration.registry:
        registration.register(
            id=ASSETTO_CORSA,
            entry_point="actwin.env.assetto_corsa:AssettoCorsaEnv",
            nondeterministic=True,  # the game goes on while the agent thinks
        )
