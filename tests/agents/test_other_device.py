"""Updates elsewhere than on the host, without a graphics card: on a card of no numbers, and on the host twice over."""

import contextlib
import copy
import importlib

import numpy as np
import pytest
import torch
from replaying import HostRecorder, NotRecordableError
from small_agents import AGENTS, REMEMBERING, agent_of, trained
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from actwin.agents import checkpoints, cuda_graph, device
from actwin.agents.bc import BCConfig, Demonstrations, clone
from actwin.agents.cuda_graph import WARM_UP, Updates
from actwin.agents.device import HOST, LARGE_BATCH, bfloat16_pays, carried, chosen_device
from actwin.agents.losses import midpoints
from actwin.agents.memory_agent import MemoryAgent
from actwin.agents.networks import ActionSpec, Policy
from actwin.agents.optimiser import Adam
from actwin.agents.ppo import PPO
from actwin.agents.replay import Transitions
from actwin.errors import ConfigError

CARD = torch.device("meta")
LOADING = "ignore:for .* copying from a non-meta"
"""Nothing is loaded into a tensor that holds nothing."""


def same(first, second) -> bool:
    ours, theirs = tree_leaves(first), tree_leaves(second)
    return len(ours) == len(theirs) and all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(ours, theirs, strict=True)
    )


# On the host twice over: weights that are not brought home, or a replay that is not the update, would show.


@pytest.fixture
def abroad(monkeypatch):
    """Makes agents whose networks learn in other memory than they drive from, by recorded updates."""

    def elsewhere(network, device):
        return copy.deepcopy(network)

    monkeypatch.setattr(device, "on", elsewhere)
    for module in ("off_policy", "iqn", "ppo", "bc"):
        monkeypatch.setattr(importlib.import_module(f"actwin.agents.{module}"), "on", elsewhere)

    def make(name: str):
        agent = agent_of(name)
        if isinstance(agent, MemoryAgent):
            agent.on_device = Updates(HOST, HostRecorder())
        return agent

    return make


@pytest.mark.parametrize("name", AGENTS)
def test_learning_elsewhere_and_replayed_is_the_same_to_the_bit(name, abroad, monkeypatch):
    other = abroad(name)
    shown, env = trained(other, 6)
    half = copy.deepcopy((other.state(), other.memory and other.memory.state()))
    place = copy.deepcopy(env)
    more, _ = trained(other, 4, env)
    if name != "ppo":
        recorder = other.on_device._recorder
        kinds = len(other.on_device._kinds)
        assert recorder.recorded == kinds >= 2
        assert recorder.warmed == kinds * WARM_UP
        assert recorder.replayed == other.updates - recorder.warmed > 10
    resumed = abroad(name)
    resumed.load_state(half[0])
    if half[1]:
        resumed.memory.load_state(half[1])
    again, _ = trained(resumed, 4, place)
    assert again == more
    assert same(resumed.state(), other.state())
    monkeypatch.undo()
    home = agent_of(name)
    wanted, at_home = trained(home, 6)
    assert shown == wanted
    assert more == trained(home, 4, at_home)[0]
    assert same(other.state(), home.state())
    assert np.array_equal(other.policy.decide(env.observation), home.policy.decide(env.observation))


def test_cloning_elsewhere_is_the_same_to_the_bit(abroad, monkeypatch):
    random = np.random.default_rng(0)
    shown = Demonstrations(
        random.normal(size=(300, 3)).astype(np.float32), random.uniform(-1, 1, (300, 1)).astype(np.float32),
        np.arange(300) // 50,
    )  # fmt: skip
    config, policies = BCConfig(epochs=3, batch=64), []
    for _ in range(2):
        torch.manual_seed(0)
        policies.append(Policy(3, ActionSpec(1), (16,)))
        clone(policies[-1], shown, config, 0)
        monkeypatch.undo()
    assert same(policies[0].state_dict(), policies[1].state_dict())


# What the stand-in for graphs refuses, or lets go wrong as a graph would


