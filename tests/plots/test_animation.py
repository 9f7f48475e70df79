"""Films: what is kept on the way, what is written, what is refused."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from taut import Recipe, spiral
from taut.data.splits import hold_out
from taut.errors import InvalidValue
from taut.plots import animation
from taut.plots.animation import Film
from taut.training import fit_model

RECIPE = Recipe(epochs=9, l2=0.01, hidden_layer_sizes=(8,))


@pytest.fixture(scope="module")
def film() -> Film:
    return Film.record(*spiral(samples=20), task="classification", recipe=RECIPE, frames=4, resolution=12)


def test_frames_are_what_the_networks_answered_after_so_many_epochs(film):
    assert film.epochs == [0, 2, 5, 9]
    X, y = spiral(samples=20)
    train, held = hold_out(X, y, test_size=0.3, task="classification", seed=0)
    np.testing.assert_array_equal(film.training[0], X[train])
    np.testing.assert_array_equal(film.validation[0], X[held])
    for place, recipe in enumerate((RECIPE, RECIPE.unregularized())):
        model = fit_model(recipe, X[train], y[train], task="classification")
        last = film.planes[place][-1]
        np.testing.assert_allclose(last.values.reshape(144, 3), model.predict_proba(last.plane.rows), atol=1e-9)
        assert len(film.planes[place]) == len(film) == 4
        np.testing.assert_array_equal(film.histories[place]["data_loss"], model.history["data_loss"])
    np.testing.assert_array_equal(film.planes[0][0].values, film.planes[1][0].values)  # the same start
    assert film.histories[0]["penalty"].any()
    assert not film.histories[1]["penalty"].any()


def test_numbers_are_films_too_and_progress_is_told():
    X = np.random.default_rng(0).normal(size=(60, 3))
    told: list[tuple[int, int]] = []
    film = Film.record(
        X, X[:, 0], recipe=RECIPE, inputs=[0, 2], frames=3, resolution=5, report=lambda n, of, _: told.append((n, of))
    )
    assert film.planes[0][0].values.shape == (5, 5)
    assert told == [(n, 6) for n in range(1, 7)]
    assert len(film.figure(1).axes) == 4


def test_a_gif_has_all_frames_and_nothing_is_left_beside_it(film, tmp_path):
    told: list[int] = []
    film.save(tmp_path / "film.gif", fps=20, width=4, report=lambda n, *_: told.append(n))
    with Image.open(tmp_path / "film.gif") as image:
        assert image.n_frames == 4
        assert image.info["duration"] == 50
        assert image.size == (400, 332)
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    assert told == [1, 2, 3, 4]


def test_a_page_holds_all_frames_and_asks_nobody_for_anything(film, tmp_path):
    hostile = replace(film, words=("</script><b>", "&"))
    hostile.save(tmp_path / "film.html", fps=5, width=4)
    page = (tmp_path / "film.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["epochs"] == [0, 2, 5, 9]
    assert data["fps"] == 5
    assert Image.open(io.BytesIO(base64.b64decode(data["frames"][3]))).size == (400, 332)
    assert not re.search(r"https?:|(src|href)=|{{", page)
    assert "&lt;/script&gt;&lt;b&gt;" in page


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
def test_an_mp4_is_one(film, tmp_path):
    film.save(tmp_path / "film.mp4", width=4)
    assert (tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"


def test_what_cannot_be_written_is_refused_before_anything_is_drawn(film, tmp_path, monkeypatch):
    monkeypatch.setattr(animation, "_image", lambda _: pytest.fail("drawn"))
    with pytest.raises(InvalidValue, match=r"written as \.gif, \.html, \.mp4"):
        film.save(tmp_path / "film.avi")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(InvalidValue, match=r"pip install 'taut\[video\]'"):
        film.save(tmp_path / "film.mp4")
    for options in ({"fps": 0}, {"width": 1}):
        with pytest.raises(InvalidValue, match=next(iter(options))):
            film.save(tmp_path / "film.gif", **options)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InvalidValue, match="frames"):
        Film.record(*spiral(samples=20), frames=1)
