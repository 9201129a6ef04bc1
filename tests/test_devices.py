"""Devices: which there are, what they are called, and the sentence where one is absent."""

from __future__ import annotations

import sys

import pytest
import torch

from benchkit import devices
from benchkit.request import UsageError


def test_the_cpu_is_first():
    """The CPU is always there, and torch agrees on the rest."""
    found = devices.available()
    assert found[0] == "cpu"
    assert (len(found) == 2) == torch.accelerator.is_available()


def test_an_accelerator_is_found(monkeypatch):
    """Whatever torch calls its accelerator is a device of this machine."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    assert devices.available() == ["cpu", "mps"]
    assert devices.check("mps") == "mps"


def test_an_absent_device_is_named():
    """The sentence has the device and what there is."""
    with pytest.raises(UsageError, match="'abacus'; this machine has cpu"):
        devices.check("abacus")


def test_every_device_has_a_name_and_can_be_waited_for():
    """The description is for people and never empty; waiting for the CPU returns at once."""
    for name in devices.available():
        assert devices.describe(name).strip()
        devices.synchronize(name)


def test_synchronize_waits_for_the_accelerator(monkeypatch):
    """The call reaches torch with the device that was named."""
    waited = []
    monkeypatch.setattr(torch.accelerator, "synchronize", waited.append)
    devices.synchronize("cpu")
    devices.synchronize("cuda")
    assert waited == [torch.device("cuda")]


def test_missing_torch_is_told(monkeypatch):
    """Where torch is not installed the command line says so in one sentence."""
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match="torch is not installed"):
        devices.available()
