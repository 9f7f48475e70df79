"""The package as the outside sees it: its names, its version, and how light it is to import."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import taut

# What `from taut import …` promises. A change here is a change for everybody who uses taut: say it in CHANGELOG.md.
PUBLIC_NAMES = """
    Activation Adagrad Adam AdamW Augmentation BatchNorm BinaryCrossEntropy Callback CategoricalCrossEntropy
    CategoryEmbedding Choice Chosen Constant Cosine CosineLog CosineRestarts CrossEntropy DataError Dense Dropout
    ELU EMA EarlyStopping Ensemble Exponential FinishedRun GELU GaussianNoise GlorotNormal GlorotUniform GroupL1
    HeNormal HeUniform History Huber Identity Importance Initializer InvalidType InvalidValue InverseTime L1 L2
    Layer LayerNorm LeCunNormal LeCunUniform LeakyReLU LearningCurve Loss MaxNorm MeanAbsoluteError MeanSquaredError
    Mish ModelFileError Nested Network NonFiniteLoss NonNegative Normal Optimizer Orthogonal Orthogonality Penalty
    PeriodicEmbedding PlannedRun RMSprop Random Range ReLU Recipe RegularizationPath SELU SGD SWA Scale Schedule
    SearchResult Shortcut SiLU Sigmoid SigmoidCrossEntropy Snapshots Softmax StabilitySelection Tanh TautClassifier
    TautClassifierCV TautError TautRegressor TautRegressorCV Uniform WarmUp Zeros choose conventions learning_curve
    load load_sample nested_cross_validation permutation_importance regularization_path save search spiral
    stability_selection train train_many
"""
ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "pandas",
    "plotly",
    "pyarrow",
    "rich",
    "scipy",
    "skops",
    "sklearn",
    "starlette",
    "typer",
    "uvicorn",
    "websockets",
)


def modules_loaded_by(code: str) -> set[str]:
    """Run `code` in an interpreter of its own; return the top-level names of the modules that it has loaded then."""
    report = "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    finished = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(finished.stdout.splitlines()[-1]))


def test_public_names_are_the_promised_ones():
    assert sorted(taut.__all__) == sorted(PUBLIC_NAMES.split())


@pytest.mark.parametrize("name", sorted(PUBLIC_NAMES.split()))
def test_public_name_is_found_and_listed(name):
    assert getattr(taut, name) is not None
    assert name in dir(taut)


def test_type_checkers_see_the_names_that_are_loaded_at_run_time():
    tree = ast.parse(Path(taut.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    assert seen == taut._ROOM


def test_unknown_name_is_an_attribute_error_that_says_it():
    with pytest.raises(AttributeError, match="'taut' has no attribute 'Dens'"):
        _ = taut.Dens


def test_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", taut.__version__)
    assert importlib.metadata.version("taut") == taut.__version__


def test_import_loads_no_heavy_library():
    assert not modules_loaded_by("import taut").intersection(HEAVY)


def test_errors_load_no_heavy_library():
    assert not modules_loaded_by("from taut import TautError").intersection(HEAVY)


def test_command_line_help_loads_no_library_that_it_does_not_show():
    code = """
import contextlib, io, sys
from taut.cli.main import main
sys.argv = ["taut", "--help"]
with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
    main()
assert "predict" in shown.getvalue(), shown.getvalue()
"""
    loaded = modules_loaded_by(code)
    assert not loaded.intersection(set(HEAVY) - {"numpy", "rich", "typer"})


def test_lock_file_holds_every_dependency_in_a_version_that_is_allowed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", lock, flags=re.MULTILINE))
    for text in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        requirement = Requirement(text)
        assert locked.get(requirement.name, "") in requirement.specifier, f"{text}: run `make lock`"


def test_lock_file_names_no_place_to_install_from():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|^[./]| @ ", lock, flags=re.MULTILINE)
