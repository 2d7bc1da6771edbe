// The live page: gauges that are built once and moved by numbers. Texts are set as text, never as markup.

const NS = "http://www.w3.org/2000/svg";
const WHEELS = ["FL", "FR", "RL", "RR"];
const LIGHTS = 15;
const PERIOD = 100; // [ms] From picture to picture.
const AWAY = 1000; // [ms] The same while nobody looks, or nobody answers.

function make(tag, parent, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

function draw(tag, parent, attributes) {
  const made = document.createElementNS(NS, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

// Only what changed is written, so that only that is laid out and painted anew.
function put(place, text) { text = String(text); if (place.textContent !== text) place.textContent = text; }

const known = (value) => typeof value === "number" && Number.isFinite(value);
const fixed = (value, digits = 0, sign = false) =>
  known(value) ? ((sign && value > 0 ? "+" : "") + value.toFixed(digits)).replace("-", "−") : "–";
const share = (value) => (known(value) ? Math.min(Math.max(value, 0), 1) : 0);

function lapTime(seconds) {
  if (!known(seconds) || seconds <= 0) return "–:––.–––";
  const total = Math.round(seconds * 1000), rest = total % 60000;
  return `${Math.floor(total / 60000)}:${String(Math.floor(rest / 1000)).padStart(2, "0")}.${String(rest % 1000).padStart(3, "0")}`;
}

function card(parent, title, area) {
  const made = make("section", parent, "aw-card");
  made.style.gridArea = area;
  make("h3", made, "", title);
  return made;
}

class Cockpit {
  constructor(root) {
    this.root = make("div", root, "aw-cockpit");
    this.health();
    this.engine();
    this.timing();
    this.controls();
    this.acceleration();
    this.place();
    this.tyres();
    this.fuel();
  }

  health() {
    const strip = make("div", this.root, "aw-health");
    strip.style.gridArea = "health";
    this.lamp = make("span", strip, "aw-lamp");
    this.state = make("strong", strip, "");
    this.facts = make("span", strip, "aw-facts");
    this.who = make("span", strip, "aw-who");
  }

  engine() {
    const box = card(this.root, "", "engine");
    this.lights = [];
    const row = make("div", box, "aw-lights");
    for (let i = 0; i < LIGHTS; i++) this.lights.push(make("i", row, i < 6 ? "low" : i < 11 ? "mid" : "high"));
    const main = make("div", box, "aw-main");
    this.gear = make("div", main, "aw-gear", "–");
    const right = make("div", main, "aw-speedbox");
    const speed = make("div", right, "aw-speed");
    this.speed = make("span", speed, "", "–");
    make("small", speed, "", "km/h");
    const rpm = make("div", right, "aw-rpm");
    this.rpm = make("span", rpm, "", "–");
    make("small", rpm, "", "rpm");
  }

  timing() {
    const box = card(this.root, "", "timing");
    const delta = make("div", box, "aw-delta");
    this.deltaText = make("strong", delta, "", "–");
    this.deltaNote = make("span", delta, "aw-note", "");
    const bar = make("div", box, "aw-deltabar");
    this.deltaBar = make("i", bar, "");
    const grid = make("dl", box, "aw-times");
    this.times = {};
    for (const [key, label] of [["now", "This lap"], ["last", "Last"], ["best", "Best"], ["lap", "Lap"], ["sector", "Sector"], ["valid", "Counts"]]) {
      const one = make("div", grid, "");
      make("dt", one, "", label);
      this.times[key] = make("dd", one, "", "–");
    }
  }

  controls() {
    const box = card(this.root, "Pedals [%], steering", "controls"), row = make("div", box, "aw-pedals");
    this.pedals = {};
    for (const [key, label] of [["clutch", "Clutch"], ["brake", "Brake"], ["throttle", "Throttle"]]) {
      const one = make("div", row, "aw-pedal " + key), tube = make("div", one, "aw-tube");
      this.pedals[key] = { bar: make("i", tube, ""), text: make("b", one, "", "–") };
      make("span", one, "", label);
    }
    const wheel = make("div", row, "aw-wheel");
    const svg = draw("svg", wheel, { viewBox: "-50 -50 100 100" });
    this.wheel = draw("g", svg, {});
    draw("circle", this.wheel, { r: 40, class: "rim" });
    draw("path", this.wheel, { d: "M-40 0H40M0 0V40", class: "spoke" });
    draw("rect", this.wheel, { x: -4, y: -46, width: 8, height: 12, rx: 2, class: "mark" });
    this.steer = make("b", wheel, "", "–");
    make("span", wheel, "", "Steering");
  }

  acceleration() {
    const box = card(this.root, "Acceleration", "g"), svg = draw("svg", box, { viewBox: "-60 -60 120 120", class: "aw-g" });
    for (const r of [13.75, 27.5, 41.25, 55]) draw("circle", svg, { r, class: "ring" });
    draw("path", svg, { d: "M-55 0H55M0 -55V55", class: "ring" });
    for (const [g, r] of [[2, 27.5], [4, 55]]) draw("text", svg, { x: 2, y: -r + 7, class: "tick" }).textContent = g + " g";
    this.trail = draw("polyline", svg, { class: "trail" });
    this.ball = draw("circle", svg, { r: 4.5, class: "ball" });
    this.gText = make("div", box, "aw-gtext", "–");
  }

  place() {
    const box = card(this.root, "Track", "map");
    this.map = draw("svg", box, { class: "aw-track", preserveAspectRatio: "xMidYMid meet" });
    this.mapNote = make("p", box, "aw-note", "");
  }

  tyres() {
    const box = card(this.root, "Tyres [°C]", "tyres"), grid = make("div", box, "aw-tyres");
    this.wheels = WHEELS.map((name) => {
      const one = make("div", grid, "aw-tyre"), head = make("div", one, "aw-tyrehead");
      make("b", head, "", name);
      const pressure = make("span", head, "", "–");
      const row = make("div", one, "aw-tread");
      const parts = ["I", "M", "O"].map((part) => { const cell = make("i", row, ""); make("small", cell, "", part); return { cell, text: make("b", cell, "", "–") }; });
      const core = make("div", one, "aw-line", ""), use = make("div", one, "aw-use"), bar = make("i", use, "");
      return { pressure, parts, core, bar };
    });
    this.tyreNote = make("p", box, "aw-note", "");
  }

  fuel() {
    const box = card(this.root, "Car", "car"), grid = make("dl", box, "aw-times");
    this.car = {};
    for (const [key, label] of [["fuel", "Fuel"], ["left", "Laps left"], ["drs", "DRS"], ["flag", "Flag"], ["air", "Air, road"], ["assists", "ABS, TC"]]) {
      const one = make("div", grid, "");
      make("dt", one, "", label);
      this.car[key] = make("dd", one, "", "–");
    }
  }

  show(data) {
    this.root.classList.toggle("aw-stale", data.state !== "live");
    this.lamp.className = "aw-lamp " + data.state;
    put(this.state, data.words);
    put(this.facts, data.facts);
    put(this.who, data.who);
    const car = data.car || {};
    this.showEngine(car);
    this.showTiming(car, data.delta, data.against);
    this.showControls(car);
    this.showG(car);
    this.showMap(data.track, data.at, data.note);
    this.showTyres(car);
    put(this.car.fuel, known(car.fuel) ? fixed(car.fuel, 1) + " kg" : "–");
    put(this.car.left, fixed(data.laps_left, 1));
    for (const key of ["drs", "flag", "air", "assists"]) put(this.car[key], car[key] || "–");
    this.root.dataset.ticks = Number(this.root.dataset.ticks || 0) + 1;
  }

  lost(words) {
    this.root.classList.add("aw-stale");
    this.lamp.className = "aw-lamp dead";
    put(this.state, "Lost");
    put(this.facts, words);
  }

  showEngine(car) {
    const from = 0.72 * (car.max_rpm || NaN), on = known(from) ? (car.rpm - from) / (0.985 * car.max_rpm - from) * LIGHTS : 0;
    this.lights.forEach((light, i) => light.classList.toggle("on", i < on));
    put(this.gear, car.gear === undefined || car.gear === null ? "–" : car.gear === -1 ? "R" : car.gear === 0 ? "N" : car.gear);
    put(this.speed, fixed(car.speed));
    put(this.rpm, fixed(car.rpm));
  }

  showTiming(car, delta, against) {
    put(this.deltaText, known(delta) ? fixed(delta, 2, true) : "–");
    this.deltaText.className = known(delta) ? (delta > 0 ? "slower" : "faster") : "";
    put(this.deltaNote, against);
    const reach = known(delta) ? Math.max(-1, Math.min(1, delta / 2)) : 0;
    this.deltaBar.style.left = reach < 0 ? `${50 + 50 * reach}%` : "50%";
    this.deltaBar.style.width = `${50 * Math.abs(reach)}%`;
    this.deltaBar.className = reach > 0 ? "slower" : "faster";
    put(this.times.now, lapTime(car.lap_time));
    put(this.times.last, lapTime(car.last));
    put(this.times.best, lapTime(car.best));
    put(this.times.lap, fixed(car.lap));
    put(this.times.sector, fixed(car.sector));
    put(this.times.valid, car.valid === null || car.valid === undefined ? "–" : car.valid ? "yes" : "no: off track");
  }

  showControls(car) {
    for (const key of ["throttle", "brake", "clutch"]) {
      const { bar, text } = this.pedals[key];
      bar.style.height = `${100 * share(car[key])}%`;
      put(text, known(car[key]) ? fixed(100 * car[key]) : "–");
    }
    const angle = known(car.steer_angle) ? car.steer_angle : known(car.steer) ? 120 * car.steer : 0;
    this.wheel.setAttribute("transform", `rotate(${-angle})`);
    put(this.steer, known(car.steer_angle) ? fixed(car.steer_angle) + "°" : known(car.steer) ? fixed(100 * car.steer) + " %" : "–");
  }

  showG(car) {
    if (!known(car.gx) || !known(car.gy)) { put(this.gText, "–"); return; }
    // As the driver feels it drawn on the road: forward up, left turn to the left.
    const x = Math.max(-58, Math.min(58, -car.gy * 13.75)), y = Math.max(-58, Math.min(58, -car.gx * 13.75));
    this.ball.setAttribute("cx", x); this.ball.setAttribute("cy", y);
    this.points = [...(this.points || []).slice(-24), `${x.toFixed(1)},${y.toFixed(1)}`];
    this.trail.setAttribute("points", this.points.join(" "));
    put(this.gText, `${fixed(Math.abs(car.gy), 1)} g ${car.gy > 0.05 ? "left" : car.gy < -0.05 ? "right" : ""} · ${fixed(car.gx, 1, true)} g`);
  }

  showMap(track, at, note) {
    put(this.mapNote, note || "");
    if (!track) { this.map.replaceChildren(); this.drawn = null; return; }
    if (this.drawn !== track.name) {
      this.drawn = track.name;
      this.map.replaceChildren();
      const line = track.line, xs = line.map((p) => p[0]), ys = line.map((p) => -p[1]);
      const room = 0.07 * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
      const [x0, y0] = [Math.min(...xs) - room, Math.min(...ys) - room];
      const [w, h] = [Math.max(...xs) - x0 + room, Math.max(...ys) - y0 + room];
      this.map.setAttribute("viewBox", `${x0} ${y0} ${w} ${h}`);
      const d = "M" + line.map((p) => `${p[0]} ${-p[1]}`).join("L") + "Z", unit = Math.max(w, h) / 100;
      draw("path", this.map, { d, class: "road", "stroke-width": 2.4 * unit });
      draw("line", this.map, { x1: track.start[0], y1: -track.start[1], x2: track.start[2], y2: -track.start[3], class: "start", "stroke-width": unit });
      for (const [text, x, y] of track.corners) { const label = draw("text", this.map, { x, y: -y, class: "corner", "font-size": 3 * unit, "text-anchor": "middle" }); put(label, text); }
      this.dot = draw("circle", this.map, { r: 2.1 * unit, class: "me" });
    }
    if (at) { this.dot.setAttribute("cx", at[0]); this.dot.setAttribute("cy", -at[1]); }
    this.dot.style.visibility = at ? "visible" : "hidden";
  }

  showTyres(car) {
    const tread = car.tread, core = car.core || [], pressure = car.pressure || [], use = car.use || [], brake = car.brakes || [], wear = car.wear || [];
    this.wheels.forEach((wheel, i) => {
      put(wheel.pressure, known(pressure[i]) ? fixed(pressure[i]) + " kPa" : "");
      wheel.parts.forEach((part, k) => {
        const value = tread && tread[k] ? tread[k][i] : null;
        put(part.text, fixed(value));
        part.cell.style.setProperty("--heat", known(value) ? Math.max(0, Math.min(1, (value - 40) / 90)) : 0);
      });
      const words = [];
      if (known(core[i])) words.push(`core ${fixed(core[i])}°`);
      if (known(brake[i])) words.push(`disc ${fixed(brake[i])}°`);
      if (known(wear[i])) words.push(`${fixed(100 * wear[i])} % left`);
      put(wheel.core, words.join(" · ") || "–");
      wheel.bar.style.width = `${100 * share((use[i] || 0) / 1.5)}%`;
      wheel.bar.className = use[i] > 1.05 ? "over" : "";
    });
    put(this.tyreNote, "Bar: share of the slip at most grip; orange beyond it.");
  }
}

// The gauges ask for the next picture when the last one is drawn: a slow browser asks less often.
async function follow(cockpit, address) {
  const here = new URL(address, window.location.origin);
  let seen = "", drawn = "";
  while (cockpit.address === address && cockpit.root.isConnected) {
    const began = performance.now();
    let pause = PERIOD;
    try {
      here.search = new URLSearchParams({ seen, map: drawn });
      const answer = await fetch(here);
      if (answer.status === 200) {
        const data = await answer.json();
        cockpit.show(data);
        seen = String(data.number);
        drawn = data.track ? data.track.name : "";
        if (data.words === "Ended") pause = AWAY;
      } else if (answer.status === 404) { cockpit.lost("This source is not shown any more. Reload the page."); pause = AWAY; }
    } catch (error) { cockpit.lost("The dashboard's server does not answer."); seen = ""; pause = AWAY; }
    const left = (document.hidden ? AWAY : pause) - (performance.now() - began);
    await new Promise((done) => setTimeout(done, Math.max(left, 10)));
  }
}

const shown = new WeakMap();

export default function ({ parentElement, data }) {
  let cockpit = shown.get(parentElement);
  if (!cockpit || !parentElement.contains(cockpit.root)) {
    parentElement.querySelectorAll(".aw-live").forEach((old) => old.remove());
    cockpit = new Cockpit(make("div", parentElement, "aw-live"));
    shown.set(parentElement, cockpit);
  }
  if (cockpit.address === data.address) return;
  cockpit.address = data.address;
  follow(cockpit, data.address);
}
