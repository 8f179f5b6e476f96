"""Print nominal against actual for every interval, over simulated studies.

    python -m tests.measurement.coverage [--studies N] [--only WORD] [--write] [--strict]

`--write` puts the tables into docs/coverage.md. `--strict` ends with exit code 1 where a figure is
outside of what it should reach: 93-97 % of 95 % intervals, false calls in at most 5 % plus two
Monte Carlo standard errors, planned power and gates as near as docs/coverage.md says. Corners are
shown, and never fail.
"""

import argparse
import multiprocessing
import os
import sys
import time
import zlib
from pathlib import Path

# Before numpy: a study is small, and each process has a core of its own.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

from tests.measurement.coverage.jobs import Job, jobs
from tests.measurement.coverage.page import Reached, page, write

JOBS: list[Job] = []
SEED = 20_261_126


def main() -> None:
    """Run the jobs, those that take longest first, and show them in the order of the page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--studies", type=int, default=2_000)
    parser.add_argument("--only", default="", help="jobs whose section or row has this word")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--strict", action="store_true")
    given = parser.parse_args()
    JOBS.extend(job for job in jobs() if given.only in f"{job.section} {job.row}")
    begun = time.perf_counter()
    places = [(place, given.studies) for place in range(len(JOBS))]
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        found = [one for part in pool.imap(_run, places, chunksize=1) for one in part]
    minutes = (time.perf_counter() - begun) / 60
    text = page(found, given.studies)
    sys.stdout.write(text)
    outside = [one for one in found if not one.is_right]
    sys.stderr.write(
        f"{len(found)} figures of {given.studies:,} studies in {minutes:.1f} minutes;"
        f" {len(outside)} outside of what they should reach\n"
    )
    if given.write:
        write(Path(__file__).parents[3] / "docs" / "coverage.md", text)
    sys.exit(given.strict and bool(outside))


def _run(task: tuple[int, int]) -> list[Reached]:
    place, studies = task
    job = JOBS[place]
    studies = round(studies * job.times)
    name = f"{job.section}/{job.row}/{job.column}"
    random = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    counts: dict[str, float] = {}
    for _ in range(studies):
        for claim, was_right in job.study(random).items():
            counts[claim] = counts.get(claim, 0) + float(was_right)
    return [
        Reached(
            section=job.section,
            row=f"{job.row}: {claim}" if claim else job.row,
            column=job.column,
            share=count / studies,
            studies=studies,
            errs=job.errs,
            warning=job.warning,
            target=job.target,
            within=job.within,
            at_least=job.at_least,
            is_mean=claim in job.means,
        )
        for claim, count in counts.items()
    ]


if __name__ == "__main__":
    main()
