"use strict";
(() => {
  const narrow = () => window.innerWidth < 700;
  const config = { responsive: true, displaylogo: false, scrollZoom: false, displayModeBar: narrow() ? false : "hover",
    modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]] };

  // On a phone the axis numbers give room to the curves.
  const fitted = (layout) => {
    if (!narrow()) return layout;
    const margin = Object.assign({}, layout.margin);
    margin.l = Math.min(margin.l, 60); margin.r = 6;
    const length = layout.xaxis && layout.xaxis.range ? layout.xaxis.range[1] : 0;
    let last = -Infinity;
    for (const label of (layout.annotations || []).filter((a) => a.name === "corner")) {
      label.visible = label.x - last > 0.1 * length;
      if (label.visible) last = label.x;
    }
    return Object.assign({}, layout, { margin, font: Object.assign({}, layout.font, { size: 11 }) });
  };

  const figures = {};
  for (const place of document.querySelectorAll(".figure")) {
    const figure = JSON.parse(document.getElementById(place.id + "-data").textContent);
    // The readout beside the map says what plotly's box would say, without covering the curves.
    if (place.id === "traces") for (const line of figure.data) { line.hoverinfo = "none"; delete line.hovertemplate; }
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

  // A hand over the curves moves each car's dot on the map and fills the readout.
  const traces = figures.traces;
  if (!traces) return;
  const { step, drivers, panels } = traces.layout.meta;
  const paths = meta.lines.map((i) => ({ x: map._fullData[i].x, y: map._fullData[i].y }));
  const last = paths[0].x.length - 1;
  const readout = document.getElementById("readout");
  const head = readout.createTHead().insertRow();
  const cell = (row, text) => { const made = document.createElement("th"); made.textContent = text; row.append(made); return made; };
  const place = cell(head, "");
  place.className = "text";
  panels.forEach((panel) => cell(head, panel.short));
  const body = readout.createTBody();
  const cells = drivers.map((driver) => {
    const row = body.insertRow();
    const name = row.insertCell();
    name.className = "text";
    name.textContent = driver;
    return panels.map(() => row.insertCell());
  });
  const fill = (i) => {
    place.textContent = "at " + Math.round(i * step).toLocaleString("en") + " m";
    cells.forEach((row, driver) => row.forEach((each, panel) => {
      const value = traces._fullData[panel * drivers.length + driver].y[i];
      const sign = panels[panel].digits && value > 0 ? "+" : "";
      each.textContent = sign + value.toFixed(panels[panel].digits).replace(/^-(0(\.0*)?)$/, "$1").replace("-", "\u2212");
    }));
  };
  let wanted = null, busy = false;
  const move = () => {
    if (wanted === null || busy) return;
    const i = Math.max(0, Math.min(last, Math.round(wanted / step)));
    wanted = null; busy = true;
    fill(i);
    Plotly.restyle(map, { x: paths.map((p) => [p.x[i]]), y: paths.map((p) => [p.y[i]]), visible: true }, meta.cursor)
      .then(() => { busy = false; move(); });
  };
  fill(0);
  traces.on("plotly_hover", (event) => { wanted = event.xvals ? event.xvals[0] : event.points[0].x; move(); });
})();
