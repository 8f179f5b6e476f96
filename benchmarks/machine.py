"""What machine a figure is from."""

import os
import platform
from pathlib import Path

import psutil

__all__ = ["machine"]


def machine() -> str:
    """In words: processors, memory, system, Python, and how busy it was at the start."""
    gb, busy = psutil.virtual_memory().total / 1e9, os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {gb:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}, load before {busy:.1f}"
    )


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    names = told.read_text().splitlines() if told.exists() else []
    found = [line.partition(":")[2].strip() for line in names if line.startswith("model name")]
    return next(iter(found), platform.machine())
