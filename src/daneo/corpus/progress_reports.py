"""Reports of a pass's progress, not too many of them."""

from __future__ import annotations

import time

from daneo.progress import Progress, ProgressCallback

SECONDS_BETWEEN = 0.1


class ProgressReports:
    """Calls back at most ten times a second, and once in the end.

    Attributes
    ----------
    num_reports : int
        How many there have been.

    Parameters
    ----------
    callback : callable or None
        Gets each report.
    stage, unit, total
        As in :class:`daneo.progress.Progress`.
    """

    def __init__(self, callback: ProgressCallback | None, stage: str, unit: str, total: int | None) -> None:
        self._callback = callback
        self._stage, self._unit, self._total = stage, unit, total
        self._began = self._reported = time.monotonic()
        self.num_reports = 0

    def report(self, done: int, *, finished: bool = False) -> None:
        """Say how much is done, if the last report was long enough ago or all is finished."""
        now = time.monotonic()
        if self._callback is None or (not finished and now - self._reported < SECONDS_BETWEEN):
            return
        self._reported = now
        self.num_reports += 1
        seconds = now - self._began
        rate = done / seconds if seconds else 0.0
        left = None if self._total is None else 0.0 if finished else max(self._total - done, 0) / rate if rate else None
        self._callback(
            Progress(
                stage=self._stage,
                done=done,
                total=self._total,
                unit=self._unit,
                seconds=seconds,
                rate=rate,
                seconds_left=left,
            )
        )
