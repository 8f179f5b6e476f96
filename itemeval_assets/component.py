"""A study as a component of a `dg` project: its asset graph, from a `defs.yaml`."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from weakref import WeakKeyDictionary

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from dagster.components.core.defs_module import ComponentLoc, find_defs_or_component_yaml
from pydantic import Field

from .core.config.deployment import replaced_keys
from .core.design.study import Study
from .core.errors import ConfigError, ItemevalAssetsError
from .dagster_io.naming.names import Labels, identifier
from .defs.broken import BrokenStudy, broken_definitions, group_of, is_validation, problem_in
from .defs.build import require_own_name, shared_definitions, study_definitions
from .defs.snapshots import load_in_location
from .project import add_study
from .settings import Settings


class StudyScaffolder(dg.Scaffolder):
    """Writes a study that runs at once, on mock models, and the component that names it."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        folder = request.target_path
        add_study(request.project_root or folder, folder, _study_name(folder.name))
        if request.scaffold_format == "python":
            (folder / "component.py").write_text(_PYTHON, encoding="utf-8")
        else:
            scaffold_component(request, {"study": "study.yaml"})


_PYTHON = """\
import dagster as dg
from itemeval_assets import StudyComponent


@dg.component_instance
def load(context: dg.ComponentLoadContext) -> StudyComponent:
    return StudyComponent(study="study.yaml")
"""


# All assets of a study have the same labels: what Dagster says of one, it says of all.
_ANY_ASSET = "asset"


@dg.scaffold_with(StudyScaffolder)
class StudyComponent(dg.Component, dg.Model, dg.Resolvable):
    """A study that measures language models: its tables, checks and export as assets.

    The scaffold runs at once, on mock models. Runs use the executor of the project.
    """

    study: Annotated[str, Field(description="the study's YAML file, relative to this file")]
    output_dir: Annotated[
        str | None, Field(description="where results go, in the place of `output_dir` of the YAML")
    ] = None
    budget: Annotated[
        dict[str, Any] | None,
        Field(description="keys of `budget`, each in the place of that of the YAML"),
    ] = None
    started: Annotated[
        bool | str | None,  # a variable of the environment is a text
        Field(description="in the place of `automation.started` of the YAML: true or false"),
    ] = None
    group: Annotated[
        str | None, Field(description="the group of its assets; default: the study's name")
    ] = None
    tags: Annotated[dict[str, str] | None, Field(description="tags of all its assets")] = None
    owners: Annotated[
        list[str] | None,
        Field(description="owners of all its assets; default: ITEMEVAL_ASSETS_OWNERS"),
    ] = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset graph; of a study that is wrong, or whose name is taken, what is wrong.

        Raises ConfigError for such a study where the definitions are only validated.
        """
        settings = Settings()
        file, project, own = _file(context), _project(context, settings), context.component_loc
        path = file.parent / Path(self.study).expanduser()

        def load() -> Study:
            replaced = replaced_keys(self._replaces(), f"{file}: attributes")
            with _in_attribute(f"{file}: attributes.study"):
                study = load_in_location(path, f"component {file}", replaced)
                require_own_name(study, project.others(own))
            self._require_labels(study, settings, f"{file}: attributes")
            return study

        study, problem = project.add(own, path, load)
        if study is not None:
            return dg.Definitions.merge(
                study_definitions(study, settings, self._labels(study, settings)),
                project.part_of(own),
            )
        if is_validation():
            raise ConfigError(problem)
        broken = BrokenStudy(path, problem, lambda: project.add(own, path, load)[1] or None)
        return broken_definitions(broken, project.group_of_broken(own, path), settings)

    def _replaces(self) -> dict[str, Any]:
        return {"output_dir": self.output_dir, "budget": self.budget, "started": self.started}

    def _require_labels(self, study: Study, settings: Settings, where: str) -> None:
        """Raise ConfigError for a group, tags or owners that Dagster does not take."""
        labels = self._labels(study, settings)
        owned_by = "ITEMEVAL_ASSETS_OWNERS" if self.owners is None else f"{where}.owners"
        for place, with_them in (
            (f"{where}.group", lambda: dg.AssetSpec(_ANY_ASSET, group_name=labels.group)),
            (f"{where}.tags", lambda: dg.AssetSpec(_ANY_ASSET, tags=labels.tags)),
            (owned_by, lambda: dg.AssetSpec(_ANY_ASSET, owners=labels.owners)),
        ):
            try:
                with_them()
            except dg.DagsterInvalidDefinitionError as error:
                said = str(error).replace(f" for asset '{dg.AssetKey(_ANY_ASSET)}'", "")
                raise ConfigError(f"{place}: {said}") from None

    def _labels(self, study: Study, settings: Settings) -> Labels:
        owners = settings.owner_list() if self.owners is None else self.owners
        return Labels(self.group or identifier(study), owners, self.tags or {})


@contextmanager
def _in_attribute(attribute: str) -> Iterator[None]:
    """Say of an error which attribute it is about."""
    try:
        yield
    except ItemevalAssetsError as error:
        raise type(error)(f"{attribute}: {error}") from None


def _file(context: dg.ComponentLoadContext) -> Path:
    """Where a component is declared: a Python file, or the YAML in its folder."""
    if context.path.is_file():
        return context.path
    return find_defs_or_component_yaml(context.path) or context.path / "defs.yaml"


class _Broken(NamedTuple):
    file: str
    group: str


@dataclass
class _Project:
    """What the components of one `dg` project share, and the studies loaded so far."""

    studies: dict[ComponentLoc, Study]
    shared: dg.Definitions
    broken: dict[ComponentLoc, _Broken]

    def add(
        self, component: ComponentLoc, path: Path, load: Callable[[], Study]
    ) -> tuple[Study | None, str]:
        """The study of a component, or what is wrong with it."""
        problems: list[str] = []
        with problem_in(path, problems.append):
            study = load()
            self.studies[component] = study
            return study, ""
        self.studies.pop(component, None)
        return None, "\n".join(problems)

    def others(self, component: ComponentLoc) -> list[Study]:
        return [study for other, study in self.studies.items() if other != component]

    def group_of_broken(self, component: ComponentLoc, path: Path) -> str:
        taken = [found.group for other, found in self.broken.items() if other != component]
        self.broken[component] = _Broken(str(path.resolve()), group_of(path, taken))
        return self.broken[component].group

    def part_of(self, component: ComponentLoc) -> dg.Definitions:
        """What a component gives of what all share: the first one gives the sensors."""
        if component == next(iter(self.studies)):
            return self.shared
        return dg.Definitions(resources=self.shared.resources)


# Dagster merges the components' definitions, and takes a resource that several of them name only
# where it is one and the same object. A project is known by the state that loading it keeps.
_PROJECTS: WeakKeyDictionary[Any, _Project] = WeakKeyDictionary()


def _project(context: dg.ComponentLoadContext, settings: Settings) -> _Project:
    tree = context.component_tree.state_tracker
    if tree not in _PROJECTS:
        studies: dict[ComponentLoc, Study] = {}
        broken: dict[ComponentLoc, _Broken] = {}
        shared = shared_definitions(
            studies.values(), lambda: [found.file for found in broken.values()], settings
        )
        _PROJECTS[tree] = _Project(studies, shared, broken)
    return _PROJECTS[tree]


def _study_name(folder: str) -> str:
    """A folder's name as the name of a study: small letters, digits, `_` and `-`."""
    return re.sub(r"[^a-z0-9_-]", "_", folder.lower()).strip("_-")[:64] or "my_study"
