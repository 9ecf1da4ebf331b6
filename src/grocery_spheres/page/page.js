// Draws the charts over their pictures, and gives the reader one switch for all code.
// Without this script the page is complete: pictures stand for charts, and each code cell opens by itself.

const PHONE_BELOW = 620; // pixels of a figure's box: the article drawing is up to 640 wide
const OPEN_CODE = "grocery-spheres-open-code";

function options(figure) {
  return {
    mode: "vega-lite",
    renderer: "svg",
    ast: true, // expressions are interpreted, so the page's policy can forbid eval
    actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
    downloadFileName: figure.dataset.name,
    tooltip: { disableDefaultStyle: true },
  };
}

function spec(figure, size) {
  const specs = JSON.parse(figure.querySelector("script.specs").textContent);
  const one = specs[size] ?? specs.wide;
  return { ...one, datasets: { ...specs.datasets, ...one.datasets } };
}

async function draw(figure) {
  const size = figure.clientWidth < PHONE_BELOW ? "phone" : "wide";
  if (figure.dataset.size === size) return;
  figure.dataset.size = size;
  const box = document.createElement("div");
  box.className = "chart";
  try {
    const drawn = await window.vegaEmbed(box, spec(figure, size), options(figure));
    if (figure.dataset.size !== size) return drawn.finalize(); // the width has changed meanwhile
    figure.querySelector(".chart")?.remove();
    figure.finalize?.();
    figure.finalize = () => drawn.finalize();
    figure.querySelector(".still").before(box);
    figure.classList.add("live");
  } catch (error) {
    console.warn(`${figure.id} stays a picture: ${error.message}`);
  }
}

function watchCharts() {
  const watcher = new ResizeObserver((entries) => entries.forEach((entry) => draw(entry.target)));
  document.querySelectorAll("script.specs").forEach((specs) => watcher.observe(specs.closest("figure")));
}

function remembered() {
  try {
    return localStorage.getItem(OPEN_CODE) === "yes";
  } catch {
    return false; // storage may be switched off
  }
}

function remember(open) {
  try {
    localStorage.setItem(OPEN_CODE, open ? "yes" : "no");
  } catch {
    // see remembered()
  }
}

function showCode(button, open) {
  document.querySelectorAll("details.code").forEach((cell) => (cell.open = open));
  button.setAttribute("aria-pressed", String(open));
  button.textContent = open ? "Hide all code" : "Show all code";
}

function codeSwitch() {
  const button = document.querySelector(".all-code");
  if (!button) return;
  button.hidden = false;
  if (remembered()) showCode(button, true);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    showCode(button, open);
    remember(open);
  });
}

codeSwitch();
if (window.vegaEmbed) watchCharts();
