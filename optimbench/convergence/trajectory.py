"""What training leaves behind: the objective of every replica at every recorded step, and the study that they make up.

These are the only things that statistics, tables and figures read; the engine and the results files are the only things
that write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Setting = Mapping[str, float]  # lr, and the second hyperparameter where one is tuned


@dataclass(frozen=True)
class Contender:
    """One curve of every figure: an optimizer with the options that make it another curve than its defaults.

    ``name`` is the class (``Adam``, or the ``module:attribute`` of a user's own), ``label`` what people read, ``options`` the
    constructor arguments other than the learning rate.
    """

    name: str
    label: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trajectories:
    """The replicas of one contender on one problem at one setting, one for each seed; S seeds, T recorded steps.

    ``steps`` (T,): number of optimizer steps made before each record, from 0 on. ``losses`` (S, T): the objective of the
    problem there (NaN or inf where training diverged). ``evaluations`` (S, T): evaluations of loss and gradient made up to
    there. ``step_seconds``: median seconds of one step of one replica that a plain loop trains alone, ``evaluation_seconds``:
    of one evaluation with its share of the step, NaN: not measured.
    ``path``: how the replicas were trained (``stack``, ``views``, ``loop``, ``closure``). ``iterates`` (S, T, 2): the
    parameters of a problem of two variables, None for others. ``parameters`` (S, P): the trained parameters one after another,
    in the order of the problem's ``start``, None where there are more than 1000.
    """

    problem: str
    contender: Contender
    setting: Setting
    seeds: tuple[int, ...]
    steps: NDArray[np.int64]
    losses: Array
    evaluations: NDArray[np.int64]
    step_seconds: float
    path: str
    iterates: Array | None = None
    parameters: Array | None = None
    evaluation_seconds: float = float("nan")

    @property
    def seconds(self) -> Array:
        """What training up to each record takes alone, (T,): evaluations take the time, and a step may make many or few."""
        return np.asarray(np.median(self.evaluations, axis=0) * self.evaluation_seconds)

    @property
    def final(self) -> Array:
        """The objective after the last step, (S,)."""
        return self.losses[:, -1]


@dataclass(frozen=True)
class Tuning:
    """A grid that was tried: ``finals[i]`` holds the final losses (over the tuning seeds) at ``settings[i]``."""

    settings: tuple[Setting, ...]
    finals: Array
    chosen: int  # index of the setting with the best median final loss
    runs: int  # training runs that the tuning cost

    @property
    def at_edge(self) -> bool:
        """Whether the chosen setting lies at an end of the learning rates tried, so that a wider grid could do better."""
        lrs = sorted({setting["lr"] for setting in self.settings})
        return self.settings[self.chosen]["lr"] in (lrs[0], lrs[-1])


@dataclass(frozen=True)
class Study:
    """One problem under one protocol (``same``, ``default``, ``tuned``): what is compared, all on the same seeds.

    ``floor`` (S,): the least objective that is known for the data of each seed (the optimum, or the noise floor), NaN: unknown.
    ``target``: the objective that counts as solved, one number for all contenders and seeds, None: none declared.
    """

    problem: str
    title: str
    protocol: str
    entries: tuple[Trajectories, ...]
    tunings: Mapping[str, Tuning]  # by label of the contender; empty but for the protocol ``tuned``
    floor: Array
    target: float | None
    objective: str  # axis label, with its unit
    optimum: bool = False  # whether ``floor`` is the least value that the objective has, so that no run can lie below it
