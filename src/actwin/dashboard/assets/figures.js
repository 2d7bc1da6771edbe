// Plotly figures of a page: one alone, or curves and a map that follow one cursor. Texts arrive as data and are set as
// text, never as markup.

const PLOTLY = "__PLOTLY__";
const NARROW = 700;

function loadPlotly() {
  if (!window.actwinPlotly) {
    window.actwinPlotly = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = PLOTLY;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => { window.actwinPlotly = null; reject(new Error("plotly.js cannot be loaded")); };
      document.head.append(script);
    });
  }
  return window.actwinPlotly;
}

const config = (narrow) => ({
  responsive: true, displaylogo: false, scrollZoom: false, doubleClick: "reset", displayModeBar: narrow ? false : "hover",
  modeBarButtons: [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
});

// On a phone the axis numbers give room to the curves, and corner labels stand less densely.
function fitted(layout, width, height) {
  if (height) layout.height = height;
  if (width >= NARROW) return layout;
  layout.margin = Object.assign({}, layout.margin, { l: Math.min(layout.margin.l, 46), r: 6 });
  layout.font = Object.assign({}, layout.font, { size: 11 });
  const whole = layout.xaxis && layout.xaxis.range ? layout.xaxis.range[1] : 0;
  let last = -Infinity;
  for (const label of (layout.annotations || []).filter((each) => each.name === "corner")) {
    label.visible = label.x - last > 0.1 * whole;
    if (label.visible) last = label.x;
  }
  return layout;
}

function make(tag, parent, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

async function fetched(address) {
  const answer = await fetch(new URL(address, window.location.origin));
  if (!answer.ok) throw new Error(answer.status === 404 ? "it is not kept any more. Reload the page." : `the server says ${answer.status}.`);
  return answer.json();
}

// Draws what is not there yet; whether it did.
async function draw(Plotly, place, address, width, height) {
  const key = `${address} ${width < NARROW}`;
  if (place.actwinKey === key) return false;
  const figure = await fetched(address);
  // A stretch that was zoomed to stays in view while it is the same road.
  for (const axis of [figure.layout.xaxis, place.actwinMap && figure.layout.yaxis]) if (axis && axis.range) axis.uirevision = axis.range.join();
  if (place.actwinQuiet) for (const line of figure.data) { line.hoverinfo = "none"; delete line.hovertemplate; }
  await Plotly.react(place, figure.data, fitted(figure.layout, width, height), config(width < NARROW));
  place.actwinKey = key;
  place.dataset.draws = Number(place.dataset.draws || 0) + 1;
  return true;
}

function number(value, digits) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = (digits && value > 0 ? "+" : "") + value.toFixed(digits);
  return text.replace(/^-(0(\.0*)?)$/, "$1").replace("-", "−");
}

class Linked {
  constructor(root) {
    this.frame = make("div", root, "aw-linked");
    const side = make("div", this.frame, "aw-side");
    const label = make("label", side, "aw-choice", "Show ");
    this.views = make("select", label);
    this.map = make("div", side, "aw-figure aw-map");
    this.readout = make("table", make("div", side, "aw-scroll"), "aw-readout");
    this.traces = make("div", this.frame, "aw-figure aw-traces");
    this.traces.actwinQuiet = true;
    this.map.actwinMap = true;
    this.wanted = null;
    this.busy = false;
    this.views.addEventListener("change", () => this.look());
  }

  async show(Plotly, data, width) {
    this.Plotly = Plotly;
    await draw(Plotly, this.traces, data.figures[0], width, 0);
    if (await draw(Plotly, this.map, data.figures[1], width, width < NARROW ? 330 : 0)) this.know();
    this.table();
    if (!this.listening) this.listen();
  }

  // What the map tells: the stretches that can be shown, and where the laps are.
  know() {
    const meta = this.map.layout.meta, labels = meta.views.map((view) => view.label).join("|");
    if (labels !== this.labels) {
      this.labels = labels;
      this.views.replaceChildren(...meta.views.map((view, i) => new Option(view.label, i)));
    }
    this.paths = meta.lines.map((i) => ({ x: this.map._fullData[i].x, y: this.map._fullData[i].y }));
  }

  listen() {
    this.listening = true;
    this.traces.on("plotly_hover", (event) => this.go(event.xvals ? event.xvals[0] : event.points[0].x));
    this.map.on("plotly_hover", (event) => {
      const at = event.points[0].customdata;
      if (at) { this.go(at[0]); this.Plotly.Fx.hover(this.traces, { xval: at[0] }, "xy"); }
    });
    this.traces.on("plotly_relayout", (change) => this.follow(change));
  }

  look() {
    const view = this.map.layout.meta.views[Number(this.views.value) || 0];
    this.Plotly.relayout(this.map, { "xaxis.range": view.x.slice(), "yaxis.range": view.y.slice() });
    this.quiet = true;
    this.Plotly.relayout(this.traces, { "xaxis.range": view.s.slice() }).then(() => { this.quiet = false; });
  }

  // The map shows the stretch that the curves are zoomed to.
  follow(change) {
    if (this.quiet || !this.paths.length) return;
    let [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
    const whole = this.map.layout.meta.views[0];
    if (from === undefined) {
      if (change["xaxis.autorange"] || change["xaxis.range"]) {
        this.Plotly.relayout(this.map, { "xaxis.range": whole.x.slice(), "yaxis.range": whole.y.slice() });
      }
      return;
    }
    const path = this.paths[0], last = path.x.length - 1, step = whole.s[1] / last;
    from = Math.max(0, Math.floor(from / step)); to = Math.min(last, Math.ceil(to / step));
    let box = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = from; i <= to; i++) {
      const x = path.x[i], y = path.y[i];
      if (Number.isFinite(x)) box = [Math.min(box[0], x), Math.max(box[1], x), Math.min(box[2], y), Math.max(box[3], y)];
    }
    if (!Number.isFinite(box[0])) return;
    const room = Math.max(40, 0.08 * Math.max(box[1] - box[0], box[3] - box[2]));
    this.Plotly.relayout(this.map, { "xaxis.range": [box[0] - room, box[1] + room], "yaxis.range": [box[2] - room, box[3] + room] });
  }

  table() {
    const { drivers, panels } = this.traces.layout.meta;
    this.readout.replaceChildren();
    const head = this.readout.createTHead().insertRow();
    this.place = make("th", head, "aw-text", "");
    panels.forEach((panel) => make("th", head, "", panel.short));
    const body = this.readout.createTBody();
    this.cells = drivers.map((driver, i) => {
      const row = body.insertRow(), name = row.insertCell();
      name.className = "aw-text";
      const line = this.traces._fullData[i] && this.traces._fullData[i].line;
      const swatch = make("span", name, "aw-swatch");
      if (line) swatch.style.borderTop = `3px ${line.dash === "solid" ? "solid" : line.dash === "dot" ? "dotted" : "dashed"} ${line.color}`;
      make("span", name, "", driver);
      return panels.map(() => row.insertCell());
    });
    this.fill(0);
  }

  fill(at) {
    const { step, drivers, panels } = this.traces.layout.meta;
    const i = Math.max(0, Math.round(at / step));
    this.place.textContent = "at " + Math.round(at).toLocaleString("en") + " m";
    this.cells.forEach((row, driver) => row.forEach((cell, panel) => {
      const values = this.traces._fullData[panel * drivers.length + driver].y;
      cell.textContent = number(values[Math.min(i, values.length - 1)], panels[panel].digits);
    }));
  }

  go(at) { this.wanted = at; this.move(); }

  move() {
    if (this.wanted === null || this.busy) return;
    const at = this.wanted;
    this.wanted = null; this.busy = true;
    this.fill(at);
    const meta = this.map.layout.meta, whole = meta.views[0].s[1];
    const x = [], y = [];
    for (const path of this.paths) {
      const i = Math.max(0, Math.min(path.x.length - 1, Math.round(at / whole * (path.x.length - 1))));
      x.push([path.x[i]]); y.push([path.y[i]]);
    }
    this.Plotly.restyle(this.map, { x, y, visible: true }, meta.cursor).then(() => { this.busy = false; this.move(); });
  }
}

class Single {
  constructor(root) { this.place = make("div", root, "aw-figure"); }
  async show(Plotly, data, width) { await draw(Plotly, this.place, data.figures[0], width, width < NARROW ? data.narrow || 0 : 0); }
}

const shown = new WeakMap();

export default function ({ parentElement, data }) {
  let entry = shown.get(parentElement);
  if (!entry || entry.kind !== data.kind) {
    parentElement.querySelectorAll(".aw-root").forEach((old) => old.remove());
    const root = make("div", parentElement, "aw-root");
    entry = { kind: data.kind, root, view: data.kind === "linked" ? new Linked(root) : new Single(root), queue: Promise.resolve() };
    shown.set(parentElement, entry);
  }
  const key = data.figures.join("\n");
  if (entry.key === key) return;
  entry.key = key;
  entry.queue = entry.queue.then(async () => {
    if (entry.key !== key) return;
    const Plotly = await loadPlotly();
    await entry.view.show(Plotly, data, entry.root.getBoundingClientRect().width || window.innerWidth);
    entry.root.dataset.draws = Number(entry.root.dataset.draws || 0) + 1;
  }).catch((error) => { console.error(error); entry.root.textContent = "The figure cannot be drawn: " + error.message; });
}
