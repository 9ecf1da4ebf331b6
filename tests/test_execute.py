"""Which notebooks run again, and what a run leaves behind."""

from __future__ import annotations

import _thread
import asyncio
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest

from grocery_spheres import kernels
from grocery_spheres.execute import FIGURE, Session, notebook_key, read_manifest

PRINTS_WHERE = (
    "import os, sys\n"
    "print(os.getcwd(), sys.executable, os.environ['POLARS_MAX_THREADS'], os.environ['OMP_NUM_THREADS'])"
)


def build(project, *names, force=False, rests_on=""):
    """Run what has a reason to, and return the names of what ran."""
    paths = [project.root / "notebooks" / f"{name}.ipynb" for name in names or ("01-a",)]
    before = len(project.batches)
    with Session(project.root, force) as session:
        session.run(paths, rests_on)
    return [name for batch in project.batches[before:] for name in batch]


def figure(slug):
    return {"output_type": "display_data", "metadata": {}, "data": {FIGURE: {"slug": slug}}}


# ---- kernels


def test_notebooks_run_in_kernels_and_a_failure_names_itself(project, monkeypatch, capsys):
    monkeypatch.setattr("grocery_spheres.execute.run_notebooks", kernels.run_notebooks)
    good = project.notebook("01-good", "# Good", (PRINTS_WHERE, []))
    bad = project.notebook(
        "02-bad", "# Bad", ("print('first')", []), ("# why\n1 / 0", []), ("print('never')", [])
    )
    sources = {path: path.read_bytes() for path in (good, bad)}
    kernels.write_text(kernels.executed_copy(project.root, "02-bad"), "an earlier good copy")

    with pytest.raises(kernels.ExecutionError) as refused, Session(project.root) as session:
        session.run([good, bad])

    message = str(refused.value)
    partial = project.root / "reports" / "executed" / "02-bad.failed.ipynb"
    for words in ("02-bad", "cell 3 of 4", "`# why`", "ZeroDivisionError: division by zero", partial.name):
        assert words in message
    assert "\n" not in message
    cells = nbformat.read(partial, as_version=4).cells
    assert cells[1].outputs[0].text == "first\n"
    assert cells[3].outputs == []
    assert kernels.executed_copy(project.root, "02-bad").read_text() == "an earlier good copy"

    # The other one ran: in the notebooks folder, by this very Python, on one thread, and left no time stamps.
    assert session.ran == ["01-good"]
    executed = nbformat.read(kernels.executed_copy(project.root, "01-good"), as_version=4)
    nbformat.validate(executed)
    folder, python, polars_threads, omp_threads = executed.cells[1].outputs[0].text.split()
    assert folder == str(project.root / "notebooks")
    assert shutil.which(python)
    assert (polars_threads, omp_threads) == ("1", "1")
    assert executed.cells[1].metadata == {}
    assert "01-good  cell 2/2\n" in capsys.readouterr().err
    assert sorted((project.root / "notebooks").iterdir()) == [good, bad]
    assert {path: path.read_bytes() for path in (good, bad)} == sources


def test_kernels_can_be_started_inside_a_running_loop():
    async def answer():
        return ["ran"]

    async def as_in_jupyterlab():
        return kernels._in_own_loop(answer())

    # In a thread of its own: the browser tests leave a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(as_in_jupyterlab())).result() == ["ran"]


def test_an_interrupt_ends_what_runs():
    started, ended = threading.Event(), threading.Event()

    async def endless():
        try:
            started.set()
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.set()
            raise
        return []

    threading.Thread(target=lambda: started.wait() and _thread.interrupt_main()).start()
    with pytest.raises(KeyboardInterrupt):
        kernels._in_own_loop(endless())
    assert ended.is_set()


def test_a_file_is_never_half_written(tmp_path):
    target = tmp_path / "page.html"
    kernels.write_text(target, "old")
    with pytest.raises(UnicodeEncodeError):
        kernels.write_text(target, "new \ud800")
    assert target.read_text() == "old"
    kernels.write_text(target, "new\n")
    assert target.read_bytes() == b"new\n"
    assert target.stat().st_mode & 0o777 == 0o644


# ---- what is skipped


@pytest.fixture
def built(project):
    project.notebook("01-a", "# A", ("x = 1", [figure("one")]))
    project.on_run = lambda name: _publish(project, "one")
    assert build(project) == ["01-a"]
    return project


