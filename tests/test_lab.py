"""Notebooks in JupyterLab, in headless Chromium with the network cut: they run, charts appear and answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grocery_spheres import provenance

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[1]
SECONDS_TO_START = 60
SECONDS_TO_OPEN = 90
SECONDS_TO_RUN = 600

SMALL = """
import altair as alt
import polars as pl

from grocery_spheres import charts

charts.enable()
weeks = pl.DataFrame({"week": range(50), "sales": range(50)})
brush = alt.selection_interval(name="brush", encodings=["x"])
points = alt.Chart(weeks, width=300, height=120).mark_point().encode(x="week:Q", y="sales:Q")
bars = alt.Chart(weeks, width=300, height=40).mark_bar().encode(x="count():Q")
(points.add_params(brush) & bars.transform_filter(brush)).properties(description="Points above a bar.")
"""

READY = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
# True once every code cell has run: none is waiting, each has its number.
IDLE = """
() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")];
  const ran = (prompt) => /\\[\\d+\\]/.test(prompt.textContent);
  return prompts.length > 0 && prompts.every(ran);
}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """JupyterLab as `make lab` starts it, on a project of its own: its address, and the project."""
    home = tmp_path_factory.mktemp("lab")
    project = home / "project"
    (project / "notebooks").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    shutil.copytree(ROOT / "data", project / "data", ignore=shutil.ignore_patterns("public", "synthetic"))
    if (numbers := ROOT / "reports" / "numbers.json").exists():  # the story reads it
        (project / "reports").mkdir()
        shutil.copy(numbers, project / "reports")
    shutil.copytree(ROOT / "reports" / "validation", project / "reports" / "validation", dirs_exist_ok=True)
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # All cells stand in the page, also those far below, so that the test sees them.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    own = {
        "JUPYTER_CONFIG_PATH": str(ROOT / ".jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        provenance.ROOT_VARIABLE: str(project),
        provenance.DATA_VARIABLE: str(provenance.cache_folder()),
    }
    with server(project / "notebooks", home, own) as address:
        yield address, project


@contextmanager
def server(folder: Path, home: Path, own: dict[str, str]) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.port=0",
        "--IdentityProvider.token=",
    ]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            yield wait_for_address(process, home)
        finally:
            stop(process)


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:  # it waits for a kernel that was still starting
        process.kill()
        process.wait()


def wait_for_address(process: subprocess.Popen, home: Path) -> str:
    for _ in range(SECONDS_TO_START * 5):
        for found in (home / "runtime").glob("jpserver-*.json"):
            return str(json.loads(found.read_text())["url"])
        if process.poll() is not None:
            break
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start: {(home / 'log').read_text()[-2000:]}")


@pytest.fixture
def opened(lab, chromium):
    """Open a notebook of the project and run it from top to bottom."""
    address, project = lab
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    foreign = []

    def guard(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    context.route("**/*", guard)

    def run(notebook: Path, seconds: int = SECONDS_TO_RUN):
        shutil.copy(notebook, project / "notebooks") if notebook.parent != project / "notebooks" else None
        tab = context.new_page()
        tab.goto(f"{address}lab/tree/{notebook.name}?reset", timeout=SECONDS_TO_OPEN * 1000)
        tab.wait_for_selector(".jp-CodeCell", timeout=SECONDS_TO_OPEN * 1000)
        tab.wait_for_function(READY, timeout=SECONDS_TO_OPEN * 1000)
        tab.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        tab.wait_for_timeout(500)
        dialog = tab.locator(".jp-Dialog")
        assert dialog.count() == 0, f"JupyterLab asks: {dialog.all_inner_texts()}"
        tab.wait_for_function(IDLE, timeout=seconds * 1000)
        return tab

    yield run
    context.close()
    assert foreign == []


def check_notebook(tab) -> int:
    """No cell failed, no news are offered, and charts are drawn, not pictures: return how many."""
    errors = tab.locator("[data-mime-type='application/vnd.jupyter.stderr'], [data-mime-type*='error']")
    assert errors.all_inner_texts() == []
    assert "Jupyter news" not in tab.locator("body").inner_text()
    charts = tab.locator(".jp-RenderedVegaCommon5")
    if charts.count():
        tab.locator(".jp-RenderedVegaCommon5 :is(svg.marks, canvas.marks)").last.wait_for(timeout=30_000)
    return charts.count()


def small_notebook(project: Path) -> Path:
    path = project / "notebooks" / "small.ipynb"
    cells = [new_markdown_cell("# Small"), new_code_cell(SMALL.strip())]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_a_chart_appears_and_answers(lab, opened):
    tab = opened(small_notebook(lab[1]), seconds=60)
    assert check_notebook(tab) == 1
    assert tab.locator(".jp-RenderedVegaCommon5 :is(svg.marks, canvas.marks)").count() == 1
    before = shot(tab)
    box = tab.locator(".jp-RenderedVegaCommon5 :is(svg.marks, canvas.marks)").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=8)
    tab.mouse.up()
    tab.wait_for_timeout(500)
    assert shot(tab) != before


def shot(tab) -> bytes:
    """A picture of the lower view, the one that follows the brush."""
    box = tab.locator(".jp-RenderedVegaCommon5 :is(svg.marks, canvas.marks)").bounding_box()
    half = {
        "x": box["x"],
        "y": box["y"] + box["height"] * 0.7,
        "width": box["width"],
        "height": box["height"] * 0.3,
    }
    return tab.screenshot(clip=half)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_runs(opened, notebook):
    tab = opened(notebook)
    charts = check_notebook(tab)
    if notebook.stem == "01-public-groceries":
        assert charts > 0
    if charts:
        find_tooltip(tab)


def find_tooltip(tab) -> None:
    """Point at places of each chart until one tells something."""
    for chart in tab.locator(".jp-RenderedVegaCommon5 :is(svg.marks, canvas.marks)").all():
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        for across in range(5, 100, 5):
            for down in (30, 50, 70):
                tab.mouse.move(box["x"] + box["width"] * across / 100, box["y"] + box["height"] * down / 100)
                if tab.locator("#vg-tooltip-element.visible").count():
                    return
    pytest.fail("no chart of the notebook shows a tooltip")
