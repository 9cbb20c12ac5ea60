"""What every result says: the machine, the versions, the median and the spread of each figure."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def machine(threads: int) -> dict[str, Any]:
    """Return what the figures depend on."""
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return {"processor": model, "cores": os.cpu_count(), "threads": threads, "python": platform.python_version()}


def versions(*packages: str) -> dict[str, str]:
    """Return the installed version of each package."""
    return {package: importlib.metadata.version(package) for package in packages}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "runs": len(values)}


def write(name: str, report: dict[str, Any]) -> None:
    """Write a result beside the others and print it."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"name": name, **report}, indent=2, default=float)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
