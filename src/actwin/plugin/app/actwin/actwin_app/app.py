"""The app: servers, telemetry and actuator, polled once in each rendered frame."""

import os
import time

from . import VERSION, actuator, ego, memory, streams, telemetry, track, wire

RETRY = 5.0
"""[s] Between attempts to open a port that is taken."""
FACTS_EVERY = 1.0
"""[s] Between looks at car, track and window."""
LONGEST_FRAME = 0.25


class App:
    """Everything the app is while a session runs.

    Args:
        ac, acsys: The game's modules.
        socket: Python's module, None when the game lacks it; the app then only says so.
        settings: As `settings.read` returns them.
        log: A `Log`.
        parts: Parts to use instead of the game's own: `clock`, `read_page`, `open_mapping`, `root`.

    Attributes:
        servers: Open servers by name: `ego`, `opponents`, `management`.
        actuator: What moves the car.
        serial: Counts the changes of car, track, layout and number of cars.
    """

    def __init__(self, ac, acsys, socket, settings, log, parts=None):
        parts = parts or {}
        self._ac = ac
        self._socket = socket
        self._settings = settings
        self._log = log
        self._clock = parts.get("clock", time.perf_counter)
        self._root = parts.get("root", os.getcwd())
        self._pages = memory.Pages(parts.get("read_page"))
        self._telemetry = telemetry.Telemetry(ac, acsys, self._pages, bool(settings["extra_channels"]))
        patch = getattr(ac, "ext_patchVersion", None)
        self.actuator, hint = actuator.choose(
            settings["actuator"],
            patch() if patch is not None else None,
            parts.get("open_mapping", memory.open_mapping),
            settings["neutral_brake"],
        )
        if hint:
            log.say(hint)
        self.servers = {}
        self.serial = 0
        self._identity = None
        self._road = b"{}"
        self._opened_at = self._facts_at = None
        self._owed = 0.0
        self._window = self._make_window()
        self._look(self._clock())
        self._open(self._clock())

    def update(self, delta):
        """One frame: read what arrived, move the car, send what is due.

        Args:
            delta: [s] Since the frame before.
        """
        if self._socket is None:
            return
        now = self._clock()
        try:
            self._update(now, delta)
        except Exception:  # a bug here must not disturb the game, nor leave the car driving
            self._log.failure("update")
            self.actuator.neutral()
            self.actuator.apply(None, now)

    def close(self):
        """Say goodbye to the clients and let go of the car."""
        for server in self.servers.values():
            server.close()
        self.servers.clear()
        self.actuator.close()
        self._pages.close()

    def _update(self, now, delta):
        if self._opened_at is None or (len(self.servers) < 3 and now - self._opened_at >= RETRY):
            self._open(now)
        if now - self._facts_at >= FACTS_EVERY:
            self._look(now)
        due = self._due(delta)
        for server in self.servers.values():
            server.poll(now)
        self._drive(now)
        if due:
            self._publish(now)

    def _due(self, delta):
        """Whether the next message is due in this frame."""
        period = 1.0 / self._settings["ego_sampling_freq"]
        delta = min(max(delta, 0.0), LONGEST_FRAME) if delta == delta else 0.0
        self._owed += delta
        if self._owed + 0.25 * delta < period:
            return False
        self._owed = min(self._owed - period, period)
        return True

    def _drive(self, now):
        """Pass the driver's wishes on, or go neutral."""
        server = self.servers.get("ego")
        if server is None:
            return
        status, step = self._telemetry.live()
        self.actuator.watch(status, step, now)
        if server.expire(now, self._settings["neutral_after"]):
            self.actuator.neutral()
        else:
            self.actuator.drive(server.driver.controls, now)
            self._watch_the_car(now)
        if server.reset_wanted:
            server.reset_wanted = False
            self._reset()
        self.actuator.apply(self._telemetry.gear(), now)

    def _watch_the_car(self, now):
        """Tell when the car does not do what is written."""
        gas, brake = self._telemetry.pedals()
        self.actuator.observe(gas, brake, now)
        if self.actuator.obeyed is False:
            self._log.now_and_then(
                "deaf",
                "the car does not follow Custom AI. Switch it on in the patch's settings (New behaviour: [CUSTOM_AI] "
                "ENABLED=1) and restart the session; cars with extended physics may refuse.",
            )

    def _publish(self, now):
        """Send the messages that are due."""
        server = self.servers.get("ego")
        if server is not None and server.clients:
            message = self._telemetry.ego(now)
            message["static_serial"] = self.serial
            server.send(message)
        rivals = self.servers.get("opponents")
        if rivals is not None and rivals.wanted(now):
            rivals.publish(self._telemetry.opponents(self._identity[3]), now)

    def _open(self, now):
        """Open the ports that are not open yet."""
        self._opened_at = now
        if self._socket is None:
            return
        settings = self._settings
        commands = {
            "reset": self._reset,
            "get_track_info": lambda: self._road,
            "get_static_info": lambda: wire.encode(self._static()),
            "get_config": lambda: wire.encode(self.config()),
        }
        makers = {
            "ego": lambda where: ego.EgoServer(self._socket, where, settings["max_clients"], self._log),
            "opponents": lambda where: streams.Opponents(self._socket, where, lambda: max(0, self._identity[3] - 1)),
            "management": lambda where: streams.Management(self._socket, where, commands),
        }
        for name, make in makers.items():
            if name in self.servers:
                continue
            prefix = "simulation_management" if name == "management" else name
            where = settings[prefix + "_server_host_name"], settings[prefix + "_server_port"]
            try:
                self.servers[name] = make(where)
            except OSError as error:
                self._log.now_and_then(
                    name, "port %d cannot be opened (%s). Another instance? See config.ini." % (where[1], error)
                )

    def _look(self, now):
        """Notice another car or track, and tell the window how it goes."""
        self._facts_at = now
        identity = self._telemetry.identity()
        if identity != self._identity:
            self._identity = identity
            self.serial += 1
            road = track.read(self._root, identity[1], identity[2])
            self._road = track.thinned(road, wire.encode, self._settings["track_info_bytes"])
        if self._window is not None:
            server = self.servers.get("ego")
            state = (
                "no socket module, see the log"
                if self._socket is None
                else "%d clients, %s" % (len(server.clients) if server is not None else 0, self.actuator.name)
            )
            self._ac.setText(self._window, state)

    def _static(self):
        """Facts of the session and of the car's body."""
        facts = self._telemetry.static()
        facts.update(telemetry.body(self._root, facts["CarName"]))
        facts["static_serial"] = self.serial
        return facts

    def config(self):
        """Settings as `get_config` tells them, ports as bound."""
        answer = dict(self._settings)
        for name, server in self.servers.items():
            prefix = "simulation_management" if name == "management" else name
            answer[prefix + "_server_port"] = server.address[1]
        answer.update(
            {
                "app": "actwin",
                "version": VERSION,
                "actuator": self.actuator.name,
                "controls_reach_car": int(self.actuator.ready),
                "controls_refused": int(self.actuator.refused),
                "controls_obeyed": self.actuator.obeyed,
                "sampling_time": 1.0 / self._settings["sampling_freq"],
                "telemetry_sampling_freq": 0,
                "vjoy_executed_by_server": int(self.actuator.name != "none"),
                "screen_capture_enable": 0,
                "enable_profiler": 0,
            }
        )
        return answer

    def _reset(self):
        """Put the car back on the road, by what the game offers."""
        way = self._settings["reset"]
        now = self._clock()
        back = getattr(self._ac, "ext_resetCar", None)
        if way != "pits" and back is not None:
            back()
        elif way == "car" or not self.actuator.to_pits(now):
            self._log.now_and_then("reset", "this game offers no reset: Custom Shaders Patch and Custom AI are needed.")
            return
        server = self.servers.get("ego")
        if server is not None and server.driver is not None:
            server.driver.controls = dict(ego.RELEASED)

    def _make_window(self):
        """A small window with one line; None when the game shows none."""
        try:
            window = self._ac.newApp("actwin")
            self._ac.setSize(window, 240, 60)
            label = self._ac.addLabel(window, "")
            self._ac.setPosition(label, 10, 32)
            return label
        except Exception:  # without a window the app still works
            self._log.failure("window")
            return None
