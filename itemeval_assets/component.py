"""A study as a component of a `dg` project: its asset graph, from a `defs.yaml`."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component
from dagster.components.core.defs_module import ComponentLoc, find_defs_or_component_yaml
from pydantic import Field

from .core.design.study import Study
from .core.errors import ConfigError
from .defs.broken import BrokenStudy, broken_definitions, group_of, is_validation, problem_in
from .defs.build import require_own_name, shared_definitions, study_definitions
from .defs.snapshots import load_in_location
from .project import write_study
from .settings import Settings


class StudyScaffolder(dg.Scaffolder):
    """Writes a study that runs at once, on mock models, and the component that names it."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        folder = request.target_path
        write_study(folder, _study_name(folder.name))
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


@dg.scaffold_with(StudyScaffolder)
class StudyComponent(dg.Component, dg.Model, dg.Resolvable):
    """A study that measures language models: its tables, checks and export as assets.

    The scaffold runs at once, on mock models. Runs use the executor of the project.
    """

    study: Annotated[str, Field(description="the study's YAML file, relative to this file")]
    owners: Annotated[
        list[str] | None,
        Field(description="owners of all its assets; default: ITEMEVAL_ASSETS_OWNERS"),
    ] = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The asset graph; of a study that is wrong, or whose name is taken, what is wrong.

        Raises ConfigError for such a study where the definitions are only validated.
        """
        settings = Settings()
        if self.owners is not None:
            settings = settings.model_copy(update={"owners": ",".join(self.owners)})
        file, project, own = _file(context), _project(context, settings), context.component_loc
        path = file.parent / Path(self.study).expanduser()
        study, problem = project.add(own, path)
        if study is not None:
            return dg.Definitions.merge(
                study_definitions(study, settings), project.part_of(context.component_loc)
            )
        problem = f"{file}: attributes.study: {problem}"
        if is_validation():
            raise ConfigError(problem)
        broken = BrokenStudy(path, problem, lambda: project.add(own, path)[1])
        return broken_definitions(broken, project.group_of_broken(own, path), settings)


def _file(context: dg.ComponentLoadContext) -> Path:
    """Where a component is declared: a Python file, or the YAML in its folder."""
    if context.path.is_file():
        return context.path
    return find_defs_or_component_yaml(context.path) or context.path / "defs.yaml"


@dataclass
class _Project:
    """What the components of one `dg` project share, and the studies loaded so far."""

    studies: dict[ComponentLoc, Study]
    shared: dg.Definitions
    broken: dict[ComponentLoc, str] = field(default_factory=dict)

    def add(self, component: ComponentLoc, path: Path) -> tuple[Study | None, str | None]:
        """The study of a component, or what is wrong with it."""
        problems: list[str] = []
        others = [study for other, study in self.studies.items() if other != component]
        with problem_in(path, problems.append):
            study = load_in_location(path, "component")
            require_own_name(study, others)
            self.studies[component] = study
            return study, None
        self.studies.pop(component, None)
        return None, "\n".join(problems)

    def group_of_broken(self, component: ComponentLoc, path: Path) -> str:
        taken = [group for other, group in self.broken.items() if other != component]
        self.broken[component] = group_of(path, taken)
        return self.broken[component]

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
        _PROJECTS[tree] = _Project(studies, shared_definitions(studies.values(), settings))
    return _PROJECTS[tree]


def _study_name(folder: str) -> str:
    """A folder's name as the name of a study: small letters, digits, `_` and `-`."""
    return re.sub(r"[^a-z0-9_-]", "_", folder.lower()).strip("_-")[:64] or "my_study"