class Counted:
    """Updates that go wrong in the ways updates do; `right` does not."""

    def __init__(self, how: str) -> None:
        self.how, self.total, self.calls = how, torch.zeros(()), 0
        self.updates = Updates(HOST, HostRecorder()) if how != "plain" else Updates(HOST)
        self.generator = torch.Generator().manual_seed(0)

    def _update(self) -> dict[str, torch.Tensor]:
        drawn = self.updates.bring(lambda: torch.rand((), generator=self.generator))
        scale = self.updates.bring(lambda: torch.tensor(float(self.calls)))
        if self.how == "reads a Python value":
            scale = float(self.calls)
        if self.how == "reads a number" and drawn.item() < 0.0:
            raise AssertionError
        if self.how == "draws itself":
            drawn = drawn + 0.0 * torch.rand(())
        if self.how == "reallocates":
            self.total = self.total + scale * drawn
        else:
            self.total.add_(scale * drawn)
        return {"total": self.total}

    def run(self, count: int) -> list[float]:
        told = []
        for _ in range(count):
            self.calls += 1
            told.append(self.updates.run(None, self._update)["total"])
        return told


def test_a_replayed_update_goes_on_where_the_others_ended():
    assert Counted("right").run(9) == Counted("plain").run(9)


@pytest.mark.parametrize("how", ["reads a Python value", "reallocates"])
def test_what_a_graph_would_repeat_shows(how):
    wrong, plain = Counted(how).run(9), Counted("plain").run(9)
    assert wrong[:WARM_UP] == plain[:WARM_UP]
    assert wrong[-1] != plain[-1]


@pytest.mark.parametrize("how", ["reads a number", "draws itself"])
def test_what_a_graph_cannot_hold_is_refused(how):
    with pytest.raises(NotRecordableError):
        Counted(how).run(WARM_UP + 1)


# On a card of no numbers: torch's meta device, whose tensors know their shape only


class MixedError(Exception):
    """Tensors of two devices in one operation."""


class Card(TorchDispatchMode):
    """Lets tensors cross by a copy and in no other way, not even scalars and indices, which torch would take.

    Args:
        number: What is said to whoever looks at a number on the card; None refuses.
    """

    def __init__(self, number: float | None = None) -> None:
        super().__init__()
        self.number, self.crossings = number, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        found = {each.device.type for each in tensors}
        if func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.item.default) and found == {"meta"}:
            if self.number is None:
                raise NotRecordableError("a number on the card is looked at")
            return self.number
        if func is torch.ops.aten.copy_.default and found == {"cpu", "meta"}:
            self.crossings += 1
            return func(*args, **kwargs) if args[0].device == CARD else args[0].zero_()
        if func is torch.ops.aten._to_copy.default and found == {"meta"} and kwargs.get("device") == HOST:
            return torch.zeros(args[0].shape, dtype=args[0].dtype)
        if len(found) > 1:
            raise MixedError(f"{func} of {[(each.device.type, tuple(each.shape)) for each in tensors]}")
        return func(*args, **kwargs)


def places(tree) -> set[str]:
    return {each.device.type for each in tree_leaves(tree) if isinstance(each, torch.Tensor)}


@pytest.fixture
def unread(monkeypatch):
    """What updates tell stays on the card."""
    monkeypatch.setattr(cuda_graph, "_read", lambda shown: dict.fromkeys(shown.names, float(places(shown) == {"meta"})))


@pytest.mark.filterwarnings(LOADING)
@pytest.mark.parametrize("name", REMEMBERING)
def test_an_agent_with_a_memory_learns_on_the_card_and_drives_on_the_host(name, unread):
    with Card() as card:
        agent = agent_of(name, CARD)
        told, _ = trained(agent, 4)
        told = {
            each: value for shown in told for each, value in shown.items() if each not in ("updates", "clone_weight")
        }
        assert set(told.values()) == {1.0}
        assert told.keys() >= ({"loss", "margin_loss"} if name == "iqn" else {"critic_loss", "actor_loss"})
        crossings, drawn = card.crossings, agent.updates
        agent.learn()
        assert card.crossings - crossings <= 4  # batch, noise twice, weight of the clone
        assert agent.updates == drawn + 1
        for part in agent.parts().values():
            home = {"cpu"} if part is agent.policy else {"meta"}
            assert places(part.parameters if isinstance(part, Adam) else list(part.parameters())) == home
        assert places([agent.weights()[1], agent.evidence()]) == {"cpu"}
        agent.load_state(carried(agent.state(), HOST))


