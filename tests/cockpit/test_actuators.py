"""Ways to move the controls, against the emulator and against stand-ins for drivers of other systems."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from actwin.cockpit.actuators import protocol
from actwin.cockpit.actuators.app import AppActuator
from actwin.cockpit.actuators.custom_ai import CustomAI, CustomAISimulation
from actwin.cockpit.actuators.nothing import Nothing
from actwin.cockpit.actuators.opening import open_actuator, open_unguarded
from actwin.cockpit.actuators.pad import PadActuator, PadState, in_steps
from actwin.cockpit.actuators.protocol import Actuator, Pose, neutral
from actwin.cockpit.actuators.shifter import HOLD, REST, Shifter
from actwin.cockpit.actuators.uinput import UinputPad
from actwin.cockpit.actuators.vigem import VigemPad
from actwin.cockpit.actuators.vjoy import VjoyPad
from actwin.errors import ConfigError, ControlError, MissingExtraError, SourceError
from actwin.telemetry.ac.custom_ai import CAR, CAR_CONTROLS, SIM_STATE, SIM_STATE_NAME, car_name, controls_name
from actwin.telemetry.ac.mapping import Mapping
from actwin.telemetry.channels import AUTO_GEAR, Controls, neutral_controls


def asked(**values: float) -> Controls:
    controls = neutral_controls(1)
    for name, value in values.items():
        controls[name] = value
    return controls


class FakeEvdev:
    """Records what a uinput device is told."""

    AbsInfo = staticmethod(lambda **fields: types.SimpleNamespace(**fields))

    def __init__(self) -> None:
        names = [f"ABS_{axis}" for axis in ("X", "Y", "RX", "RY", "Z", "RZ", "HAT0X", "HAT0Y")]
        buttons = ("A", "B", "X", "Y", "TL", "TR", "SELECT", "START", "MODE", "THUMBL", "THUMBR")
        names += ["EV_ABS", "EV_KEY", *(f"BTN_{button}" for button in buttons)]
        self.ecodes = types.SimpleNamespace(**{name: name for name in names})
        self.values: dict[str, int] = {}
        self.made: dict[str, Any] = {}
        self.synced = 0
        self.closed = False

    def UInput(self, events: dict[str, Any], **identity: Any) -> FakeEvdev:  # noqa: N802
        self.made = events | identity
        return self

    def write(self, kind: str, code: str, value: int) -> None:
        self.values[code] = value

    def syn(self) -> None:
        self.synced += 1

    def close(self) -> None:
        self.closed = True


class FakeVgamepad:
    """Records what a ViGEm pad is told."""

    XUSB_BUTTON = types.SimpleNamespace(
        XUSB_GAMEPAD_RIGHT_SHOULDER="up", XUSB_GAMEPAD_LEFT_SHOULDER="down", XUSB_GAMEPAD_Y="drs"
    )

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}

    def VX360Gamepad(self) -> FakeVgamepad:  # noqa: N802
        return self

    def left_joystick(self, x_value: int, y_value: int) -> None:
        self.values["steer"] = x_value

    def right_trigger(self, value: int) -> None:
        self.values["throttle"] = value

    def left_trigger(self, value: int) -> None:
        self.values["brake"] = value

    def press_button(self, button: str) -> None:
        self.values[button] = True

    def release_button(self, button: str) -> None:
        self.values[button] = False

    def update(self) -> None:
        self.shown = dict(self.values)


class FakeVjoy:
    """Records what the vJoy library is told."""

    def __init__(self, status: int = 1, enabled: int = 1) -> None:
        self.status, self.enabled = status, enabled
        self.axes: dict[int, int] = {}
        self.buttons: dict[int, int] = {}
        self.owned = False

    def vJoyEnabled(self) -> int:  # noqa: N802
        return self.enabled

    def GetVJDStatus(self, device: int) -> int:  # noqa: N802
        return self.status

    def AcquireVJD(self, device: int) -> int:  # noqa: N802
        self.owned = True
        return 1

    def RelinquishVJD(self, device: int) -> None:  # noqa: N802
        self.owned = False

    def SetAxis(self, value: int, device: int, axis: int) -> int:  # noqa: N802
        self.axes[axis] = value
        return 1

    def SetBtn(self, held: int, device: int, button: int) -> int:  # noqa: N802
        self.buttons[button] = held
        return 1


def test_a_linux_pad_looks_like_a_known_one_and_shows_the_controls() -> None:
    evdev = FakeEvdev()
    pad: Actuator = PadActuator("uinput", UinputPad(evdev))
    assert (evdev.made["vendor"], evdev.made["product"]) == (0x045E, 0x028E)
    sent = pad.send(asked(steer=0.25, throttle=0.5, brake=0.1, drs=1.0))
    assert evdev.values["ABS_X"] == round(-0.25 * 32767)
    assert evdev.values["ABS_RZ"] == 128
    assert evdev.values["ABS_Z"] == 26
    assert evdev.values["BTN_Y"] == 1
    # What is returned is what the axes can show.
    assert sent["throttle"][0] == pytest.approx(128 / 255)
    assert sent["steer"][0] == pytest.approx(0.25, abs=1e-4)
    assert not pad.reset()
    pad.close()
    pad.close()
    assert evdev.closed
    assert evdev.values["ABS_Z"] == round(protocol.NEUTRAL_BRAKE * 255)
    assert evdev.values["ABS_X"] == evdev.values["ABS_RZ"] == 0


def test_windows_pads_show_the_controls() -> None:
    vigem = FakeVgamepad()
    PadActuator("vigem", VigemPad(vigem)).send(asked(steer=-1.0, throttle=1.0, gear=2), gear=1)
    assert vigem.shown == {"steer": 32767, "throttle": 255, "brake": 0, "up": True, "down": False, "drs": False}
    library = FakeVjoy()
    vjoy = PadActuator("vjoy", VjoyPad(library))
    assert library.owned
    sent = vjoy.send(asked(steer=1.0, throttle=0.5, gear=1), gear=3)
    assert library.axes == {0x30: 1, 0x31: in_steps(0.5, 1, 0x8000), 0x32: 1}
    assert library.buttons == {1: 0, 2: 1, 3: 0}
    assert sent["throttle"][0] == pytest.approx(0.5, abs=1e-4)
    vjoy.close()
    assert not library.owned


@pytest.mark.parametrize(("library", "words"), [(FakeVjoy(status=2), "taken"), (FakeVjoy(enabled=0), "switched off")])
def test_vjoy_says_what_is_wrong(library: FakeVjoy, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        VjoyPad(library)


def test_drivers_that_are_absent_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for module, text in (("vgamepad", "vigem"), ("evdev", "uinput")):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(MissingExtraError, match=r"actwin\[control\]"):
            open_unguarded(text)
    with pytest.raises(SourceError, match="driver of Windows"):
        open_unguarded("vjoy")
    broken = FakeEvdev()
    monkeypatch.setattr(broken, "UInput", lambda *_, **__: (_ for _ in ()).throw(PermissionError("no")))
    with pytest.raises(SourceError, match="udev"):
        UinputPad(broken)
    with pytest.raises(ConfigError, match="process of its own"):
        open_unguarded("app")
    with pytest.raises(ConfigError, match="Unknown actuator 'wheel'"):
        open_actuator("wheel")


@pytest.mark.parametrize("actuator", [Nothing(), PadActuator("uinput", UinputPad(FakeEvdev()))], ids=lambda a: a.name)
def test_broken_controls_are_refused_everywhere(actuator: Actuator) -> None:
    with pytest.raises(ControlError, match="throttle"):
        actuator.send(asked(throttle=np.nan))
    with pytest.raises(ControlError, match="2 cars"):
        actuator.send(neutral_controls(2))


def test_nothing_moves_nothing() -> None:
    nothing = open_actuator("none")
    np.testing.assert_array_equal(nothing.send(asked(throttle=1.0)), neutral_controls(1))
    assert not nothing.reset()
    nothing.close()


@pytest.mark.parametrize(
    "settings", [{"actuator": "none"}, {"vjoy_executed_by_server": 0}, {"vjoy_executed_by_server": False}]
)
def test_an_app_that_leaves_the_car_alone_is_refused(settings: dict[str, Any]) -> None:
    client: Any = types.SimpleNamespace(config=lambda: settings)
    with pytest.raises(SourceError, match="set to leave the car alone"):
        AppActuator(client)


@pytest.mark.parametrize("settings", [{}, {"actuator": "custom_ai", "vjoy_executed_by_server": 1}])
def test_an_app_that_drives_is_taken(settings: dict[str, Any]) -> None:
    client: Any = types.SimpleNamespace(config=lambda: settings)
    assert AppActuator(client).name == "app"


def test_a_neutral_car_is_braked() -> None:
    assert neutral(0.7)["brake"][0] == pytest.approx(0.7)
    assert neutral()["throttle"][0] == 0.0
    with pytest.raises(ConfigError, match="between 0 and 1"):
        neutral(1.5)


def test_gears_are_reached_one_press_at_a_time() -> None:
    now = [0.0]
    shifter, gear, presses, held = Shifter(lambda: now[0]), 1, [], False
    for _ in range(400):
        up, down = shifter.buttons(4, gear)
        assert not down
        if up and not held:
            presses.append(now[0])
            gear += 1
        held = up
        now[0] += 0.01
    assert gear == 4
    assert np.diff(presses).min() >= REST - 1e-9
    assert HOLD < REST
    assert shifter.buttons(AUTO_GEAR, gear) == (False, False)
    assert shifter.buttons(3, gear) == (False, True)


def test_gears_are_counted_where_nobody_tells_them() -> None:
    now = [0.0]
    shifter, presses = Shifter(lambda: now[0]), 0
    for _ in range(100):
        held = shifter.buttons(3, None)[0]
        presses += held
        now[0] += REST + 0.01
    assert presses == 3


class FakeCsp:
    """Answers a Custom AI driver as CSP does, whenever it is asked."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.car = np.zeros(1, CAR)
        self.car["gear"] = 2
        self.shown = Mapping.create(car_name(0), CAR.itemsize, folder)
        self.tick()

    def tick(self) -> None:
        self.car["packet_id"] += 1
        self.shown.write(self.car.tobytes())

    @property
    def controls(self) -> Any:
        with Mapping.open(controls_name(0), CAR_CONTROLS.itemsize, self.folder) as mapping:
            return np.frombuffer(mapping.read(), CAR_CONTROLS)[0]


