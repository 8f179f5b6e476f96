"""Small experiments for tests; in a module, so that other processes can import them."""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from itemeval_assets.experiments import (
    BaseExperiment,
    ExperimentInputSpec,
    ExperimentOutputSpec,
    FileReference,
    experiment,
)

# How often each spec was run in this process.
calls: Counter[str] = Counter()
# Temperatures at which the toy fails, and what it raises then.
failing: dict[float, BaseException] = {}


class Simulation(ExperimentInputSpec):
    temperature: float = Field(description="in kelvin", ge=0)
    pressure: float = Field(description="in pascal", gt=0)
    material: str = Field(description="what is simulated")
    weather: FileReference | None = Field(default=None, description="hourly weather")
    tags: list[str] = Field(default_factory=list)

    @property
    def computed_features(self) -> dict[str, Any]:
        return {"is_hot": self.temperature > 280}


class Energy(ExperimentOutputSpec):
    energy: float
    efficiency: float | None
    report: FileReference


@experiment
def simulate_energy(spec: Simulation, tempdir: Path) -> Energy:
    """Energy and efficiency of a material."""
    calls[str(spec.temperature)] += 1
    if spec.temperature in failing:
        raise failing[spec.temperature]
    weather = spec.fetch("weather").read_text() if spec.weather else "none"
    report = tempdir / "report.txt"
    report.write_text(f"{spec.material} {spec.temperature:g} {weather}")
    hourly = pd.DataFrame({"hour": [0, 1], "load": [spec.temperature, spec.pressure]})
    return Energy(
        energy=spec.temperature * 2,
        efficiency=None if spec.material == "wood" else 95.0,
        report=report,
        dataframes={"hourly": hourly, "error_bars": hourly.head(1)},
    )


class Number(ExperimentInputSpec):
    x: int = 0


class Square(ExperimentOutputSpec):
    square: int
    process: int = 0


@experiment(name="square-numbers", description="Squares.")
def square(spec: Number) -> Square:
    if spec.x < 0:
        raise ValueError(f"{spec.x} is negative")
    return Square(square=spec.x**2, process=os.getpid())


class Deed(ExperimentInputSpec):
    """`does` is done as long as the file `reason` is there."""

    n: int
    does: str = ""
    reason: str = "/"
    log: str | None = None


class Done(ExperimentOutputSpec):
    doubled: int
    process: int


def _deed(spec: Deed) -> Done:
    if spec.log is not None:
        with Path(spec.log).open("a") as file:
            file.write(f"{spec.n}\n")
    if Path(spec.reason).exists():
        _deeds[spec.does](spec)
    return Done(doubled=2 * spec.n, process=os.getpid())


def _allocate(spec: Deed) -> None:
    _kept.append(bytearray(2 * 10**9))


def _raise(spec: Deed) -> None:
    raise ValueError(f"no {spec.n}")


def _interrupt(spec: Deed) -> None:
    raise KeyboardInterrupt


def _raise_any(spec: Deed) -> None:
    raise asyncio.CancelledError(f"no {spec.n}")


def _fork(spec: Deed) -> None:
    """Both sides go on with the spec."""
    os.fork()


def _leave_a_child(spec: Deed) -> None:
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)


def _write_to_all(spec: Deed) -> None:
    for descriptor in range(3, 30):
        with suppress(OSError):
            os.write(descriptor, b"\0\0\0\5junk!")


def _wait(spec: Deed) -> None:
    time.sleep(0.2)


_kept: list[bytearray] = []
_deeds: dict[str, Callable[[Deed], object]] = {
    "": lambda spec: None,
    "exit": lambda spec: os._exit(3),
    "sys.exit": lambda spec: sys.exit(4),
    "crash": lambda spec: ctypes.string_at(0),
    "interrupt": _interrupt,
    "raise any": _raise_any,
    "fork": _fork,
    "leave a child": _leave_a_child,
    "write to all": _write_to_all,
    "kill": lambda spec: os.kill(os.getpid(), signal.SIGKILL),
    "odd signal": lambda spec: os.kill(os.getpid(), 40),
    "hang": lambda spec: time.sleep(3600),
    "allocate": _allocate,
    "raise": _raise,
    "wait": _wait,
}


@experiment
def deed(spec: Deed) -> Done:
    return _deed(spec)


@experiment
def nesting_deed(spec: Deed) -> Done:
    """Starts a run of its own, which is refused."""
    BaseExperiment(deed).allocate([Deed(n=spec.n)])
    return Done(doubled=0, process=0)


@experiment(timeout_s=3, memory="1 GB")
def limited_deed(spec: Deed) -> Done:
    return _deed(spec)


@experiment(retries=2)
def stubborn_deed(spec: Deed) -> Done:
    """Fails twice, then does not."""
    assert spec.log is not None
    result = _deed(spec)
    if Path(spec.log).read_text().split().count(str(spec.n)) < 3 and spec.does == "":
        raise ValueError("not yet")
    return result


def simulations(count: int, **fields: Any) -> list[Simulation]:
    """Specs of distinct temperatures."""
    return [
        Simulation(**{"temperature": float(n), "pressure": 1e5, "material": "steel", **fields})
        for n in range(count)
    ]
