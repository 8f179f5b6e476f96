"""The small documents beside a run's tables, as YAML: manifest, input artifacts, completion."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.text.yaml.strict import load_yaml, yaml_message
from itemeval_assets.experiments.errors import problems

_Record = TypeVar("_Record", bound=BaseModel)


class ExperimentRunManifest(BaseModel):
    """What a run is, and where its parts are. It is written last: a run without is none."""

    # Other writers may add to it; what they add is not ours to refuse.
    model_config = ConfigDict(extra="allow", frozen=True)

    workflow_run_id: str
    experiment_id: str
    experiment_name: str
    specs_uri: str
    io_spec: str
    input_artifacts: str | None = None


class InputArtifacts(BaseModel):
    """URIs of the uploaded input files, by field."""

    model_config = ConfigDict(extra="allow", frozen=True)

    files: dict[str, list[str]] = Field(default_factory=dict)


class Completion(BaseModel):
    """How a run stands.

    `status`: unfinished until the results are gathered; then complete, incomplete (some specs
    failed: the rows of `errors`), or failed (all did). Counts are null while unfinished, and
    for runs of writers who count nothing.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["unfinished", "complete", "incomplete", "failed"] = "unfinished"
    specs: int | None = None
    succeeded: int | None = None
    failed: int | None = None
    finished_at: datetime | None = None

    @property
    def has_results(self) -> bool:
        """Whether the run has ended with at least one row of results."""
        return self.status in ("complete", "incomplete")

    @classmethod
    def of(cls, succeeded: int, failed: int) -> "Completion":
        """The end of a run with so many specs that succeeded and failed."""
        status = "complete" if not failed else "incomplete" if succeeded else "failed"
        return cls(
            status=status,
            specs=succeeded + failed,
            succeeded=succeeded,
            failed=failed,
            finished_at=datetime.now(UTC).replace(microsecond=0),
        )


def to_yaml(document: BaseModel | Mapping[str, Any]) -> bytes:
    """A document as YAML, its keys in their order."""
    plain = document.model_dump(mode="json") if isinstance(document, BaseModel) else document
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True).encode()


def read_record(
    kind: type[_Record],
    data: bytes,
    uri: str,
    remedy: str = "restore the object, or delete its run",
) -> _Record:
    """A document of this kind. Raises StoreError that names the object when it is none."""
    try:
        found = load_yaml(data)
        if isinstance(found, dict):
            return kind.model_validate(found)
        reason = "it is empty" if found is None else "it has no keys"
    except yaml.YAMLError as error:
        reason = yaml_message(error)
    except UnicodeDecodeError:
        reason = "it is no text"
    except ValidationError as error:
        reason = problems(error)
    raise StoreError(f"{uri} is no {kind.__name__}: {reason[:300]}; {remedy}")
