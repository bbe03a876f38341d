// Makes plain tables sort by a click on a heading, or Enter; with Shift, by several. The plain table
// stays for print, and for readers without scripts.
// A cell's data-order is what a number is sorted by.
function makeTable(plain, describeColumn, options) {
  const heads = [...plain.tHead.rows[0].cells];
  const field = (head, i) => head.dataset.name ?? `column${i}`;
  const data = [...plain.tBodies[0].rows].map((row, id) => {
    const cells = [...row.cells];
    const item = {id, cells, words: row.textContent.toLowerCase()};
    heads.forEach((head, i) => {
      const order = cells[i].dataset.order;
      item[field(head, i)] = head.dataset.kind === "number" ? (order === undefined ? null : Number(order)) : cells[i].textContent;
    });
    return item;
  });
  const columns = heads.map((head, i) => ({
    title: head.textContent, field: field(head, i), cssClass: head.dataset.kind,
    sorter: head.dataset.kind === "number" ? "number" : "string", sorterParams: {alignEmptyValues: "bottom"},
    headerSortTristate: true, variableHeight: true, hozAlign: head.dataset.kind === "number" ? "right" : "left",
    formatter: cell => showCell(cell.getData().cells[i]), ...describeColumn(head),
  }));
  const box = document.createElement("div");
  [box.id, plain.id] = [plain.id, ""];
  plain.parentElement.before(box);
  if (plain.caption) {
    const caption = document.createElement("p");
    caption.className = "caption";
    caption.textContent = plain.caption.textContent;
    box.before(caption);
    box.setAttribute("aria-label", caption.textContent);
  }
  plain.parentElement.classList.add("plain");
  const table = new Tabulator(box, {data, columns, renderVertical: "basic", columnHeaderSortMulti: true, ...options});
  table.on("tableBuilt", () => reachByKeyboard(box));
  return table;
}

function showCell(cell) {
  const box = document.createElement("span");
  box.append(...[...cell.childNodes].map(node => node.cloneNode(true)));
  return box;
}

function reachByKeyboard(box) {
  for (const head of box.querySelectorAll(".tabulator-col")) {
    head.tabIndex = 0;
    head.addEventListener("keydown", event => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); head.click(); }
    });
  }
}
