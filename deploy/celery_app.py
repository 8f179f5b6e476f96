"""What a Celery worker runs: `celery -A deploy.celery_app worker`.

Broker and result backend come from the environment, so that no secret lies in a file.
"""

import gc
import os
from importlib import import_module
from importlib.util import find_spec

from celery.signals import worker_init
from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task, create_task
from inspect_ai.model import get_model_info

__all__ = ["app", "execute_job", "execute_plan", "resume_job"]

DAY_S = 24 * 3600
# What runs load, beside what these load.
PACKAGES = (
    "dagster_aws.s3.compute_log_manager",
    "deploy.postgres",
    "inspect_ai.agent._acp.server",
    "itemeval_assets.defs.build",
    "itemeval_assets.engine.calls.models",
    "itemeval_assets.report.plots.certainty",
    "itemeval_assets.report.plots.results",
    "itemeval_assets.report.views.money",
    "itemeval_assets.report.views.results",
    "itemeval_assets.stages.calls.gate",
    "itemeval_assets.stages.calls.making",
    "itemeval_assets.stages.figures.judges.agreement",
    "itemeval_assets.stages.figures.comparisons.comparisons",
    "itemeval_assets.stages.figures.items.item_statistics",
    "itemeval_assets.stages.figures.reliability",
    "itemeval_assets.stages.figures.scores.scores",
    "itemeval_assets.stages.gradings_long",
    "itemeval_assets.stages.views.status",
    "itemeval_assets.storage.objects.s3",
    "matplotlib.backends.backend_agg",
    "pandas",
    "psycopg2.extras",
    "pyarrow.dataset",
    "scipy.special",
    "upath.implementations.local",
)

app = make_app(
    {"broker": os.environ["CELERY_BROKER_URL"], "backend": os.environ["CELERY_RESULT_URL"]}
)
app.conf.update(
    # A message stays in Redis until a process is free for it: what a worker had fetched in
    # advance would be out of reach of the others when it dies.
    worker_disable_prefetch=True,
    worker_prefetch_multiplier=1,
    # A run in a process of its own, which loads the study as the code location has it.
    worker_max_tasks_per_child=1,
    worker_pool="deploy.celery_pool:TaskPool",
    # The state of a run is looked up for as long as it runs, and says which worker has it.
    result_expires=30 * DAY_S,
    result_extended=True,
    broker_connection_retry_on_startup=True,
    # A step that nobody has acknowledged for so long is given to another worker.
    broker_transport_options={
        "visibility_timeout": int(os.environ.get("CELERY_VISIBILITY_TIMEOUT_S", DAY_S)),
    },
)


@worker_init.connect
def load_packages(**_: object) -> None:
    """Load once what every run needs: the process of a run is a copy of this one."""
    if os.environ.get("ITEMEVAL_ASSETS_EXECUTOR") == "multiprocess":
        raise SystemExit(
            "ITEMEVAL_ASSETS_EXECUTOR=multiprocess: a run on a Celery worker cannot start "
            "processes; use in_process or celery"
        )
    for package in PACKAGES:
        import_module(package)
    if find_spec("openai"):  # nearly all providers speak its protocol
        import_module("inspect_ai.model._providers.openai_compatible")
    get_model_info("openai/gpt-4o")  # inspect_ai reads what it knows of all models
    gc.collect()
    gc.freeze()  # a collection would write to all of its memory, which copies share


# A step may be run twice: it waits for whoever calls its cells, and then finds them answered. A
# run may not: Dagster ignores the second one, and it would hide that the first has died.
execute_plan = create_task(app, acks_late=True)
execute_job = create_execute_job_task(app)
resume_job = create_resume_job_task(app)
