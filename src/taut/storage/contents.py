"""Contents: what a model consists of, member by member, and the same model put together again.

Each member is read strictly for itself, then all are held against each other: the width of the encoder against the
inputs of the network, its outputs against the targets, the loss against both. A model that passes has made a
prediction before anybody gets hold of it. The models of an ensemble lie in folders, ``models/0`` and so on; each is
read as if it stood alone, then all are held against the first. So do those of an estimator that keeps an ensemble, or
chose along a path. Floor 7 of the house; knows nothing of files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import NoneType
from typing import Any

import numpy as np

from taut.data.columns import TableEncoder
from taut.data.schema import ColumnSchema
from taut.data.targets import ClassTargets, NumberTargets
from taut.errors import InvalidType, InvalidValue, ModelFileError
from taut.network import Loss, Network
from taut.storage.archive import damage, one_line
from taut.storage.documents import check_annotated, checked_fields, read_document, write_document
from taut.storage.networks import NETWORK, WEIGHTS, read_network, read_tensors, write_network, write_tensors
from taut.storage.paths import PATH, PATH_ARRAYS, read_path, write_path
from taut.storage.preprocessing import read_encoder, write_encoder
from taut.training.ensemble import MOST_MODELS, Ensemble, check_mixture
from taut.training.history import History, State
from taut.training.model import Model
from taut.training.recipe import TASKS, Recipe

__all__ = [
    "MEMBERS",
    "Targets",
    "models_apart",
    "needed_members",
    "read_contents",
    "read_history",
    "read_mixture",
    "read_recipe",
    "read_schema",
    "write_contents",
]

RECIPE, SCHEMA, HISTORY, MEMORY = "recipe.json", "schema.json", "history.json", "optimizer.safetensors"
PREPROCESSING, PARAMETERS = "preprocessing.skops", "parameters.json"
MIXTURE = "ensemble.json"

_MODEL = (RECIPE, SCHEMA, NETWORK, WEIGHTS, HISTORY, MEMORY, PREPROCESSING)

#: The members of each kind of file; an ensemble, and an estimator that may have one, has these for each of its models.
MEMBERS: dict[str, tuple[str, ...]] = {
    "network": (NETWORK, WEIGHTS),
    "model": _MODEL,
    "ensemble": _MODEL,
    "classifier": (*_MODEL, PARAMETERS),
    "regressor": (*_MODEL, PARAMETERS),
    "classifier_cv": _MODEL,
    "regressor_cv": _MODEL,
}

# The kinds whose models lie in folders, with what lies beside these; there may be a mixture, too. The model of an
# estimator that has only one lies beside its parameters, unless that was chosen along a path.
_BESIDE: dict[str, tuple[str, ...]] = {
    "ensemble": (),
    "classifier": (PARAMETERS,),
    "regressor": (PARAMETERS,),
    "classifier_cv": (PARAMETERS, PATH, PATH_ARRAYS),
    "regressor_cv": (PARAMETERS, PATH, PATH_ARRAYS),
}

_MAY_BE_FLAT = ("classifier", "regressor")

Targets = ClassTargets | NumberTargets


def needed_members(kind: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the members that a file of this kind consists of.

    Parameters
    ----------
    kind : str
        A key of `MEMBERS`.
    names : collection of str
        The members that the file has; an ensemble has as many models as recipes.

    Raises
    ------
    ModelFileError
        If an ensemble has no models, or too many.
    """
    if not _is_in_folders(kind, names):
        return MEMBERS[kind]
    count = sum(name.endswith(f"/{RECIPE}") for name in names)
    if not 1 <= count <= MOST_MODELS:
        whole = "an ensemble" if kind == "ensemble" else f"a {kind}"
        raise ModelFileError(f"{whole} has from 1 to {MOST_MODELS} models, and this one {count}")
    mixture = (MIXTURE,) if MIXTURE in names else ()
    in_folders = (f"{_folder(place)}/{name}" for place in range(count) for name in _MODEL)
    return (*in_folders, *_BESIDE[kind], *mixture)


