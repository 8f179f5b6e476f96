"""solutions: one row per generate condition x item x epoch."""

from itemeval_assets.core.design.partitions import Partition

from .calls.making import make_calls
from .calls.stage_run import Scope, StageRun
from .outcome import Outcome
from .prompt_solutions import SolutionCaller


def generate(run: StageRun, partitions: list[Partition]) -> Outcome:
    """Call the models for the pending cells of these generate conditions."""
    caller = caller_of(run)
    outcome = make_calls(caller, run, partitions, partitions)
    caller.finish(run)
    return outcome


def caller_of(scope: Scope) -> SolutionCaller:
    """What makes the solutions of a study: calls of its prompts, a task, or logs of a task."""
    benchmark = scope.study.config.benchmark
    if benchmark.ref is None:
        return SolutionCaller(scope)
    from .tasks.solutions import LogCaller, TaskCaller  # noqa: PLC0415 (loads what only tasks need)

    return LogCaller(scope) if benchmark.from_logs else TaskCaller(scope)
