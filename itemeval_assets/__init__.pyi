from .api import cells as cells
from .api import count_cells as count_cells
from .api import estimate as estimate
from .api import export as export
from .api import preflight as preflight
from .api import recover as recover
from .api import release as release
from .api import reset as reset
from .api import run as run
from .api import status as status
from .api import table as table
from .component import StudyComponent as StudyComponent
from .core.errors import ItemevalAssetsError as ItemevalAssetsError
from .figures import agreement as agreement
from .figures import compare as compare
from .figures import compare_releases as compare_releases
from .figures import comparisons as comparisons
from .figures import conditions as conditions
from .figures import irt as irt
from .figures import item_answers as item_answers
from .figures import items as items
from .figures import reliability as reliability
from .figures import response_matrix as response_matrix
from .figures import scores as scores
from .figures import write_report as write_report
from .storage.study.inputs import load_study as load_study

__all__: list[str]
