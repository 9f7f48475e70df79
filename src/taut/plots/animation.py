"""Animation: two networks learn the same rows from the same start, one regularized and one not, epoch by epoch.

Above, what each of them answers all over a plane of two inputs; below, its losses up to there, the penalty apart.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from taut.checks import check_number, shown
from taut.data.frames import as_frame, take
from taut.data.splits import hold_out
from taut.data.targets import infer_task
from taut.errors import InvalidValue
from taut.files import replace_file
from taut.plots.curves import LearningCurvesDisplay
from taut.plots.regions import DecisionRegionsDisplay, points_in
from taut.plots.style import REGULARIZED, SMALL, UNREGULARIZED
from taut.training.callbacks import Callback, Run
from taut.training.model import Model, fit_model
from taut.training.recipe import Recipe
from taut.training.regions import Plane, Regions, classes_of, plane_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

__all__ = ["FORMATS", "Film"]

#: What a film can be written as, by the end of the file's name.
FORMATS = (".gif", ".html", ".mp4")

#: Told how many steps are done, how many there are, and what is being done.
Report = Callable[[int, int, str], None]

_DOTS_AN_INCH = 100
_SHADES = 10  # of each class; more would double the file
_COLORS = 32  # of a frame
_LONGEST_PAUSE = 20  # frames that the last one stays
_NAMES = ("regularized", "not regularized")


@dataclass
class Film:
    """Two networks while they learn.

    Parameters
    ----------
    planes : two lists of Regions
        What the regularized and the other network answer, frame by frame.
    histories : two mappings of str to ndarray
        Their histories.
    epochs : list of int
        After how many epochs each frame was taken.
    training, validation : tuple (points, target)
        The rows, points of shape (rows, 2).
    words : (str, str)
        What regularizes each of them.

    Examples
    --------
    >>> from taut import Recipe, spiral
    >>> film = Film.record(*spiral(samples=30), recipe=Recipe(epochs=8), frames=3, resolution=20)
    >>> film.epochs
    [0, 3, 8]
    """

    planes: Sequence[Sequence[Regions]]
    histories: tuple[Any, Any]
    epochs: Sequence[int]
    training: tuple[np.ndarray, Any]
    validation: tuple[np.ndarray, Any]
    words: tuple[str, str] = ("", "")
    _figure: Figure | None = field(default=None, init=False, repr=False)

    @classmethod
    def record(
        cls,
        X: Any,
        y: Any,
        *,
        recipe: Recipe | None = None,
        task: str | None = None,
        inputs: Sequence[str | int] | None = None,
        validation_fraction: float = 0.3,
        frames: int = 60,
        resolution: int = 100,
        report: Report | None = None,
    ) -> Self:
        """Train both networks, and keep what they answer on the way.

        Parameters
        ----------
        X : DataFrame or array, shape (rows, columns)
            The table without the target.
        y : array-like, shape (rows,)
            The target.
        recipe : Recipe, optional
            The regularized network; the other is the same without what regularizes. Neither stops early.
        task : {"classification", "regression"}, optional
            Inferred from the target by default.
        inputs : two names or places, optional
            The inputs of the plane, for a table of more than two.
        validation_fraction : float, default 0.3
            Share of the rows that are only looked at.
        frames : int, default 60
            Most frames, at least 2; they are denser at the start, where most happens.
        resolution : int, default 100
            Points along each side of the plane.
        report : callable, optional
            Told ``(done, planned, words)``.

        Raises
        ------
        InvalidValue, InvalidType, DataError
            If an argument or the table cannot be used.
        NonFiniteLoss
            If training diverged.
        """
        recipe = replace(Recipe() if recipe is None else recipe, early_stopping=False)
        check_number("frames", frames, at_least=2, integer=True)
        check_number("epochs of the recipe", recipe.epochs, at_least=1, integer=True)
        task = infer_task(y) if task is None else task
        plane = plane_of(X, inputs, resolution=resolution)
        train, held = hold_out(X, y, test_size=validation_fraction, task=task, seed=recipe.seed)
        here, there = ((take(X, rows), take(y, rows)) for rows in (train, held))
        epochs = _epochs(recipe.epochs, frames)
        planned = 2 * len(epochs)
        planes, histories = [], []
        for arm, each in enumerate((recipe, recipe.unregularized())):
            camera = _Camera(epochs, report, planned, arm * len(epochs), _NAMES[arm])
            model = fit_model(
                each,
                *here,
                task=task,
                validation=there,
                callbacks=[camera],
                evaluate_training=False,
                interruptible=False,
            )
            planes.append(_answers(model, plane, camera.states))
            histories.append(model.history)
        rows = as_frame(X)[0]
        return cls(
            planes,
            (histories[0], histories[1]),
            epochs,
            (points_in(plane, take(rows, train)), here[1]),
            (points_in(plane, take(rows, held)), there[1]),
            (recipe.describe(), recipe.unregularized().describe()),
        )

    def __len__(self) -> int:
        return len(self.epochs)

    def figure(self, frame: int, *, width: float = 7.2) -> Figure:
        """Return the figure of a frame, counted from 0; `width` in inches."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(width, 0.83 * width), dpi=_DOTS_AN_INCH)  # to find a layout would take longest
        edges = {"left": 0.62 / width, "right": 1.0 - 0.12 / width, "bottom": 0.55 / width, "top": 1.0 - 0.55 / width}
        above, below = figure.subplots(2, 2, height_ratios=(5, 3), sharey="row", gridspec_kw={**edges, "wspace": 0.06})
        for place, ax in enumerate(above):
            regions = self.planes[place][frame]
            DecisionRegionsDisplay(regions, self.training, self.validation).plot(ax, legend=False, shades=_SHADES)
            ax.set_title(_NAMES[place], fontsize=SMALL + 3, color=(REGULARIZED, UNREGULARIZED)[place])
        above[1].set_ylabel("")
        self._draw_losses(below, self.epochs[frame])
        number = f"epoch {self.epochs[frame]} of {self.epochs[-1]}"
        figure.suptitle(number, fontsize=SMALL + 2, x=0.99, ha="right")
        return figure

    def _draw_losses(self, axes: Sequence[Any], until: int) -> None:
        """Draw the losses up to an epoch, on axes that all frames share."""
        for place, ax in enumerate(axes):
            whole, seen = self.histories[place], np.arange(self.epochs[-1]) < until
            history = {name: np.where(seen, whole[name], np.nan) for name in _columns(whole)}
            LearningCurvesDisplay(history).plot(ax)
            for line in ax.lines:
                line.set_color((REGULARIZED, UNREGULARIZED)[place])
            ax.set_xlim(0, self.epochs[-1] + 1)
            ax.set_ylim(0.0, self._highest())
            if (legend := ax.get_legend()) is not None:
                legend.remove()
            ax.legend(fontsize=SMALL, frameon=False, loc="upper right", ncols=3, handlelength=1.8, columnspacing=1.0)
        axes[1].set_ylabel("")

    def _highest(self) -> float:
        """Return the top of the axis of losses: they begin there, and a loss that grows leaves it."""
        values = [history[name] for history in self.histories for name in _columns(history)]
        starts = max(float(column[0]) for column in values)
        return 1.35 * max(starts, float(np.nanquantile(np.concatenate(values), 0.9)))

    def save(self, path: str | Path, *, fps: float = 10.0, width: float = 7.2, report: Report | None = None) -> None:
        """Write the film; either the whole of it is there in the end, or what was there before.

        Parameters
        ----------
        path : str or Path
            A .gif, a .html page that needs nothing else, or a .mp4, for which ffmpeg must be installed, or the package
            imageio-ffmpeg (``pip install 'taut[video]'``).
        fps : float, default 10
            Frames a second.
        width : float, default 7.2
            Inches, at 100 dots an inch.
        report : callable, optional
            Told ``(done, planned, words)``.

        Raises
        ------
        InvalidValue
            If the end of the name is none of these, or there is no ffmpeg.
        OSError
            If it cannot be written.
        """
        place = Path(path)
        check_place(place)
        check_number("fps", fps, above=0, at_most=60)
        check_number("width", width, above=2, at_most=30)
        images = []
        for frame in range(len(self)):
            images.append(_image(self.figure(frame, width=width)))
            if report is not None:
                report(frame + 1, len(self), "drawing")
        writers = {".gif": _gif, ".html": self._page, ".mp4": _mp4}
        replace_file(place, writers[place.suffix.lower()](images, fps))

    def _page(self, images: Sequence[Image], fps: float) -> bytes:
        sources = [base64.b64encode(_packed(image)).decode() for image in images]
        template = (Path(__file__).parent / "animation.html").read_text(encoding="utf-8")
        words = " · ".join(f"{name}: {words}" for name, words in zip(_NAMES, self.words, strict=True) if words)
        data = {"frames": sources, "epochs": [int(epoch) for epoch in self.epochs], "fps": fps}
        page = template.replace("{{words}}", escape(words)).replace("{{data}}", json.dumps(data))
        return page.replace("{{width}}", str(images[0].width)).replace("{{height}}", str(images[0].height)).encode()


