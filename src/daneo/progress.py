"""What a long computation reports while it runs. The command line draws it; a library user may pass any callable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One report.

    Attributes
    ----------
    stage : str
        What is going on, as a verb: ``"reading"``, ``"training"``.
    done : int
        Units finished so far.
    total : int or None
        Units in all; ``None`` where nobody can know, as for standard input.
    unit : str
        ``"words"``, ``"bytes"`` or ``"pairs"``.
    seconds : float
        Wall-clock time since the stage began (since it resumed, after ``--resume``).
    rate : float
        Units a second.
    seconds_left : float or None
        Estimate from the rate; ``None`` without a total.
    epoch, epochs : int
        The epoch running, from 1, and how many there are; 0 outside training.
    loss : float or None
        True mean loss of a training example over the epoch so far.
    learning_rate : float or None
        The step size now.
    """

    stage: str
    done: int
    total: int | None
    unit: str
    seconds: float
    rate: float
    seconds_left: float | None = None
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    learning_rate: float | None = None


ProgressCallback = Callable[[Progress], None]
