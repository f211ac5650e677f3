// Draws the charts; each has a table with the same numbers beside it.
const HEIGHT = 240;
const NARROW = 500;
const DASHES = [[], [8, 4], [2, 4]];
const NAMES = ["--line-1", "--line-2", "--line-3"];

function colour(place, name) {
  return getComputedStyle(place).getPropertyValue(name).trim();
}

function axes(place, labels, width) {
  const line = { stroke: colour(place, "--line"), width: 1 };
  const text = { stroke: colour(place, "--muted"), font: "13px system-ui, sans-serif", grid: line, ticks: line };
  return [
    {
      ...text,
      space: width < NARROW ? 90 : 120,
      incrs: [1, 2, 7, 14, 24, 28, 48, 91, 182],
      values: (_, splits) => splits.map((at) => labels[at] ?? ""),
    },
    { ...text, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
  ];
}

function series(place, head, labels, lines) {
  const drawn = lines.map(([label], number) => ({
    label,
    stroke: colour(place, NAMES[number]),
    width: 2,
    dash: DASHES[number],
    points: { show: false },
  }));
  return [{ label: head, value: (_, at) => labels[at] ?? "–" }, ...drawn];
}

function draw(place) {
  const { head, labels, lines, band } = JSON.parse(place.dataset.chart);
  const width = Math.max(240, place.clientWidth);
  const top = Math.max(1, ...lines.flatMap(([, values]) => values));
  const options = {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: { range: [0, top * 1.08] } },
    axes: axes(place, labels, width),
    series: series(place, head, labels, lines),
    bands: band ? [{ series: [band[0] + 1, band[1] + 1], fill: `${colour(place, "--line-1")}2a` }] : [],
    cursor: { drag: { setScale: false } },
  };
  place.replaceChildren();
  const data = [labels.map((_, number) => number), ...lines.map(([, values]) => values)];
  new window.uPlot(options, data, place);
}

function drawAll() {
  document.querySelectorAll("[data-chart]").forEach(draw);
}

drawAll();
let again = 0;
new ResizeObserver(() => {
  cancelAnimationFrame(again);
  again = requestAnimationFrame(drawAll);
}).observe(document.querySelector(".insights"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
