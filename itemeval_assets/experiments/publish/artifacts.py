"""Input files, published with the run: artifacts/<field>/<file name>."""

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from itemeval_assets.experiments.errors import SpecError
from itemeval_assets.experiments.layout.keys import RunPlace
from itemeval_assets.experiments.layout.records import InputArtifacts
from itemeval_assets.experiments.spec.files import file_fields, is_local, require_local_file
from itemeval_assets.experiments.spec.models import ExperimentInputSpec
from itemeval_assets.storage.objects.backends import Backend


@dataclass(frozen=True)
class InputFiles:
    """{field: {name of the artifact: a local file, or what it holds}}."""

    by_field: Mapping[str, Mapping[str, Path | bytes]] = field(default_factory=dict)

    def upload(self, backend: Backend, place: RunPlace) -> InputArtifacts:
        """Write the files; where they are."""
        uris: dict[str, list[str]] = {}
        for name, files in self.by_field.items():
            for file_name, content in files.items():
                key = place.artifact(name, file_name)
                if isinstance(content, Path):
                    backend.upload(content, key)
                else:
                    backend.update(key, lambda _, content=content: content)
                uris.setdefault(name, []).append(backend.uri(key))
        return InputArtifacts(files=uris)

    def references(
        self, spec: ExperimentInputSpec, backend: Backend, place: RunPlace
    ) -> dict[str, str | Path]:
        """{field: URI of the upload} of the spec's local files."""
        given = {name: getattr(spec, name) for name in self.by_field}
        return {
            name: _reference(backend.uri(place.artifact(name, Path(value).name)))
            for name, value in given.items()
            if value is not None and is_local(value)
        }


def collect_local_files(specs: Sequence[ExperimentInputSpec]) -> InputFiles:
    """The local files of specs of one type. Two paths of one name and content are one artifact.

    Raises SpecError for a file that is missing, and for two files of one name and different
    content in one field: they would be one artifact.
    """
    found: dict[str, dict[str, Path]] = {}
    known: set[tuple[str, Path]] = set()
    fields = file_fields(type(specs[0])) if specs else ()
    for number, spec in enumerate(specs):
        for name in fields:
            value = getattr(spec, name)
            if value is None or not is_local(value) or (name, Path(value)) in known:
                continue
            path = require_local_file(value, f"spec {number}: {name}").absolute()
            known.add((name, Path(value)))
            other = found.setdefault(name, {}).setdefault(path.name, path)
            if other != path and not filecmp.cmp(other, path, shallow=False):
                raise SpecError(
                    f"spec {number}: {name}: {path} and {other} are two files of one name; "
                    "rename one of them"
                )
    return InputFiles({name: dict(sorted(files.items())) for name, files in found.items()})


def _reference(uri: str) -> str | Path:
    """A file reference as validation makes it: a path is a Path, a URL is text."""
    return Path(uri) if is_local(uri) else uri