def _answers(model: Model, plane: Plane, states: Sequence[np.ndarray]) -> list[Regions]:
    """Return what a model answers on a plane in each of its states; it is left in the last."""
    inputs, shape = model.encoder.transform(plane.rows), (len(plane.y), len(plane.x))
    classes, found = classes_of(model), []
    for state in states:
        model.network.state[:] = state
        outputs = model.network.predict(inputs).astype(np.float64)
        values = model.targets.decode(outputs) if classes is None else model.loss.inverse_link(outputs)
        found.append(Regions(plane, classes, values.reshape(shape if classes is None else (*shape, len(classes)))))
    return found


class _Camera(Callback):
    """Keeps the state of a network after the epochs of the frames."""

    def __init__(self, epochs: Sequence[int], report: Report | None, planned: int, before: int, words: str) -> None:
        self.epochs, self.report, self.planned, self.before, self.words = set(epochs), report, planned, before, words
        self.states: list[np.ndarray] = []

    def on_start(self, run: Run) -> None:
        self._look(run, 0)

    def on_epoch_end(self, run: Run) -> None:
        self._look(run, run.history.epochs)

    def _look(self, run: Run, epoch: int) -> None:
        if epoch in self.epochs:
            self.states.append(run.network.state.copy())
            if self.report is not None:
                self.report(self.before + len(self.states), self.planned, f"training, {self.words}")


