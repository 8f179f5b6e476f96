"""(g) A judge added to a finished study: its calls, and nothing else.

python -m benchmarks.cases.calls.another_judge [--items 1000]
"""

import argparse
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.big_study import declare, fill
from benchmarks.targets import Target, report
from itemeval_assets import api


def main() -> None:
    """Measure, and report calls and the rate of them beside a first judge's."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--items", type=int, default=1000)
    items = parser.parse_args().items
    with tempfile.TemporaryDirectory() as folder:
        config = declare(Path(folder), prompts=10, judges=10, item_count=items, replications=1)
        fill(config)
        document = yaml.safe_load(config.read_text())
        document["graders"]["another"] = {"model": "mockllm/another"}
        document["facets"]["grader"].append("another")
        document["facets"]["prompt"] = document["facets"]["prompt"][:1]
        config.write_text(yaml.safe_dump(document, sort_keys=False))
        begun = time.perf_counter()
        summary = api.run(config, max_usd=float("inf"))
        seconds = time.perf_counter() - begun
    report(
        [
            Target(
                "calls for another judge",
                summary.calls / items,
                1.0,
                "calls made / solutions to grade; none is generated again",
            )
        ],
        seconds=seconds,
        calls=summary.calls,
        gradings_before=100 * items,
    )


if __name__ == "__main__":
    main()
