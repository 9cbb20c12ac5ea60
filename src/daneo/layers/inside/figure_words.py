"""Words below the steps of a figure, in a font that has their letters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from daneo.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Looked at first among the installed fonts: what systems and Linux distributions have for Korean, and for much else.
_LIKELY = (
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic"),
    *("Noto Sans", "DejaVu Sans"),
)
_MOST_NUMBERS = 20  # below the steps; words are all written


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that many inches, which belongs to no window.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    """
    figure: Figure = require("matplotlib.figure", extra="plots", purpose="Drawing a figure").Figure(
        figsize=(width, height), layout="constrained"
    )
    return figure


def label_steps(axes: Axes, words: Sequence[str] | None, steps: int) -> None:
    """Write words below the steps 0 to `steps` - 1, or number them."""
    families = None if words is None else families_for(words)
    if words is None or families is None:
        axes.set_xticks(range(0, steps, next(stride for stride in _strides() if steps <= stride * _MOST_NUMBERS)))
        axes.set_xlabel("step" if words is None else "step (no installed font has the letters of all words)")
        return
    upright = max(map(len, words), default=0) <= 2
    axes.set_xticks(
        range(steps),
        # A dollar sign would begin a formula.
        [word.replace("$", r"\$") for word in words],
        rotation=0 if upright else 90,
        fontfamily=families,
    )


def _strides() -> Iterator[int]:
    """Yield 1, 2, 5, 10, 20, 50 and so on."""
    return (factor * 10**power for power in itertools.count() for factor in (1, 2, 5))


def families_for(words: Iterable[str]) -> list[str] | None:
    """Name the fonts to write `words` in: the usual ones, and what else they need; None if a letter is in no font."""
    matplotlib = require("matplotlib", extra="plots", purpose="Drawing a figure")
    manager = require("matplotlib.font_manager", extra="plots", purpose="Drawing a figure")
    letters = {letter for word in words for letter in word if letter.isprintable() and not letter.isspace()}

    def left_over(path: str) -> set[str]:
        font = manager.get_font(path)
        return {letter for letter in letters if not font.get_char_index(ord(letter))}

    families: list[str] = list(matplotlib.rcParams["font.family"])
    for family in families:
        letters = left_over(manager.findfont(manager.FontProperties(family=[family])))
    upright = {
        entry.name: entry.fname
        for entry in manager.fontManager.ttflist
        if entry.style == "normal" and entry.weight in (400, "normal", "regular")
    }
    likely = [family for family in _LIKELY if family in upright]
    for family in [*likely, *sorted(upright.keys() - {*likely, *families})]:
        # Last Resort has for every letter a picture that names its script.
        if letters and not family.startswith("Last Resort") and len(rest := left_over(upright[family])) < len(letters):
            families, letters = [*families, family], rest
    return None if letters else families
