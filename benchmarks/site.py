"""A public page of 1,000 made-up experiments: how long it takes to make, and a browser to open.

`python -m benchmarks.site [COUNT]`, after `make demo`: the experiments are copies of exp_001_baseline's
results under other names, each with words and a summary of its own. Uncommitted code is not measured.
"""

import os
import shutil
import statistics
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from statsmodels.stats.proportion import proportion_confint

from benchmarks.measuring import ROOT, run, seconds
from tests.workflow.conftest import start_browser
from vla.errors import UserError
from vla.plan.plan import Plan
from vla.records.rates import Rate
from vla.records.summary import SummaryRecord
from vla.site.building import build_site
from vla.statistics.rates import CONFIDENCE
from vla.statistics.rates import describe as describe_rate

NAME = "exp_001_baseline"
WORDS = ("wider", "deeper", "augmented", "tokens", "language", "camera", "longer", "regularised")
OUTCOMES = ("open", "confirmed", "refuted", "inconclusive", "dead end")
LOADS = 7
# Milliseconds since the page was asked for; nothing or 0 until then.
MARKED = "return performance.getEntriesByName('shown')[0]?.startTime"
SHOWN = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCHED = """
const search = document.getElementById("search"), started = performance.now();
search.value = arguments[0];
search.dispatchEvent(new Event("input", {bubbles: true}));
return performance.now() - started;
"""


def make_experiments(project: Path, count: int) -> None:
    """`count` experiments in a clone: results linked from this checkout, summaries made up."""
    run("git", "clone", "-q", ROOT, project, folder=project.parent)
    finished = Plan(ROOT, {"experiments": [NAME]}).experiments[NAME]
    path = finished.document("summary", "summary.json")
    summary = SummaryRecord.read(path)
    config = yaml.safe_load((finished.folder / "config.yaml").read_text())
    random = np.random.default_rng(0)
    for folder in (project / "experiments").iterdir():
        shutil.rmtree(folder)
    for number in range(count):
        name = f"made_up_{number:04}"
        words = " ".join(random.choice(WORDS, 3))
        about = config["experiment"] | {
            "name": name,
            "title": f"Experiment {number}: {words}",
            "hypothesis": f"A {words} policy succeeds more often on the same data and episodes. "
            * 2,
            "parent": f"made_up_{number - 1:04}" if number % 10 else "",
            "outcome": {"status": OUTCOMES[number % len(OUTCOMES)]},
        }
        folder = project / "experiments" / name
        for part in ("results", "logs"):
            shutil.copytree(finished.folder / part, folder / part, copy_function=os.link)
        (folder / "config.yaml").write_text(yaml.safe_dump(config | {"experiment": about}))
        made_up(summary, name, random).write(folder / path.relative_to(finished.folder))


def made_up(summary: SummaryRecord, name: str, random: np.random.Generator) -> SummaryRecord:
    """Successes drawn anew, under one probability."""
    probability = random.uniform()

    def draw(rate: Rate) -> Rate:
        good = int(random.binomial(rate.episodes, probability))
        low, high = proportion_confint(good, rate.episodes, 1 - CONFIDENCE, method="wilson")
        value = good / rate.episodes
        bounds = {"low": min(float(low), value), "high": max(float(high), value)}
        return rate.model_copy(update={"successes": good, "rate": value, **bounds})

    conditions = {
        condition: rates.model_copy(
            update={
                "overall": draw(rates.overall),
                "by_task": {task: draw(rate) for task, rate in rates.by_task.items()},
                "by_seed": {seed: draw(rate) for seed, rate in rates.by_seed.items()},
            }
        )
        for condition, rates in summary.conditions.items()
    }
    statement = describe_rate(conditions["instructed"].overall)
    changed = {"experiment": name, "conditions": conditions, "statement": statement}
    return summary.model_copy(update=changed)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def open_pages(folder: Path, count: int) -> None:
    """Open list, comparison and an experiment, nothing of them in the browser's cache."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    browser = start_browser()
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    pages = {
        f"list of {count}": "index.html",
        "comparison": "compare.html?a=made_up_0001&b=made_up_0002",
        "one experiment": "experiments/made_up_0001/index.html",
    }
    for what, page in pages.items():
        times = []
        for _ in range(LOADS):
            browser.get(f"{address}/{page}")
            wait = WebDriverWait(browser, 60)
            shown = SHOWN if page.endswith("html") and "/" in page else MARKED
            times.append(wait.until(lambda b, shown=shown: b.execute_script(shown)) / 1000)
        show(f"{what}: opened until its numbers are shown", times)
        if page == "index.html":
            assert browser.find_elements(By.CSS_SELECTOR, ".tabulator-row")
            found = [browser.execute_script(SEARCHED, word) / 1000 for word in WORDS[:LOADS]]
            show("list: a word searched", found)
    browser.quit()
    server.shutdown()


def show(what: str, times: list[float]) -> None:
    print(f"| {what} | {statistics.median(times):.2f} s | {max(times):.2f} s |", flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(dir=ROOT / "results") as folder:
        project, page = Path(folder) / "project", Path(folder) / "page"
        try:
            make_experiments(project, count)
        except UserError as error:
            sys.exit(f"{error}\nThe experiments are copies of {NAME}: make demo first.")
        print("| What | Median | Longest |\n|---|---|---|")
        show(f"made, {count} experiments", [seconds(lambda: build_site(project, page))])
        show("made again, nothing changed", [seconds(lambda: build_site(project, page))])
        open_pages(page, count)


if __name__ == "__main__":
    main()
