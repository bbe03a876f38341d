// The list of all experiments, loaded once: searched, filtered, sorted, and shown by pages.
const filters = document.querySelector("form.filters"), search = document.getElementById("search");
const selects = [...filters.querySelectorAll("select")];
const chosen = new Set();  // names of experiments to compare, the newest two

const page = name => `experiments/${encodeURIComponent(name)}/index.html`;
const element = (tag, text, attributes = {}) => Object.assign(document.createElement(tag), {textContent: text}, attributes);

function showName(cell) {
  const row = cell.getData(), box = element("span", "", {className: "name"});
  box.append(element("a", row.name, {href: page(row.name)}), element("strong", row.title));
  return box;
}

function showChoice(cell) {
  const {name} = cell.getData();
  const tick = element("input", "", {type: "checkbox", checked: chosen.has(name), name});
  tick.setAttribute("aria-label", `Compare ${name}`);
  tick.addEventListener("change", () => choose(name, tick.checked));
  return tick;
}

function choose(name, on) {
  chosen.delete(name);
  if (on) chosen.add(name);
  if (chosen.size > 2) chosen.delete([...chosen][0]);
  document.querySelectorAll(".tabulator input[type=checkbox]").forEach(tick => { tick.checked = chosen.has(tick.name); });
  const [a, b] = [...chosen], place = document.getElementById("chosen");
  if (b) place.replaceChildren(element("a", `Compare ${a} with ${b}`, {href: `compare.html?${new URLSearchParams({a, b})}`}));
  else place.textContent = a ? `Tick another one to compare it with ${a}.` : "";
}

const plain = cell => element("span", cell.getValue());
const COLUMNS = [
  {title: "Experiment", field: "name", formatter: showName, minWidth: 180, widthGrow: 2, responsive: 0},
  {title: "Success [95 %]", field: "rate", sorter: "number", formatter: cell => element("span", cell.getData().success.shown), width: 140, responsive: 0},
  {title: "Target", field: "target", sorter: "number", sorterParams: {alignEmptyValues: "bottom"}, formatter: cell => element("span", cell.getData().target_shown || "–"), width: 95, responsive: 5},
  {title: "Verdict", field: "verdict", formatter: plain, width: 105, responsive: 3},
  {title: "Outcome", field: "outcome", formatter: cell => element("span", cell.getValue() + (cell.getData().doubtful ? " (of other results)" : "")), width: 120, responsive: 2},
  {title: "Policy", field: "policy", formatter: plain, width: 95, responsive: 4},
  {title: "Dataset", field: "dataset", formatter: plain, width: 140, responsive: 6},
  {title: "Seeds", field: "seeds", sorter: "number", formatter: plain, width: 90, responsive: 7},
  {title: "Finished", field: "finished", formatter: plain, width: 125, responsive: 8},
  {title: "Hypothesis", field: "hypothesis", formatter: plain, minWidth: 220, widthGrow: 3, responsive: 9},
  {title: "Summary", field: "summary_sha256", formatter: cell => element("code", `SHA-256 ${cell.getValue().slice(0, 12)}…`, {title: cell.getValue()}), width: 220, responsive: 10},
  {title: "Compare", field: "choice", headerSort: false, formatter: showChoice, width: 100, hozAlign: "center", responsive: 1},
];

// What has no room in a row stands below it.
function showRest(cells) {
  const list = element("dl", "", {className: "more"});
  for (const {title, value} of cells) {
    const content = element("dd", "");
    content.append(value);
    list.append(element("dt", title), content);
  }
  return list;
}

function readAddress() {
  const asked = new URLSearchParams(location.search);
  search.value = asked.get("q") ?? "";
  for (const select of selects) {
    const value = asked.get(select.dataset.field) ?? "";
    select.value = [...select.options].some(option => option.value === value) ? value : "";
  }
}

function writeAddress() {
  const asked = new URLSearchParams();
  if (search.value) asked.set("q", search.value);
  for (const select of selects) if (select.value) asked.set(select.dataset.field, select.value);
  history.replaceState(null, "", asked.size ? `?${asked}` : location.pathname);
}

function filterTable(table) {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  table.setFilter(row => selects.every(select => !select.value || row[select.dataset.field] === select.value)
    && words.every(word => row.words.includes(word)));
  document.getElementById("count").textContent = `${table.getDataCount("active")} of ${table.getDataCount()} experiments`;
}

function fillSelects(rows) {
  for (const select of selects) {
    const values = [...new Set(rows.map(row => row[select.dataset.field]))].filter(Boolean).sort();
    select.replaceChildren(new Option("all", ""), ...values.map(value => new Option(value, value)));
  }
}

async function start() {
  const rows = await (await fetch("data/experiments.json")).json();
  for (const row of rows) {
    row.rate = row.success.rate;
    const said = [row.name, row.title, row.hypothesis, row.policy, row.dataset, row.simulator, row.outcome, row.verdict, row.parent, row.summary_sha256, ...row.findings];
    row.words = said.join(" ").toLowerCase();
  }
  fillSelects(rows);
  readAddress();
  const table = new Tabulator("#list", {
    data: rows, columns: COLUMNS, index: "name", layout: "fitColumns", renderVertical: "basic",
    pagination: true, paginationSize: 50, placeholder: "No experiment fits.", columnHeaderSortMulti: true,
    columnDefaults: {variableHeight: true, headerSortTristate: true},
    responsiveLayout: "collapse", responsiveLayoutCollapseFormatter: showRest,
  });
  table.on("tableBuilt", () => {
    reachByKeyboard(table.element);
    filterTable(table);
    performance.mark("shown");  // what benchmarks/site.py waits for
  });
  const changed = () => { writeAddress(); filterTable(table); };
  search.addEventListener("input", changed);
  selects.forEach(select => select.addEventListener("change", changed));
  filters.addEventListener("reset", () => setTimeout(changed));
  filters.addEventListener("submit", event => event.preventDefault());
}

start().catch(error => { document.getElementById("count").textContent = `The list could not be loaded (${error.message}). Serve this folder with a web server, for instance: python -m http.server`; });
