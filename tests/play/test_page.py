"""The page in a real browser: Debian's chromium, driven by Playwright, which downloads none of its own.

Every test ends with the same two questions: did the page complain to the console, and did it ask anybody but us?
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.play.conftest import PEOPLE, training_threads, until

QUIET = [
    f"--{name}"
    for name in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
HOW = "no chromium here; on Debian: apt-get install chromium"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        # Where everything must be tested, a test that is skipped has failed.
        (pytest.fail if os.environ.get("TAUT_NEEDS_BROWSER") else pytest.skip)(HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, server):
    """Return what opens the page in a tab; at the end, no tab may have complained or asked anybody else."""
    contexts, trouble = [], []

    def watch(page: Page) -> None:
        page.on("console", lambda message: trouble.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("requestfailed", lambda request: trouble.append(f"failed: {request.url}"))
        for kind in ("request", "websocket"):
            page.on(kind, lambda asked: trouble.append(asked.url) if not is_ours(asked.url) else None)

    def is_ours(url: str) -> bool:
        return re.match(rf"(http|ws)://127\.0\.0\.1:{server.port}/|blob:{server.origin}/", url) is not None

    def make(address: str = "", width: int = 1400, **options: object) -> Page:
        options = {"color_scheme": "light", "viewport": {"width": width, "height": 900}, **options}
        contexts.append(browser.new_context(**options))
        contexts[-1].grant_permissions(["clipboard-read", "clipboard-write"], origin=server.origin)
        page = contexts[-1].new_page()
        watch(page)
        page.goto(f"{server.origin}/{address}")
        expect(page.locator("#arm-0 .fingerprint")).to_have_text(re.compile("[0-9a-f]{8}"))
        return page

    yield make
    for context in contexts:
        context.close()
    assert trouble == []


def epoch(page: Page) -> int:
    return int(page.inner_text("#epoch").replace(",", ""))


def reaches(page: Page, least: int) -> None:
    end = time.monotonic() + 30
    while epoch(page) < least:
        assert time.monotonic() < end, f"epoch {epoch(page)} of {least}"
        page.wait_for_timeout(20)


def arrives(page: Page, at: int) -> None:
    """Wait until a run stands still after so many epochs."""
    expect(page.locator("#epoch")).to_have_text(f"{at:,}", timeout=30_000)
    expect(page.locator("#play-word")).to_have_text("Train")


def figure(page: Page, arm: int, name: str) -> str:
    return page.inner_text(f"#arm-{arm} [data-figure={name}]")


def fingerprints(page: Page) -> list[str]:
    return page.locator(".fingerprint").all_inner_texts()


def map_of(page: Page, arm: int) -> str:
    return page.evaluate(f"document.querySelector('#arm-{arm} .map canvas').toDataURL()")


def give(page: Page, name: str, content: bytes | str) -> None:
    content = content.encode() if isinstance(content, str) else content
    page.set_input_files("#file", {"name": name, "mimeType": "text/csv", "buffer": content})


def test_two_networks_start_alike_and_part_as_they_train(open_page):
    page = open_page()
    assert len(set(fingerprints(page))) == 1
    page.click("#play")
    reaches(page, 60)
    page.click("#play")
    expect(page.locator("#play-word")).to_have_text("Train")
    assert len(set(fingerprints(page))) == 2
    assert float(figure(page, 0, "penalty")) > 0
    assert float(figure(page, 1, "penalty")) == 0
    stood = epoch(page)
    page.click("#step")
    arrives(page, stood + 1)
    page.click("#reset")
    arrives(page, 0)
    assert len(set(fingerprints(page))) == 1


def test_turning_lambda_changes_penalty_and_boundary(open_page):
    page = open_page("#epoch=100")
    arrives(page, 100)
    expect(page.locator(".key.turned").first).to_be_hidden()
    penalty, weak, other = float(figure(page, 0, "penalty")), map_of(page, 0), fingerprints(page)[1]
    page.focus("#l2")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#l2 + output, .slider:has(#l2) output")).to_have_text("0.1")
    expect(page.locator("#layers summary").first).to_have_text("L2 0.1")
    expect(page.locator(".key.turned").first).to_be_visible()
    page.select_option("#speed", "0")
    page.click("#play")
    reaches(page, 300)
    page.click("#play")
    expect(page.locator("#play-word")).to_have_text("Train")
    strong = float(figure(page, 0, "penalty"))
    assert strong != penalty
    assert map_of(page, 0) != weak
    assert "changes=[[" in page.evaluate("location.hash")
    assert fingerprints(page)[1] != other


def test_shared_address_brings_back_the_same_networks_to_the_last_bit(open_page):
    page = open_page("#data=moons&layers=[5]&epoch=40")
    arrives(page, 40)
    page.select_option("#optimizer", "rmsprop")
    page.focus("#dropout")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#layers summary").first).to_have_text(re.compile("dropout 5 %"))
    page.click("#play")
    reaches(page, 80)
    page.click("#play")
    expect(page.locator("#play-word")).to_have_text("Train")
    page.click("#share")
    expect(page.locator("#status")).to_contain_text("copied")
    before, at, address = fingerprints(page), epoch(page), page.evaluate("navigator.clipboard.readText()")
    page.reload()
    arrives(page, at)
    assert fingerprints(page) == before
    another = open_page(address[address.index("#") :])
    arrives(another, at)
    assert fingerprints(another) == before
    assert another.input_value("#optimizer") == "rmsprop"


def test_copied_code_ends_with_the_same_weights_and_losses(open_page, tmp_path, capsys):
    page = open_page("#data=circles&layers=[5]&epoch=30")
    arrives(page, 30)
    page.select_option("#batch_size", "all")
    page.click("#step")
    arrives(page, 31)
    page.click("#code")
    page.click("#paper-copy")
    expect(page.locator("#paper-copy")).to_have_text("Copied")
    path = tmp_path / "copied.py"
    path.write_text(page.evaluate("navigator.clipboard.readText()"), encoding="utf-8")
    page.keyboard.press("Escape")
    left = runpy.run_path(str(path))
    printed = [re.findall(r"[a-z] ([0-9.e-]+)", line) for line in capsys.readouterr().out.splitlines()]
    shown = [[figure(page, arm, name) for name in ("data", "penalty", "validation")] for arm in (0, 1)]
    assert sha256(left["network"].state.tobytes()).hexdigest()[:8] == fingerprints(page)[1]
    assert [[float(f"{float(value):.3f}") for value in row] for row in printed] == [[*map(float, row)] for row in shown]


def test_recipe_is_saved(open_page):
    page = open_page("#epoch=3")
    arrives(page, 3)
    page.click("#recipe")
    with page.expect_download() as download:
        page.click("#paper-save")
    assert download.value.suggested_filename == "recipe.toml"
    assert "hidden_layer_sizes" in Path(download.value.path()).read_text(encoding="utf-8")


def test_own_csv_is_trained_on_and_its_names_are_only_text(open_page):
    page = open_page()
    give(page, "people.csv", PEOPLE.replace("city", '"<img src=x onerror=document.title=1>"'))
    expect(page.locator("#target")).to_be_visible()
    page.select_option("#target", "label")
    expect(page.locator(".across").first).to_have_text("age")
    page.click("#step")
    arrives(page, 1)
    page.select_option("#axes", "all")
    expect(page.locator(".across").first).to_have_text("first principal component")
    page.select_option("#target", "amount")
    expect(page.locator("[data-metric]").first).to_have_text("validation R²")
    page.click("#play")
    reaches(page, 30)
    assert "<img" in page.inner_text("#target")
    assert page.title() != "1"
    page.click("#sets button[data-set=xor]")
    expect(page.locator("#target")).to_be_hidden()
    reaches(page, 5)


def test_address_of_a_table_waits_for_its_file(open_page, server):
    page = open_page()
    give(page, "people.csv", PEOPLE)
    expect(page.locator("#target")).to_be_visible()
    page.click("#step")
    arrives(page, 1)
    address, before = page.evaluate("location.hash"), fingerprints(page)
    kept = dict(server.tables)
    server.tables.clear()  # as in a server that was started anew
    other = open_page(address)
    expect(other.locator("#alert")).to_have_text("this run is about a table that is not here; load its file again")
    give(other, "copy.csv", PEOPLE)
    arrives(other, 1)
    assert fingerprints(other) == before
    server.tables.update(kept)


def test_hostile_files_get_one_clear_line_and_the_run_goes_on(open_page):
    page = open_page()
    wide = ",".join(f"c{n}" for n in range(10_000)) + "\n" + ",".join("1" * 10_000) + "\n"
    for name, content, words in (
        ("binary.csv", bytes(range(256)) * 4, "binary.csv: this is not text (it holds zero bytes)"),
        ("formula.csv", PEOPLE + "=HYPERLINK(),1,2,3,4\n", "holds spreadsheet formulas"),
        ("wide.csv", wide, "wide.csv: the page takes from 2 to 300 columns, got 10000"),
        ("field.csv", PEOPLE + f'"{"x" * 50_000}",1,2,3,4\n', "has 50000 characters"),
        ("<b>.csv", "a\n1\n", "<b>.csv: the page takes from 2"),
    ):
        give(page, name, content)
        expect(page.locator("#alert")).to_contain_text(words)
        assert "\n" not in page.inner_text("#alert")
    page.click("#step")
    arrives(page, 1)


def test_two_hundred_megabytes_are_not_even_sent(open_page, tmp_path):
    page = open_page()
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(200_000_000)
    page.set_input_files("#file", large)
    expect(page.locator("#alert")).to_contain_text("large.csv: the page takes files of up to 20 MB")


def test_two_tabs_are_two_runs_and_a_closed_one_ends(open_page):
    until(lambda: training_threads() == 0)
    one, other = open_page(), open_page()
    one.click("#play")
    reaches(one, 10)
    assert epoch(other) == 0
    other.click("#dice")
    other.click("#play")
    reaches(other, 10)
    assert training_threads() == 2
    one.close()
    until(lambda: training_threads() == 1)
    reached = epoch(other)
    reaches(other, reached + 10)


def test_layers_are_added_removed_and_resized(open_page):
    page = open_page()
    page.click("#add-layer")
    expect(page.locator("#layers .layer")).to_have_count(4)
    page.get_by_label("Units of hidden layer 3").fill("9")
    page.get_by_label("Units of hidden layer 3").press("Enter")
    expect(page.locator("#arm-0 .matrices figcaption")).to_have_text(["2 → 6", "6 → 4", "4 → 9", "9 → 3"])
    page.get_by_label("Remove hidden layer 1").click()
    expect(page.locator("#arm-0 .matrices figcaption")).to_have_text(["2 → 4", "4 → 9", "9 → 3"])
    page.get_by_label("Units of hidden layer 1").fill("9999")
    page.get_by_label("Units of hidden layer 1").press("Enter")
    expect(page.locator("#alert")).to_contain_text("at most 512")
    expect(page.get_by_label("Units of hidden layer 1")).to_have_value("4")


def test_keyboard_alone_trains_and_turns(open_page):
    page = open_page()
    page.keyboard.press(" ")
    reaches(page, 10)
    page.keyboard.press(" ")
    expect(page.locator("#play-word")).to_have_text("Train")
    stood = epoch(page)
    page.keyboard.press(".")
    arrives(page, stood + 1)
    page.keyboard.press("r")
    arrives(page, 0)
    page.focus("#sets button[aria-checked=true]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#sets button[aria-checked=true]")).to_have_text("Moons")


def test_l1_makes_weights_exactly_zero_and_they_are_counted(open_page):
    page = open_page("#l1=0.03&l2=0&layers=[8]&epoch=300")
    arrives(page, 300)
    assert int(figure(page, 0, "zeros").rstrip(" %")) > 20
    assert figure(page, 1, "zeros") == "0 %"


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
def test_page_fits_and_nothing_lies_outside(open_page, width, scheme):
    page = open_page("#epoch=20", width, color_scheme=scheme)
    arrives(page, 20)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    paper = page.evaluate("getComputedStyle(document.body).color")
    assert (paper == "rgb(22, 32, 43)") == (scheme == "light")
    for canvas in page.locator(".stage canvas").all():
        box = canvas.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= width)


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, people, width, scheme):
    script = Path(os.environ.get("TAUT_AXE", ""))
    if not script.is_file():
        pytest.skip("set TAUT_AXE to the axe.min.js of axe-core (npm) for this test")
    page = open_page("#epoch=20", width, color_scheme=scheme)
    arrives(page, 20)
    give(page, "people.csv", PEOPLE)
    expect(page.locator("#target")).to_be_visible()
    page.locator("#layers summary").first.click()
    page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    told = [f"{one['impact']}: {one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]
    assert [line for line in told if line.startswith(("serious", "critical"))] == [], told