def check_place(path: Path) -> None:
    """Raise `InvalidValue` unless a film can be written there: the end of the name, and for .mp4 an ffmpeg."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidValue(f"{path}: a film is written as {', '.join(FORMATS)}")
    if path.suffix.lower() == ".mp4":
        _ffmpeg()


def _epochs(last: int, frames: int) -> list[int]:
    """Return the epochs of the frames, from 0 to the last, denser at the start."""
    return np.unique(np.rint(last * np.linspace(0.0, 1.0, min(frames, last + 1)) ** 1.5).astype(int)).tolist()


def _columns(history: Any) -> list[str]:
    return [name for name in ("data_loss", "validation_data_loss", "penalty") if name in history]


def _image(figure: Figure) -> Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(pixels[..., :3])


def _few_colors(image: Image) -> Image:
    from PIL import Image

    return image.quantize(_COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def _packed(image: Image) -> bytes:
    buffer = io.BytesIO()
    _few_colors(image).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _gif(images: Sequence[Image], fps: float) -> bytes:
    few = [_few_colors(image) for image in images]
    each = max(round(1000.0 / fps), 20)  # browsers play shorter ones slowly
    buffer = io.BytesIO()
    few[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=few[1:],
        duration=[*[each] * (len(few) - 1), min(_LONGEST_PAUSE * each, 3000)],
        loop=0,
        optimize=False,
    )
    return buffer.getvalue()


def _mp4(images: Sequence[Image], fps: float) -> bytes:
    import subprocess
    import tempfile

    wide, high = (side - side % 2 for side in images[0].size)  # which the codec asks for
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "film.mp4"
        command = [_ffmpeg(), "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{wide}x{high}"]
        command += ["-r", f"{fps:g}", "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "24", str(out)]
        frames = b"".join(image.crop((0, 0, wide, high)).tobytes() for image in images)
        done = subprocess.run(command, input=frames, capture_output=True, check=False)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise InvalidValue(f"ffmpeg could not write the film: {shown(words[-1] if words else done.returncode)}")
        return out.read_bytes()


def _ffmpeg() -> str:
    import shutil

    if found := shutil.which("ffmpeg"):
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError as error:
        raise InvalidValue(
            "an .mp4 needs ffmpeg: install it, or pip install 'taut[video]'; .gif and .html need nothing more"
        ) from error
    return str(get_ffmpeg_exe())
