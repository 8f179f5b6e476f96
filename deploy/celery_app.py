"""What a Celery worker runs: `celery -A deploy.celery_app worker`.

Broker and result backend come from the environment, so that no secret lies in a file.
"""

import os

from dagster_celery.make_app import make_app
from dagster_celery.tasks import create_execute_job_task, create_resume_job_task, create_task

__all__ = ["app", "execute_job", "execute_plan", "resume_job"]

DAY_S = 24 * 3600

app = make_app(
    {"broker": os.environ["CELERY_BROKER_URL"], "backend": os.environ["CELERY_RESULT_URL"]}
)
app.conf.update(
    # A message stays in Redis until a process is free for it: what a worker had fetched in
    # advance would be out of reach of the others when it dies.
    worker_disable_prefetch=True,
    worker_prefetch_multiplier=1,
    # A run in a process of its own, which reads the study as it is now.
    worker_max_tasks_per_child=1,
    # The state of a run is looked up for as long as it runs, and says which worker has it.
    result_expires=30 * DAY_S,
    result_extended=True,
    broker_connection_retry_on_startup=True,
    # A step that nobody has acknowledged for so long is given to another worker.
    broker_transport_options={
        "visibility_timeout": int(os.environ.get("CELERY_VISIBILITY_TIMEOUT_S", DAY_S)),
    },
)

# A step may be run twice: it waits for whoever calls its cells, and then finds them answered. A
# run may not: Dagster ignores the second one, and it would hide that the first has died.
execute_plan = create_task(app, acks_late=True)
execute_job = create_execute_job_task(app)
resume_job = create_resume_job_task(app)
