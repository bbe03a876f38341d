"""A public page of 1,000 made-up experiments: how long it takes to make, and a browser to open it.

`python -m benchmarks.site [COUNT]`, after `make demo`: each is exp_001_baseline under another name. The page
is made whole, from a project with that many finished experiments; the one that is opened has words and
rates of its own for each.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.measuring import ROOT, seconds
from tests.serving import served
from tests.workflow.conftest import start_browser
from vla.errors import UserError
from vla.files.yaml import read_yaml
from vla.plan.plan import Plan
from vla.records.rates import Rate
from vla.records.summary import SummaryRecord
from vla.site.building import build_site
from vla.site.entry import Entry, read_entry
from vla.site.folder import new_page
from vla.site.pages import Pages, list_row
from vla.site.privacy import Privacy
from vla.statistics.counts import wilson
from vla.statistics.rates import describe as describe_rate

NAME = "exp_001_baseline"
WORDS = ("wider", "deeper", "augmented", "tokens", "language", "camera", "longer", "regularised")
OUTCOMES = ("open", "confirmed", "refuted", "inconclusive", "dead end")
LOADS = 7
OPENED = 3
# Milliseconds since the page was asked for; nothing or 0 until then.
MARKED = "return performance.getEntriesByName('shown')[0]?.startTime"
SHOWN = "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCHED = """
const search = document.getElementById("search"), started = performance.now();
search.value = arguments[0];
search.dispatchEvent(new Event("input", {bubbles: true}));
return performance.now() - started;
"""


def make_whole(folder: Path, count: int) -> None:
    """The page of a project in which the experiment was finished `count` times, nine in ten as a successor."""
    project = folder / "project"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, tracked.split("\0")):
        if not name.startswith(("experiments/", "published/", "tests/")):
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, project / name)
    config = read_yaml(ROOT / f"experiments/{NAME}/config.yaml")
    for number in range(count):
        copy = project / f"experiments/made_up_{number:04}"
        shutil.copytree(ROOT / f"experiments/{NAME}", copy, copy_function=os.link)
        config["experiment"]["parent"] = f"made_up_{number - 1:04}" if number % 10 else ""
        (copy / "config.yaml").unlink()
        (copy / "config.yaml").write_text(json.dumps(config))  # JSON is YAML
    listed = {"experiments": ["made_up_0000"], "comparisons": []}
    (project / "config/config.yaml").write_text(json.dumps(listed))
    show(
        f"{count:,} experiments: page made",
        [seconds(lambda: build_site(project, folder / "whole"))],
    )


def make_page(folder: Path, count: int) -> None:
    """A page with `count` rows in its list; of the first few the pages, too, for no other is opened."""
    (finished,) = Plan(ROOT, {"experiments": [NAME]}).experiments.values()
    privacy = Privacy(ROOT, ())
    started = time.perf_counter()
    entry = read_entry(finished, [], {NAME: ""}, privacy)
    show("one experiment read", [time.perf_counter() - started])
    random = np.random.default_rng(0)
    entries = [make_entry(entry, number, random) for number in range(count)]
    with new_page(folder, privacy) as draft:
        pages = Pages(ROOT, draft)
        add = [partial(pages.add_experiment, one, []) for one in entries[:OPENED]]
        show("one experiment written", [seconds(work) for work in add])
        rows = [list_row(one) for one in entries]
        show(f"list of {count:,} written", [seconds(lambda: pages.add_shared(rows))])


def make_entry(entry: Entry, number: int, random: np.random.Generator) -> Entry:
    """The same experiment under another name, with words and rates of its own."""
    name = f"made_up_{number:04}"
    words = " ".join(random.choice(WORDS, 3))
    about = entry.content.about | {
        "title": f"Experiment {number}: {words}",
        "hypothesis": f"A {words} policy succeeds more often on the same data and episodes. " * 2,
        "parent": f"made_up_{number - 1:04}" if number % 10 else "",
        "outcome": {"status": OUTCOMES[number % len(OUTCOMES)], "next_steps": ()},
    }
    summary = made_up(entry.content.summary, name, random)
    return replace(entry, content=replace(entry.content, folder=name, about=about, summary=summary))


def made_up(summary: SummaryRecord, name: str, random: np.random.Generator) -> SummaryRecord:
    """Successes drawn anew, under one probability."""
    probability = random.uniform()

    def draw(rate: Rate) -> Rate:
        good = int(random.binomial(rate.episodes, probability))
        low, high = wilson(good, rate.episodes)
        value = good / rate.episodes
        bounds = {"low": min(low, value), "high": max(high, value)}
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


def open_pages(address: str, count: int) -> None:
    """Open list, comparison and an experiment, nothing of them in the browser's cache."""
    browser = start_browser()
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    pages = {
        f"list of {count:,}": "index.html",
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


def show(what: str, times: list[float]) -> None:
    print(f"| {what} | {statistics.median(times):.2f} s | {max(times):.2f} s |", flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| What | Median | Longest |\n|---|---|---|")
    with tempfile.TemporaryDirectory(
        dir=ROOT / "results"
    ) as folder:  # where links to results can lie
        try:
            make_whole(Path(folder), count)
            make_page(Path(folder) / "page", count)
        except UserError as error:
            sys.exit(f"{error}\nThe experiments are copies of {NAME}: make demo first.")
        with served(Path(folder) / "page") as address:
            open_pages(address, count)


if __name__ == "__main__":
    main()
