"""What becomes of a gradient on its way back through the steps, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, Self

import torch
from torch import Tensor

FAR = 1000.0  # times as much is an explosion, and one part in as many is as good as gone


class GradientDecline(NamedTuple):
    """The gradient at each step back from where the loss enters, in parts of that: see :class:`GradientFlow`.

    Attributes
    ----------
    relative : Tensor of shape (N,)
        The mean over the rows that reach as far, beginning with 1; infinite from an overflow on; empty if there is no
        gradient, or if it is not finite from the start.
    finite : bool
        Whether the gradient is finite where the loss enters.
    """

    relative: Tensor
    finite: bool

    @classmethod
    def of(cls, rows: Iterable[Tensor]) -> Self:
        """Bring rows of norms together: those of each row's steps that count, from the last step to the first.

        Examples
        --------
        >>> rows = [torch.tensor([0.0, 2.0, 1.0, 0.5]), torch.tensor([4.0, 2.0])]
        >>> GradientDecline.of(rows).relative
        tensor([1.0000, 0.5000, 0.2500])
        """
        profiles = []
        for row in rows:
            entered = row[int((row != 0).to(torch.int8).argmax()) :] if row.any() else row[:0]
            if len(entered) and not entered[0].isfinite():
                return cls(row[:0], finite=False)
            if len(entered):
                profiles.append(torch.where(entered.isnan(), torch.inf, entered / entered[0]))
        longest = max(map(len, profiles), default=0)
        padded = [torch.cat([one, one.new_full((longest - len(one),), torch.nan)]) for one in profiles]
        return cls(torch.stack(padded).nanmean(0) if padded else torch.empty(0), finite=True)

    @property
    def ratio(self) -> float:
        """The gradient at the furthest step."""
        return float(self.relative[-1]) if len(self.relative) else math.nan

    @property
    def explodes(self) -> bool:
        """Whether it is more than 1000 somewhere."""
        return bool((self.relative > FAR).any())

    @property
    def vanishes(self) -> bool:
        """Whether it is less than 1/1000 at the furthest step, and has not exploded."""
        return not self.explodes and self.ratio < 1 / FAR

    @property
    def rate(self) -> float:
        """The factor of one step back: the least-squares line through the logarithms of what is neither 0 nor inf."""
        steps = torch.arange(len(self.relative), dtype=torch.float64)
        usable = (self.relative > 0) & self.relative.isfinite()
        if usable.sum() < 2:
            return math.nan
        steps, logarithms = steps[usable], self.relative[usable].double().log()
        steps = steps - steps.mean()
        return math.exp(float((steps * logarithms).sum() / steps.square().sum()))

    def in_words(self) -> str:
        """Say whether it vanishes, explodes or holds, and where."""
        if not self.finite:
            return "The gradient is not finite where the loss enters."
        if not len(self.relative):
            return "The gradient is zero at every step: the loss does not depend on what the layer read."
        if len(self.relative) == 1:
            return "The loss enters at the first step that was read: there is no way back to measure."
        furthest = f"{_back(len(self.relative) - 1)} it is {self.ratio:.3g} times what it is where the loss enters"
        each = "" if math.isnan(self.rate) else f" It changes by a factor of {self.rate:.3g} a step."
        if self.explodes:
            first = int((self.relative > FAR).to(torch.int8).argmax())
            return f"The gradient explodes: {furthest}, and more than a thousandfold at {_back(first)}.{each}"
        if self.vanishes:
            first = int((self.relative >= 1 / FAR).nonzero()[-1]) + 1
            return f"The gradient vanishes: {furthest}, and less than a thousandth from {_back(first)} on.{each}"
        return f"The gradient holds: {furthest}.{each}"


def _back(steps: int) -> str:
    return f"{steps} step{'s' * (steps != 1)} back"
