"""Drives a car through the in-game app, which leaves it neutral by itself after half a second of silence."""

from __future__ import annotations

from actwin.cockpit.actuators.protocol import Pose, neutral
from actwin.cockpit.limits import refuse_broken
from actwin.errors import SourceError
from actwin.telemetry.ac.app_client import PORT, AppClient
from actwin.telemetry.ac.opening import address
from actwin.telemetry.ac.source import Source
from actwin.telemetry.channels import Controls


class AppActuator:
    """The controls of the player's car.

    Args:
        client: Connected to the app.
        shared: Whether somebody else reads telemetry from the client, and closes it.

    Raises:
        SourceError: The app does not move the car.
    """

    name = "app"

    def __init__(self, client: AppClient, shared: bool = False) -> None:
        self.client, self._shared = client, shared
        settings = client.config()
        # assetto_corsa_gym's app tells the same by another name.
        if settings.get("actuator", "") == "none" or not settings.get("vjoy_executed_by_server", True):
            raise SourceError(
                "The in-game app is set to leave the car alone. Set actuator = custom_ai in its config.ini "
                "(vjoy_executed_by_server = True in that of assetto_corsa_gym) and have Custom Shaders Patch 0.1.78 or "
                "newer; or drive by a virtual controller."
            )

    def send(self, controls: Controls, gear: int | None = None) -> Controls:
        """Sends the controls; see `Actuator.send`. The app knows the gear itself."""
        refuse_broken(controls, 1)
        if not self._shared:
            # Nobody else empties the socket, and the app expects the number of the message that is answered.
            self.client.receive(0.0)
        if self.client.ended:
            raise SourceError("The in-game app has said goodbye: the session has ended. Begin anew.")
        return self.client.send(controls)

    def reset(self, pose: Pose | None = None) -> bool:
        """Puts the car back on the road where it is; False for a pose, which the app cannot."""
        if pose is not None:
            return False
        self.client.send(neutral(1.0))
        self.client.reset()
        return True

    def close(self) -> None:
        """Leaves the car neutral and, unless somebody else uses it, ends the connection."""
        if self.client.connected:
            self.client.send(neutral())
        if not self._shared:
            self.client.close()


def open_app(place: str = "", source: Source | None = None) -> AppActuator:
    """The app as an actuator.

    Args:
        place: `HOST`, `HOST:PORT` or nothing.
        source: Whose connection to share when it is the same app.

    Raises:
        SourceError: The app does not answer, or does not move the car.
    """
    from actwin.telemetry.ac.app_source import AppSource

    if isinstance(source, AppSource) and (
        not place or address(place, "127.0.0.1", PORT) == (source.client.host, source.client.port)
    ):
        if not source.client.connected:
            source.client.connect()
        return AppActuator(source.client, shared=True)
    client = AppClient(*address(place, "127.0.0.1", PORT))
    try:
        client.connect()
        return AppActuator(client)
    except SourceError:
        client.close()
        raise
