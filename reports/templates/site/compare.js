// Two experiments side by side. Their numbers are loaded when they are chosen; none is computed here.
const result = document.getElementById("result");
const sides = ["a", "b"].map(id => document.getElementById(id));
const SVG = "http://www.w3.org/2000/svg";
const loaded = new Map();

function element(tag, content = [], attributes = {}) {
  const made = document.createElement(tag);
  made.append(...[content].flat());
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const loadJson = async path => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
};

function load(name) {
  if (!loaded.has(name)) loaded.set(name, loadJson(`data/experiments/${encodeURIComponent(name)}.json`));
  return loaded.get(name);
}

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// Both rates from 0 to 100 % with their intervals; the cells beside it say the same in numbers.
function drawRates(rates) {
  const bar = drawn("svg", {class: "bar", viewBox: "0 0 100 12", preserveAspectRatio: "none", "aria-hidden": "true"});
  bar.append(drawn("rect", {x: 0, y: 0, width: 100, height: 12}));
  rates.forEach((rate, i) => {
    if (!rate) return;
    const side = "ab"[i], y = 3.5 + 5 * i;
    bar.append(drawn("line", {x1: 100 * rate.low, x2: 100 * rate.high, y1: y, y2: y, class: side, "stroke-width": 2, "vector-effect": "non-scaling-stroke"}));
    bar.append(drawn("rect", {x: Math.min(99, 100 * rate.rate - .5), y: y - 2, width: 1, height: 4, class: side}));
  });
  return bar;
}

function rateCell(rate, label) {
  if (!rate) return element("td", "not evaluated", {class: "muted", "data-label": label});
  const crashed = rate.crashes ? `, ${rate.crashes} crashed` : "";
  return element("td", [rate.shown, " ", element("span", `${rate.successes} of ${rate.episodes}${crashed}`, {class: "muted"})], {"data-label": label});
}

function rateRow(name, rates, labels, kind) {
  const bar = element("td");
  bar.append(drawRates(rates));
  return element("tr", [element("th", name, {scope: "row"}), ...rates.map((rate, i) => rateCell(rate, labels[i])), bar], {class: kind});
}

const heading = (letter, name) => element("th", [element("span", letter.toUpperCase(), {class: `side ${letter}`, "aria-hidden": "true"}), ` ${name}`], {scope: "col"});

function rateTable(condition, both) {
  const found = both.map(one => one.conditions[condition]);
  const title = found.find(Boolean).title, labels = ["A", "B"];
  const tasks = [...new Set(found.flatMap(one => one ? Object.keys(one.tasks) : []))];
  const rows = [rateRow("all tasks", found.map(one => one?.overall), labels, "all")];
  for (const task of tasks) {
    const short = found.map(one => one?.short[task]).find(Boolean);
    rows.push(rateRow(short, found.map(one => one?.tasks[task]), labels, ""));
  }
  const head = element("tr", [element("th", "Task", {scope: "col"}), heading("a", both[0].name), heading("b", both[1].name), element("th", "0 to 100 %", {scope: "col"})]);
  const table = element("table", [element("caption", `Success, ${title}: rate and 95 % interval of all training seeds together.`), element("thead", head), element("tbody", rows)], {class: "rates", "data-condition": condition});
  const notes = found.flatMap((one, i) => [
    one?.spread && `${labels[i]}: standard deviation between ${both[i].seeds.length} training seeds ${one.spread}.`,
    one?.length && `${labels[i]}: subtasks solved in a row ${one.length}.`,
  ]).filter(Boolean);
  return [element("div", table, {class: "scroll", tabindex: 0}), ...notes.map(note => element("p", note, {class: "muted"}))];
}

function fileLine({path, sha256}) {
  return element("li", [element("code", path), " SHA-256 ", element("code", sha256)], {class: "hash"});
}

function paired(both) {
  const pair = both[0].pairs[both[1].name];
  if (!pair) return [
    element("p", "No paired difference is known for these two: they share no episodes under the same simulator settings, or no comparison of them was made. The rates above are each of their own episodes; whether two intervals overlap is no test of a difference.", {class: "note", id: "unpaired"}),
    element("p", ["Where they share episodes: ", element("code", `vla compare ${both[0].name} ${both[1].name}`), ", or list the pair under comparisons in config/config.yaml."], {class: "muted"}),
  ];
  const letters = {[both[0].name]: "a", [both[1].name]: "b"};
  return [
    ...Object.entries(pair.conditions).flatMap(([condition, rates]) => pairedRates(condition, rates, pair, letters)),
    element("p", "Episodes from the same initial states. The interval of a difference is a bootstrap over initial states; McNemar's exact test takes each one's first training seed. The p-values are not corrected for looking at many pairs and conditions: of twenty without a difference, one falls below 0.05 by chance.", {class: "muted"}),
    element("p", pair.recorded ? "As the workflow recorded it:" : "Computed when this page was made, from:", {class: "muted"}),
    element("ul", pair.sources.map(fileLine)),
  ];
}

