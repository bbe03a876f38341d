// Sorting, films that can be stopped, and links to what lies beside this page.
const WIDEST = 320, ARROW = 30;  // pixels
const widths = head => ({width: Math.min(head.offsetWidth + ARROW, WIDEST)});
document.querySelectorAll("table.sortable").forEach(plain => makeTable(plain, widths, {layout: "fitDataTable"}));
document.querySelectorAll(".script").forEach(part => { part.hidden = false; });

const still = document.getElementById("still");
function showStill(on) {
  document.body.classList.toggle("still", on);
  still.setAttribute("aria-pressed", on);
  still.textContent = on ? "Show films" : "Show still pictures";
}
if (still) {
  still.addEventListener("click", () => showStill(!document.body.classList.contains("still")));
  showStill(matchMedia("(prefers-reduced-motion: reduce)").matches);
}

// In reports/ the other reports lie beside this one; in Snakemake's report, each lies alone.
const alone = location.protocol === "data:" || location.protocol === "blob:" || location.pathname.includes("/data/raw/");
if (!alone) document.querySelectorAll(".beside").forEach(part => { part.hidden = false; });