@pytest.fixture
def csp(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> FakeCsp:
    fake = FakeCsp(str(tmp_path))

    def sleep(seconds: float) -> None:
        # While the driver waits, the game goes on and does what it is asked for.
        if fake.controls["teleport_to"] == 2:
            fake.car["position"] = fake.controls["teleport_pos"]
        fake.tick()

    monkeypatch.setattr("actwin.cockpit.actuators.custom_ai.time.sleep", sleep)
    return fake


def test_custom_ai_writes_what_csp_reads(csp: FakeCsp) -> None:
    actuator: Actuator = CustomAI(csp.folder)
    sent = actuator.send(asked(steer=0.5, throttle=2.0, brake=0.25, drs=1.0, clutch=0.0))
    controls = csp.controls
    assert (controls["steer"], controls["gas"], controls["brake"], controls["drs"]) == (-0.5, 1.0, 0.25, 1)
    assert (controls["autoshift_active"], controls["autoclutch_on_start"], controls["clutch"]) == (1, 1, 0.0)
    assert (sent["throttle"][0], sent["clutch"][0], sent["steer"][0]) == (1.0, 1.0, 0.5)
    actuator.send(asked(gear=3))
    assert (csp.controls["gear_up"], csp.controls["autoshift_active"]) == (1, 0)
    actuator.close()
    actuator.close()
    with pytest.raises(SourceError):
        csp.controls  # noqa: B018


def test_custom_ai_puts_a_car_somewhere_and_says_whether_it_worked(csp: FakeCsp) -> None:
    actuator = CustomAI(csp.folder)
    assert actuator.reset(Pose(100.0, -50.0, 3.0, 0.5))
    np.testing.assert_allclose(csp.car["position"][0], [-50.0, 3.0, 100.0])
    np.testing.assert_allclose(csp.controls["teleport_dir"], [np.sin(0.5), 0.0, np.cos(0.5)], atol=1e-6)
    assert csp.controls["teleport_to"] == 0
    assert actuator.reset()
    csp.car["speed_kmh"] = 100.0
    assert not actuator.reset()


def test_custom_ai_says_when_nobody_answers(tmp_path: Any) -> None:
    with pytest.raises(SourceError, match="Custom Shaders Patch"):
        CustomAI(str(tmp_path), wait=0.05)
    assert list(tmp_path.iterdir()) == []


def test_the_simulation_is_asked_for_pause_and_speed(tmp_path: Any) -> None:
    simulation = CustomAISimulation(str(tmp_path))
    simulation.set(pause=True, collisions=False, time_scale=4.0)
    with Mapping.open(SIM_STATE_NAME, SIM_STATE.itemsize, str(tmp_path)) as mapping:
        state = np.frombuffer(mapping.read(), SIM_STATE)[0]
        assert (state["pause"], state["disable_collisions"], state["time_scale"]) == (1, 1, 4.0)
        simulation.close()
        assert np.frombuffer(mapping.read(), SIM_STATE)[0]["pause"] == 0


def test_pad_states_begin_at_rest() -> None:
    assert PadState() == (0.0, 0.0, 0.0, False, False, False)