function pairedRates(condition, rates, {baseline, candidate}, letters) {
  // Letters in place of names, so that the table fits a narrow screen.
  const side = name => element("th", element("span", letters[name].toUpperCase(), {class: `side ${letters[name]}`, "aria-hidden": "true"}), {scope: "col", class: "n", "aria-label": name});
  const head = [element("th", "Task", {scope: "col"}), side(baseline), side(candidate), ...["Difference", "Pairs"].map(text => element("th", text, {scope: "col", class: "n"}))];
  const rows = Object.values(rates.tasks).map(task => element("tr", [
    element("th", task.short, {scope: "row"}), ...[task.baseline, task.candidate, task.difference, task.pairs].map(text => element("td", String(text), {class: "n"}))]));
  return [
    element("h3", capitalised(rates.title)),
    element("p", [element("strong", `${candidate} against ${baseline}: ${rates.statement}.`)], {class: "paired", "data-condition": condition}),
    element("p", `Of ${rates.pairs} shared episodes both succeeded in ${rates.both_succeed}, only ${baseline} in ${rates.only_baseline}, only ${candidate} in ${rates.only_candidate}, neither in ${rates.both_fail}.`),
    element("div", element("table", [element("caption", "Success by task on the same initial states (pairs), mean over training seeds; difference in points."), element("thead", element("tr", head)), element("tbody", rows)]), {class: "scroll", tabindex: 0}),
  ];
}

const capitalised = text => text[0].toUpperCase() + text.slice(1);

const said = value => value === undefined ? "(absent)" : value === null ? "(none)" : typeof value === "string" ? value : JSON.stringify(value);

function differences(both) {
  const [one, other] = both.map(side => side.config);
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(name => said(one[name]) !== said(other[name]));
  if (!names.length) return [element("p", "Nothing in model, training, data and evaluation.")];
  const head = ["Setting", both[0].name, both[1].name].map(text => element("th", text, {scope: "col"}));
  const rows = names.map(name => element("tr", [element("th", element("code", name), {scope: "row"}), element("td", said(one[name])), element("td", said(other[name]))]));
  return [element("div", element("table", [element("caption", "Settings of model, training, data and evaluation that are not the same."), element("thead", element("tr", head)), element("tbody", rows)]), {class: "scroll", tabindex: 0})];
}

function show(both) {
  const conditions = [...new Set(both.flatMap(one => Object.keys(one.conditions)))];
  const links = both.map((one, i) => element("li", [element("span", "AB"[i], {class: `side ${"ab"[i]}`, "aria-hidden": "true"}), " ",
    element("a", one.name, {href: `experiments/${encodeURIComponent(one.name)}/index.html`}), ` ${one.title}: ${one.statement}`]));
  result.replaceChildren(
    element("ul", links), element("h2", "Side by side"), ...conditions.flatMap(condition => rateTable(condition, both)),
    element("h2", "Paired difference"), ...paired(both),
    element("h2", "Differs in"), ...differences(both),
    element("h2", "Where the numbers come from"), element("ul", both.map(one => fileLine(one.source))),
  );
}

async function update() {
  const [a, b] = sides.map(side => side.value);
  history.replaceState(null, "", `?${new URLSearchParams({a, b})}`);
  if (a === b) {
    result.replaceChildren(element("p", "Choose two different experiments.", {id: "state"}));
    return;
  }
  const both = await Promise.all([load(a), load(b)]);
  if (sides[0].value !== a || sides[1].value !== b) return;  // others were chosen meanwhile
  show(both);
  performance.mark("shown");
}

const tell = error => result.replaceChildren(element("p", `The numbers could not be loaded (${error.message}). Serve this folder with a web server, for instance: python -m http.server`, {id: "state"}));

async function start() {
  const names = (await loadJson("data/experiments.json")).map(row => row.name);
  const asked = new URLSearchParams(location.search);
  sides.forEach((side, i) => {
    side.replaceChildren(...names.map(name => new Option(name, name)));
    const name = asked.get(side.id);
    side.value = names.includes(name) ? name : names[Math.min(i, names.length - 1)];
    side.addEventListener("change", () => update().catch(tell));
  });
  const [a, b] = sides;
  if (a.value === b.value && !asked.has("b") && names.length > 1) b.value = names.find(name => name !== a.value);
  await update();
}

start().catch(tell);