@pytest.mark.filterwarnings(LOADING)
def test_ppo_learns_on_the_card_and_drives_on_the_host(monkeypatch):
    monkeypatch.setattr(PPO, "_precision", lambda agent: contextlib.nullcontext())
    adam = importlib.import_module("torch.optim.adam")
    monkeypatch.setattr(adam, "_device_dtype_check_for_fused", lambda *given: None)
    with Card(number=1.0):
        agent = agent_of("ppo", CARD)
        told, _ = trained(agent, 3)
        assert told[-1]["policy_loss"] == told[-1]["clone_penalty"] == 1.0
        assert places([*agent.learner.parameters(), *agent.critic.parameters(), *agent.critic.buffers()]) == {"meta"}
        assert places([agent.policy.state_dict(), agent._acting.home.state_dict(), agent.evidence()]) == {"cpu"}
        agent.load_state(carried(agent.state(), HOST))


def test_cloning_on_the_card():
    random = np.random.default_rng(0)
    shown = Demonstrations(
        random.normal(size=(90, 3)).astype(np.float32), np.zeros((90, 2), np.float32), np.arange(90) // 30
    )
    policy = Policy(3, ActionSpec(1, 2), (8,))
    with Card(number=0.5):
        history = clone(policy, shown, BCConfig(epochs=2, batch=32), 0, device=CARD)
    assert history[-1].validation_loss == 0.5
    assert places(policy.state_dict()) == {"cpu"}


def test_what_is_forgotten_on_the_host_is_found(unread):
    with Card():
        agent = agent_of("qr_sac", CARD)
        agent.fractions = midpoints(8)
        with pytest.raises(MixedError):
            trained(agent, 1)


def test_a_look_at_a_number_is_found(unread, monkeypatch):
    with Card():
        agent = agent_of("td3", CARD)
        monkeypatch.setattr(agent, "_spread", lambda values: {"spread": torch.tensor(values.std().item())})
        with pytest.raises(NotRecordableError):
            trained(agent, 1)


def test_checkpoints_hold_nothing_of_the_card(tmp_path):
    with Card():
        agent = agent_of("sac", CARD)
        content = dict.fromkeys(checkpoints.REQUIRED, checkpoints.FORMAT) | {"agent": agent.state()}
        assert places(content) == {"cpu", "meta"}
        checkpoints.save_checkpoint(tmp_path / "last.pt", content)
    kept = checkpoints.load_checkpoint(tmp_path / "last.pt")["agent"]
    assert places(kept) == {"cpu"}
    agent_of("sac").load_state(kept)


# Which device


def test_devices_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("cpu") == chosen_device("auto") == HOST
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ConfigError, match="Install torch's CUDA build"):
        chosen_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with pytest.raises(ConfigError, match="nvidia-smi"):
        chosen_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    assert chosen_device("cpu") == HOST
    assert chosen_device("cuda") == chosen_device("auto") == torch.device("cuda", 1)


def test_half_precision_where_it_pays(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    card = torch.device("cuda", 0)
    assert bfloat16_pays(card, LARGE_BATCH)
    assert not bfloat16_pays(card, LARGE_BATCH - 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert not bfloat16_pays(card, LARGE_BATCH)


def test_trees_are_carried_as_they_are():
    tree = {"a": [torch.ones(1), (2, "b")], "c": Transitions(*torch.zeros(5, 2)), "d": None}
    there = carried(tree, HOST)
    assert isinstance(there["c"], Transitions)
    assert there["a"][1] == (2, "b")
    assert there["a"][0] is tree["a"][0]
