"""Files of estimators that chose by cross-validation: a path that is damaged, or not that of the model, is refused."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
from tests.storage.spoiling import assert_refused, edited, members_of, replaced, sealed

from taut import TautClassifierCV
from taut.storage import save


@pytest.fixture(scope="module")
def chosen_bytes(tmp_path_factory):
    x = np.random.default_rng(0).normal(size=(30, 2))
    path = tmp_path_factory.mktemp("chosen") / "a.taut"
    settings = {"penalty": "group", "values": [0.1, 0.01], "cv": 2, "epochs": 1, "hidden_layer_sizes": (3,)}
    save(TautClassifierCV(**settings).fit(x, x[:, 0] > 0), path)
    return path.read_bytes()


def with_arrays(**changes):
    """Change arrays of the path; None leaves one out."""

    def edit(good):
        members = members_of(good)
        arrays = safetensors.numpy.load(members["path.safetensors"]) | changes
        kept = {name: values for name, values in arrays.items() if values is not None}
        return sealed({**members, "path.safetensors": safetensors.numpy.save(kept)})

    return edit


NO_PATH = "path.json and path.safetensors hold no path ("


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edited("path.json", "penalty", "magic"), f"{NO_PATH}penalty must be one of"),
        (edited("path.json", "penalty", "l2"), f"{NO_PATH}the arrays are best_epoch, input_norms, losses, mean, "),
        (edited("path.json", "penalty", "l1"), f"{NO_PATH}the recipe of the model is none of the path)"),
        (edited("path.json", "penalty", 3), "path.json: 'penalty' should be str, not int"),
        (edited("path.json", "index_min", 2), f"{NO_PATH}a choice is none of the 2 values)"),
        (edited("path.json", "index_1se", -1), f"{NO_PATH}a choice is none of the 2 values)"),
        (edited("path.json", "input_names", ["x"]), f"{NO_PATH}'input_norms' is float64 of shape (2, 2))"),
        (edited("path.json", "input_names", ["x", 1]), "path.json: 'input_names' should be strings"),
        (edited("path.json", "harm", 1), "path.json has an unknown field 'harm'"),
        (with_arrays(values=np.array([0.2, 0.02])), f"{NO_PATH}the recipe of the model is none of the path)"),
        (with_arrays(values=np.array([np.nan, 0.01])), f"{NO_PATH}group_l1 must be a number at least 0"),
        (with_arrays(losses=np.ones(2)), f"{NO_PATH}'losses' is float64 of shape (2,))"),
        (with_arrays(losses=np.array(1.0)), f"{NO_PATH}"),
        (with_arrays(mean=np.ones(3)), f"{NO_PATH}'mean' is float64 of shape (3,))"),
        (with_arrays(zeros=None), f"{NO_PATH}the arrays are best_epoch, input_norms, losses, mean, "),
        (with_arrays(harm=np.ones(2)), f"{NO_PATH}the arrays are best_epoch, harm, "),
        (with_arrays(best_epoch=np.array([0.5, 0.5])), f"{NO_PATH}'best_epoch' is float64 of shape (2,))"),
        (replaced("path.safetensors", b"harm"), "path.safetensors is damaged ("),
        (edited("models/0/recipe.json", "group_l1", 0.5), f"{NO_PATH}the recipe of the model is none of the path)"),
        (
            edited("parameters.json", "harm", 1),
            "parameters.json are not the parameters of a classifier_cv (TautClassifierCV has no parameter",
        ),
        (edited("manifest.json", "kind", "regressor_cv"), "schema.json: a regressor_cv cannot be for classification"),
        (edited("manifest.json", "kind", "ensemble"), "it holds 'parameters.json', which an ensemble does not"),
        (edited("manifest.json", "kind", "classifier"), "it holds 'path.json', which a classifier does not"),
    ],
)
def test_bad_file_of_an_estimator_that_chose_is_refused_in_one_line(spoil, message, chosen_bytes, tmp_path):
    assert_refused(spoil(chosen_bytes), message, tmp_path / "a.taut")


def test_models_of_several_recipes_are_refused(chosen_bytes, tmp_path):
    members = members_of(chosen_bytes)
    second = {name.replace("/0/", "/1/"): data for name, data in members.items() if name.startswith("models/0/")}
    bad = edited("models/1/recipe.json", "l2", 0.5)(sealed({**members, **second}))
    assert_refused(bad, "the models of a classifier_cv are of one recipe, and these of 2", tmp_path / "bad.taut")
