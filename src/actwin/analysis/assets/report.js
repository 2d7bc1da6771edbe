"use strict";
(() => {
  const narrow = () => window.innerWidth < 700;
  const config = { responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: "hover",
    modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

  // On a phone the axis numbers give room to the curves.
  const fitted = (layout) => {
    if (!narrow()) return layout;
    const margin = Object.assign({}, layout.margin);
    margin.l = Math.min(margin.l, 60); margin.r = 6;
    return Object.assign({}, layout, { margin, font: Object.assign({}, layout.font, { size: 11 }) });
  };

  const figures = {};
  for (const place of document.querySelectorAll(".figure")) {
    const figure = JSON.parse(document.getElementById(place.id + "-data").textContent);
    if (narrow() && place.dataset.narrow) figure.layout.height = Number(place.dataset.narrow);
    Plotly.newPlot(place, figure.data, fitted(figure.layout), config);
    figures[place.id] = place;
  }

  const map = figures.map;
  if (!map) return;
  const meta = map.layout.meta;
  const choose = (id, labels, act) => {
    const select = document.getElementById(id);
    labels.forEach((label, i) => select.add(new Option(label, i)));
    select.addEventListener("change", () => act(Number(select.value)));
  };
  choose("map-view", meta.views.map((view) => view.label), (i) => {
    const view = meta.views[i];
    Plotly.relayout(map, { "xaxis.range": view.x.slice(), "yaxis.range": view.y.slice() });
  });
  if (!meta.speed) return;
  choose("map-speed", meta.drivers.concat("nobody: plain lines"), (chosen) => {
    const on = [], off = [];
    meta.speed.forEach((pieces, i) => (i === chosen ? on : off).push(...pieces));
    if (off.length) Plotly.restyle(map, { visible: false }, off);
    if (on.length) Plotly.restyle(map, { visible: true }, on);
  });

  // A hand over the curves moves each car's dot on the map.
  const traces = figures.traces;
  if (!traces) return;
  const paths = meta.lines.map((i) => ({ x: map._fullData[i].x, y: map._fullData[i].y }));
  const step = traces.layout.meta.step;
  const last = paths[0].x.length - 1;
  let wanted = null, busy = false;
  const move = () => {
    if (wanted === null || busy) return;
    const i = Math.max(0, Math.min(last, Math.round(wanted / step)));
    wanted = null; busy = true;
    Plotly.restyle(map, { x: paths.map((p) => [p.x[i]]), y: paths.map((p) => [p.y[i]]), visible: true }, meta.cursor)
      .then(() => { busy = false; move(); });
  };
  traces.on("plotly_hover", (event) => { wanted = event.xvals ? event.xvals[0] : event.points[0].x; move(); });
  traces.on("plotly_unhover", () => Plotly.restyle(map, { visible: false }, meta.cursor));
})();