def _publish(project, slug):
    for end in (".svg", ".csv"):
        kernels.write_text(project.root / "reports" / "figures" / f"{slug}{end}", f"{slug}{end}")


def test_nothing_changed_runs_nothing(built):
    assert build(built) == []


def test_prose_is_no_reason_to_run(built):
    built.notebook("01-a", "# A, said otherwise", ("x = 1", [figure("one")]))
    assert build(built) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda project: project.notebook("01-a", "# A", ("x = 2", [figure("one")])),
        lambda project: (project.root / "requirements.txt").write_text("altair==6.3.1\n"),
        lambda project: (project.root / "data" / "sources.toml").write_text("# other cards\n"),
        lambda project: kernels.write_text(project.root / "reports" / "validation" / "entry.csv", "seed\n"),
        lambda project: (project.root / "reports" / "figures" / "one.csv").unlink(),
        lambda project: (project.root / "reports" / "figures" / "one.svg").write_text("edited"),
        lambda project: kernels.executed_copy(project.root, "01-a").unlink(),
        lambda project: (project.root / "reports" / "executed" / "01-a.key.json").write_text("{"),
    ],
    ids=[
        "code",
        "lock",
        "cards",
        "proofs",
        "output deleted",
        "output edited",
        "executed copy deleted",
        "key damaged",
    ],
)
def test_a_change_is_a_reason_to_run(built, change):
    change(built)
    assert build(built) == ["01-a"]
    assert build(built) == []


def test_a_change_of_the_package_is_a_reason_to_run(built, monkeypatch, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "panels.py").write_text("old")
    (package / "report.py").write_text("old")
    monkeypatch.setattr("grocery_spheres.execute.__file__", str(package / "execute.py"))
    build(built)
    (package / "report.py").write_text("new")  # no notebook imports it
    assert build(built) == []
    (package / "panels.py").write_text("new")
    assert build(built) == ["01-a"]


def test_force_runs_everything(built):
    assert build(built, force=True) == ["01-a"]


def test_what_it_rests_on_is_a_reason_to_run(built):
    assert build(built, rests_on="others") == ["01-a"]
    assert build(built, rests_on="others") == []


def test_data_built_by_the_run_itself_is_no_reason_to_run_again(project):
    public = project.root / "data" / "public" / "lines.parquet"
    project.notebook("01-a", "# A", ("x = 1", []))
    project.notebook("02-b", "# B", ("x = 1", []))
    project.on_run = lambda name: kernels.write_text(public, "built") if name == "02-b" else None
    assert build(project, "01-a") == ["01-a"]
    assert build(project, "01-a", "02-b") == ["02-b"]
    assert build(project, "01-a", "02-b") == []
    public.write_text("damaged")
    assert build(project, "01-a", "02-b") == ["01-a", "02-b"]


def test_a_failed_notebook_runs_again_and_the_others_do_not(built):
    built.notebook("02-b", "# B", ("x = 1", []))
    built.fails["02-b"] = "Notebook 02-b stopped"
    for _ in range(2):
        with pytest.raises(kernels.ExecutionError, match="Notebook 02-b stopped"):
            build(built, "01-a", "02-b")
        assert built.batches[-1] == ["02-b"]
    del built.fails["02-b"]
    assert build(built, "01-a", "02-b") == ["02-b"]


def test_every_failure_is_told(built):
    built.notebook("02-b", "# B", ("x = 1", []))
    built.fails = {"01-a": "first went wrong", "02-b": "second went wrong"}
    with pytest.raises(kernels.ExecutionError, match=r"(?s)first went wrong.*second went wrong"):
        build(built, "01-a", "02-b", force=True)


def test_the_manifest_lists_what_was_published(built):
    manifest = read_manifest(built.root, "01-a")
    assert set(manifest["published"]) == {"reports/figures/one.csv", "reports/figures/one.svg"}


def test_a_key_depends_on_name_code_and_what_it_rests_on(project):
    one = project.notebook("01-a", "# A", ("x = 1", []))
    same = notebook_key(one, "data")
    assert same == notebook_key(one, "data")
    assert same != notebook_key(one, "other data")
    two = project.notebook("02-a", "# A", ("x = 1", []))
    assert same != notebook_key(two, "data")
    content = json.loads(one.read_text())
    content["cells"][1]["source"] = ["x = ", "1"]  # the same code, stored in pieces
    one.write_text(json.dumps(content))
    assert same == notebook_key(one, "data")