def models_apart(kind: str, members: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """Return the members of each model of an ensemble, named as if it stood alone; of any other kind, all members."""
    if not _is_in_folders(kind, members):
        return [dict(members)]
    count = len(needed_members(kind, members)) // len(_MODEL)
    return [{name: members[f"{_folder(place)}/{name}"] for name in _MODEL} for place in range(count)]


def _is_in_folders(kind: str, names: Collection[str]) -> bool:
    return kind in _BESIDE and (kind not in _MAY_BE_FLAT or RECIPE not in names)


def _folder(place: int) -> str:
    return f"models/{place}"


def write_contents(thing: Any) -> tuple[str, dict[str, bytes]]:
    """Return the kind of a network, a model, an ensemble or a fitted estimator, and its members.

    Raises
    ------
    InvalidType, InvalidValue
        If it is nothing of these, is not fitted, or holds something that cannot be stored.
    """
    if isinstance(thing, Network):
        return "network", write_network(thing, None)
    if isinstance(thing, Model):
        return "model", _write_model(thing)
    if isinstance(thing, Ensemble):
        return "ensemble", _write_folders(thing)
    from sklearn.base import BaseEstimator

    for kind, estimator in _estimators().items():
        if type(thing) is estimator:
            if not thing.__sklearn_is_fitted__():
                raise InvalidValue(f"this {estimator.__name__} is not fitted yet; call fit before saving it")
            return kind, _write_estimator(kind, thing)
    if isinstance(thing, BaseEstimator):
        raise InvalidType(f"only estimators of taut can be saved, got a {type(thing).__name__}")
    raise InvalidType(f"only a network, a model, an ensemble or an estimator of taut can be saved, got {thing!r:.60}")


def _estimators() -> dict[str, Any]:
    from taut.estimators import TautClassifier, TautClassifierCV, TautRegressor, TautRegressorCV

    return {
        "classifier": TautClassifier,
        "regressor": TautRegressor,
        "classifier_cv": TautClassifierCV,
        "regressor_cv": TautRegressorCV,
    }


def _write_folders(model: Model | Ensemble) -> dict[str, bytes]:
    models = model.models if isinstance(model, Ensemble) else (model,)
    apart = [_write_model(one) for one in models]
    folders = {f"{_folder(place)}/{name}": data for place, own in enumerate(apart) for name, data in own.items()}
    if not isinstance(model, Ensemble) or model == Ensemble(model.models):
        return folders
    return folders | {MIXTURE: write_document({"weights": model.weights, "temperature": model.temperature})}


def _write_estimator(kind: str, estimator: Any) -> dict[str, bytes]:
    parameters = {PARAMETERS: _write_parameters(estimator)}
    if kind in _MAY_BE_FLAT and isinstance(estimator.model_, Model):
        return _write_model(estimator.model_) | parameters
    path = {} if kind in _MAY_BE_FLAT else write_path(estimator.path_)
    return _write_folders(estimator.model_) | parameters | path


def _write_model(model: Model) -> dict[str, bytes]:
    try:
        targets = write_document(
            {
                "task": model.task,
                "targets": model.targets.to_dict(),
                "columns": [column.to_dict() for column in model.encoder.schema_],
            }
        )
    except InvalidType as error:
        raise InvalidType(f"the targets cannot be stored: {error}; use strings, integers or booleans") from error
    state = model.history.state
    progress: dict[str, float] = {"epoch": state.epoch, "step": state.step, "rate": state.rate}
    tensors = dict(state.memory)
    if state.average is not None and state.live is not None:
        progress["averaged"] = state.averaged
        tensors |= {"average": state.average, "live": state.live}
    return {
        RECIPE: write_document(model.recipe.to_dict()),
        SCHEMA: targets,
        HISTORY: write_document({**model.history.to_dict(), "state": progress}),
        MEMORY: write_tensors(tensors),
        PREPROCESSING: write_encoder(model.encoder),
        **write_network(model.network, model.loss),
    }


def _write_parameters(estimator: Any) -> bytes:
    parameters = estimator.get_params(deep=False)
    if isinstance(parameters["random_state"], np.random.RandomState):
        # A generator moves on with every use; the seed that it gave this fit is what reproduces it.
        parameters["random_state"] = estimator.model_.recipe.seed
    for name, value in parameters.items():
        try:
            write_document({name: value}, exact=True)
        except InvalidType as error:
            raise InvalidType(f"parameter {name!r}: {error}; set it to None with set_params before saving") from error
    return write_document(parameters, exact=True)


def read_contents(kind: str, members: Mapping[str, bytes]) -> Any:
    """Put together again what `write_contents` took apart.

    Raises
    ------
    ModelFileError
        If a member is damaged, or does not fit the others.
    """
    if kind == "network":
        network, loss = read_network(members)
        if loss is not None:
            raise ModelFileError(f"{NETWORK} names a loss, which a bare network has none of")
        return network
    if not _is_in_folders(kind, members):
        model = _read_model(members)
        return model if kind == "model" else _read_estimator(kind, model, members)
    models = _read_folders(models_apart(kind, members))
    if (
        kind not in ("ensemble", *_MAY_BE_FLAT) and len(models) == 1 and MIXTURE not in members
    ):  # there is no cross-validation with one fold
        return _read_estimator(kind, models[0], members)
    weights, temperature = read_mixture(members, len(models))
    with damage("its models do not belong together"):
        ensemble = Ensemble(tuple(models), weights, temperature)
    return ensemble if kind == "ensemble" else _read_estimator(kind, ensemble, members)


def _read_folders(apart: list[dict[str, bytes]]) -> list[Model]:
    models = []
    for place, members in enumerate(apart):
        try:
            models.append(_read_model(members))
        except ModelFileError as error:
            raise ModelFileError(f"{_folder(place)}: {error}") from error.__cause__
    return models


def _read_model(members: Mapping[str, bytes]) -> Model:
    network, loss = read_network(members)
    if loss is None:
        raise ModelFileError(f"{NETWORK} names no loss")
    task, targets, columns = read_schema(members)
    encoder = read_encoder(members[PREPROCESSING], PREPROCESSING)
    model = Model(read_recipe(members), task, encoder, targets, network, loss, read_history(members))
    with damage("its parts do not fit together"), np.errstate(all="ignore"):
        _check_columns(encoder, columns, network.n_inputs)
        _check_outputs(loss, targets, network.n_outputs)
        _check_memory(model)
        _check_prediction(model)
    return model


def read_mixture(members: Mapping[str, bytes], n_models: int) -> tuple[tuple[float, ...], float]:
    """Return the weights of the models and the temperature, or raise `ModelFileError`; all count alike without them."""
    if MIXTURE not in members:
        return (1.0,) * n_models, 1.0
    document = read_document(members[MIXTURE], MIXTURE)
    weights, temperature = checked_fields(document, MIXTURE, {"weights": list, "temperature": float})
    with damage(f"{MIXTURE} says nothing that can be done"):
        check_mixture(tuple(weights), temperature, n_models)
    return tuple(weights), temperature


def read_recipe(members: Mapping[str, bytes]) -> Recipe:
    """Return the recipe, or raise `ModelFileError`."""
    document = read_document(members[RECIPE], RECIPE)
    with damage(f"{RECIPE} is no recipe"):
        return Recipe.from_dict(document)


def read_history(members: Mapping[str, bytes]) -> History:
    """Return the course of training with all that is needed to go on, or raise `ModelFileError`."""
    types = {"metric_name": str, "stopped": str, "best_epoch": int | NoneType, "columns": dict, "state": dict}
    document = read_document(members[HISTORY], HISTORY)
    *_, state = checked_fields(document, HISTORY, types)
    averaging: dict[str, type] = {"averaged": int} if "averaged" in state else {}  # only where weights were averaged
    epoch, step, rate, *averaged = checked_fields(
        state, HISTORY, {"epoch": int, "step": int, "rate": float | int, **averaging}
    )
    with damage(f"{HISTORY} is no history"):
        history = History.from_dict({name: value for name, value in document.items() if name != "state"})
    restored = history.best_epoch is not None and history.best_epoch < epoch - 1
    memory = read_tensors(members[MEMORY], MEMORY)
    history.state = State(epoch, step, rate, memory, restored)
    if averaged:
        if averaged[0] < 1:
            raise ModelFileError(f"{HISTORY}: 'averaged' should be at least 1, not {averaged[0]}")
        history.state.averaged = averaged[0]
        history.state.average, history.state.live = memory.pop("average", None), memory.pop("live", None)
    return history


def read_schema(members: Mapping[str, bytes]) -> tuple[str, Targets, tuple[ColumnSchema, ...]]:
    """Return the task, the targets and the columns, or raise `ModelFileError`."""
    types = {"task": str, "targets": dict, "columns": list}
    task, fields, columns = checked_fields(read_document(members[SCHEMA], SCHEMA), SCHEMA, types)
    if task not in TASKS:
        raise ModelFileError(one_line(f"{SCHEMA}: 'task' should be one of {', '.join(TASKS)}, not {task!r:.40}"))
    with damage(f"{SCHEMA} is no schema"):
        targets: Targets = (ClassTargets if task == "classification" else NumberTargets).from_dict(fields)
        if isinstance(targets, ClassTargets):
            _check_classes(targets, fields["classes"])
        described = tuple(map(ColumnSchema.from_dict, columns))
        for column in described:
            check_annotated(column)
        return task, targets, described


def _check_classes(targets: ClassTargets, written: list[Any]) -> None:
    if not all(isinstance(label, (bool, int, float, str)) for label in written) or targets.classes_.tolist() != written:
        raise InvalidValue("the classes are not strings, numbers or booleans of one type")
    if len(set(written)) < len(written):
        raise InvalidValue("a class stands twice")


def _check_columns(encoder: TableEncoder, columns: tuple[ColumnSchema, ...], n_inputs: int) -> None:
    if tuple(encoder.schema_) != columns:
        raise InvalidValue(f"{SCHEMA} and {PREPROCESSING} describe different columns")
    if encoder.n_features_in_ != len(columns) or encoder.names_ != [column.name for column in columns]:
        raise InvalidValue(f"{PREPROCESSING} takes {encoder.n_features_in_!r:.20} columns, {SCHEMA} has {len(columns)}")
    width = len(encoder.get_feature_names_out())
    if width != n_inputs:
        raise InvalidValue(f"{PREPROCESSING} makes {width} inputs, {NETWORK} takes {n_inputs}")


def _check_outputs(loss: Loss, targets: Targets, n_outputs: int) -> None:
    is_classifier = isinstance(targets, ClassTargets)
    wanted = len(targets.classes_ if isinstance(targets, ClassTargets) else targets.mean_)
    if n_outputs != wanted:
        things = "classes" if is_classifier else "targets"
        raise InvalidValue(f"{NETWORK} has {n_outputs} outputs for {wanted} {things}")
    # One row of targets, in the form in which training would have given it; binary losses take one column an output.
    labels = np.eye(wanted)[:1] if is_classifier else np.zeros((1, wanted))
    if (loss.metric_name == "accuracy") != is_classifier:
        raise InvalidValue(f"the loss {type(loss).__name__} is not for such targets")
    loss.prepare(labels, n_outputs)


def _check_memory(model: Model) -> None:
    """Hold what the optimizer remembers against the optimizer; a history from elsewhere may have none of it."""
    theta, memory = model.network.theta, model.history.state.memory
    needed = dict.fromkeys(model.recipe.build_optimizer().memory, (theta.shape, theta.dtype))
    if memory and {name: (values.shape, values.dtype) for name, values in memory.items()} != needed:
        raise InvalidValue(f"{MEMORY} is not of {model.recipe.optimizer} with {theta.size} parameters")
    state, like = model.history.state, model.network.state
    for values in (state.average, state.live) if state.averaged else ():
        if values is None or values.shape != like.shape or values.dtype != like.dtype or not np.isfinite(values).all():
            raise InvalidValue(f"{MEMORY} holds no average of {like.size} finite numbers in {like.dtype}")


def _check_prediction(model: Model) -> None:
    """Predict for a row of gaps, whatever may come of it, so that nothing breaks later."""
    import pandas as pd

    encoder = model.encoder
    row = np.full((1, encoder.n_features_in_), np.nan)
    is_named = "feature_names_in_" in vars(encoder)
    inputs = encoder.transform(pd.DataFrame(row, columns=encoder.names_) if is_named else row)
    if inputs.shape != (1, model.network.n_inputs) or not np.isfinite(inputs).all():
        raise InvalidValue(f"a row of gaps is encoded as {inputs!r:.60}")
    outputs = model.network.predict(inputs)
    if outputs.shape != (1, model.network.n_outputs):
        raise InvalidValue(f"a row gives outputs of shape {outputs.shape}")
    model.targets.decode(outputs.argmax(axis=1) if model.task == "classification" else outputs)


def _read_estimator(kind: str, model: Model | Ensemble, members: Mapping[str, bytes]) -> Any:
    from taut.estimators.base import keep_model, models_of
    from taut.estimators.cross_validated import keep_path

    estimator_class = _estimators()[kind]
    if model.task != estimator_class.task:
        raise ModelFileError(f"{SCHEMA}: a {kind} cannot be for {model.task}")
    parameters = read_document(members[PARAMETERS], PARAMETERS, exact=True)
    with damage(f"{PARAMETERS} are not the parameters of a {kind}"):
        estimator: Any = estimator_class(**parameters)
    keep_model(estimator, model)
    if kind not in _MAY_BE_FLAT:
        if isinstance(model, Ensemble) and len(model.shares) > 1:
            raise ModelFileError(f"the models of a {kind} are of one recipe, and these of {len(model.shares)}")
        keep_path(estimator, read_path(members, model.recipe, model.task))
    encoder = models_of(model)[0].encoder
    estimator.n_features_in_ = encoder.n_features_in_
    names = vars(encoder).get("feature_names_in_")
    if names is not None:
        estimator.feature_names_in_ = names
    return estimator
